/* step.h - places at which a test can make the process die, to see what the next
 * start makes of what is on disk then.
 *
 * WEBCACHEFS_CRASH_AT=NAME[:COUNT] in the environment: the process sends itself
 * SIGKILL when it passes the place NAME for the COUNT-th time. Without it a place
 * costs one look at a constant. Any thread. A daemon that takes over (fs/keeper.h) is not
 * meant. */
#ifndef BASE_STEP_H
#define BASE_STEP_H

#include <stdbool.h>

extern bool step_armed;		/* constant once there are threads */

void step_pass(const char *name);

static inline void step(const char *name)
{
	if (__builtin_expect(step_armed, false))
		step_pass(name);
}

#endif
