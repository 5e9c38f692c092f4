/* lock.h - one daemon to a cache directory.
 *
 * The file `lock` in it is flock(2)ed as long as a daemon lives. What stands in it is for who
 * finds it taken: the daemon's pid, and whether its mount is gone already, so that it is about to
 * let go. Any thread. */
#ifndef INDEX_LOCK_H
#define INDEX_LOCK_H

#include <sys/types.h>

#define LOCK_WAIT_MS 1000		/* it may be about to end, and has not said so yet */
#define LOCK_ENDING_MS 30000		/* it has said so */

/* Opens and takes the lock file of that directory. *ret: its descriptor. 0; -EBUSY after a while:
 * *ret_holder (may be NULL) has it, 0: unknown; or another -errno. */
int lock_take(int dir, int *ret, pid_t *ret_holder);

/* At once or not at all. */
int lock_try(int dir, int *ret);

/* It goes on being held, but not for long. */
void lock_end(int fd);

#endif
