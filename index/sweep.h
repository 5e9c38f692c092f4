/* sweep.h - removes what no row knows: files that a crash left behind.
 *
 * Only what is older than this start, so nothing that is being put, unless nobody
 * puts. Slow and of low priority: pool threads, which stop early when *stop. */
#ifndef INDEX_SWEEP_H
#define INDEX_SWEEP_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "space.h"

/* Below dir (blobs/), what last changed before `before`; NULL: all, nobody else writes
 * there. What is removed is given back to space, and counted in *removed. */
int sweep_files(int dir, struct space *space, const struct timespec *before,
		bool (*known)(void *arg, uint64_t ino), void *arg, const _Atomic bool *stop,
		int64_t *removed);

#endif
