#include "clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

static _Atomic int64_t shift_ms;
static const char *shift_path;

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void clock_shift_ms(int64_t by)
{
	atomic_fetch_add(&shift_ms, by);
}

void clock_shift_file(const char *path)
{
	shift_path = path;
}

static int64_t shift_from_file(void)
{
	char text[32] = "";
	FILE *f = fopen(shift_path, "re");

	if (!f)
		return 0;
	if (!fgets(text, sizeof text, f))
		text[0] = '\0';
	fclose(f);
	return (int64_t)(strtod(text, NULL) * 1000);
}

int64_t clock_wall_ms(void)
{
	int64_t now = clock_ns(CLOCK_REALTIME) / 1000000 + atomic_load(&shift_ms);

	return shift_path ? now + shift_from_file() : now;
}

int64_t clock_wall_s(void)
{
	int64_t ms = clock_wall_ms();

	return ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
}

int64_t clock_mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
	return clock_mono_ns() / 1000000;
}
