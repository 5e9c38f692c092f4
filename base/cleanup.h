/* cleanup.h - release at the end of a scope.
 *
 * A function uses either these or a `goto fail_x:` ladder, never both. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

/* Hand over: yields the pointer and leaves NULL behind. */
#define TAKE_PTR(p) ({ __typeof__(p) taken_ = (p); (p) = NULL; taken_; })

/* Hand over a descriptor: yields it and leaves -1 behind. */
#define TAKE_FD(fd) ({ int taken_ = (fd); (fd) = -1; taken_; })

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void cleanup_unlock(pthread_mutex_t **lock)
{
	if (*lock)
		pthread_mutex_unlock(*lock);
}

static inline pthread_mutex_t *cleanup_lock(pthread_mutex_t *lock)
{
	pthread_mutex_lock(lock);
	return lock;
}

/* The statement that follows runs with the lock held; leaving it by break,
 * return or goto lets go. */
#define WITH_LOCK(lock) WITH_LOCK_(lock, __COUNTER__)
#define WITH_LOCK_(lock, n) WITH_LOCK__(lock, n)
#define WITH_LOCK__(lock, n)                                                   \
	for (pthread_mutex_t *held_##n _cleanup_(cleanup_unlock) =             \
		     cleanup_lock(lock), *once_##n = held_##n;                 \
	     once_##n; once_##n = NULL)

#endif
