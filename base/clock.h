/* clock.h - both clocks. Any thread.
 *
 * Wall time is for HTTP (dates, freshness) and can be shifted, so that tests
 * let a week pass; monotonic time is for time limits and cannot. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);	/* since 1970, shifted */
int64_t clock_wall_s(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_ns(void);

/* Add to the wall clock from now on (may be negative). */
void clock_shift_ms(int64_t by);

/* The shift is read again from this file (seconds, decimal) when its mtime
 * each call. Borrowed for ever. Called once, before threads start. The daemon takes
 * the name from the environment (WEBCACHEFS_CLOCK_SHIFT): only for tests. */
void clock_shift_file(const char *path);

#endif
