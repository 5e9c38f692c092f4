/* step.c - see step.h. */
#include "step.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool step_armed;

static const char *wanted;
static size_t wanted_len;
static atomic_long left;

__attribute__((constructor)) static void arm(void)
{
	const char *count;

	wanted = getenv("WEBCACHEFS_CRASH_AT");
	if (!wanted)
		return;
	wanted_len = strcspn(wanted, ":");
	count = wanted + wanted_len;
	atomic_init(&left, *count ? strtol(count + 1, NULL, 10) : 1);
	step_armed = true;
}

void step_pass(const char *name)
{
	if (strncmp(name, wanted, wanted_len) != 0 || name[wanted_len])
		return;
	if (atomic_fetch_sub(&left, 1) == 1)
		kill(getpid(), SIGKILL);
}
