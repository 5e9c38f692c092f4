#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../../../base/clock.h"

#define HOUR 3600000

/* a is b, give or take a minute: the clock goes on meanwhile. */
static void assert_about(int64_t a, int64_t b)
{
	assert_in_range(a - b + 60000, 0, 120000);
}

static void wall_time_can_be_shifted(void **state)
{
	int64_t now = (int64_t)time(NULL) * 1000;

	(void)state;
	assert_about(clock_wall_ms(), now);
	clock_shift_ms(5 * HOUR);
	assert_about(clock_wall_ms(), now + 5 * HOUR);
	assert_about(clock_wall_s() * 1000, now + 5 * HOUR);
	clock_shift_ms(-7 * HOUR);
	assert_about(clock_wall_ms(), now - 2 * HOUR);
	clock_shift_ms(2 * HOUR);
}

static void monotonic_time_cannot(void **state)
{
	int64_t before = clock_mono_ms(), ns = clock_mono_ns();

	(void)state;
	clock_shift_ms(-9 * HOUR);
	assert_true(clock_mono_ms() >= before);
	assert_true(clock_mono_ns() >= ns);
	assert_about(clock_mono_ms(), before);
	assert_about(clock_mono_ms(), clock_mono_ns() / 1000000);
	clock_shift_ms(9 * HOUR);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void a_file_shifts_too(void **state)
{
	static char path[64];	/* borrowed for ever */
	int64_t now = (int64_t)time(NULL) * 1000;

	(void)state;
	snprintf(path, sizeof(path), "clock-shift.%d", getpid());
	clock_shift_file(path);
	assert_about(clock_wall_ms(), now);
	write_file(path, "86400\n");
	assert_about(clock_wall_ms(), now + 24 * HOUR);
	write_file(path, "-3600.5");
	assert_about(clock_wall_ms(), now - HOUR);
	write_file(path, "");
	assert_about(clock_wall_ms(), now);
	unlink(path);
	assert_about(clock_wall_ms(), now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wall_time_can_be_shifted),
		cmocka_unit_test(monotonic_time_cannot),
		cmocka_unit_test(a_file_shifts_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
