#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/counters.h"
#include "../base/log.h"
#include "notify.h"

/* include/uapi/linux/fuse.h of Linux 6.16; the headers here may be older. */
#define NOTIFY_INC_EPOCH 8
#define NOTIFY_RESEND 7			/* 6.9 */
struct notification {
	uint32_t len;
	int32_t code;
	uint64_t unique;		/* 0: nobody asked */
};

#define BATCH_MS 100
#define JOIN_MS 10
#define SCRIBBLED_MAX 65536
#define SHORT_TTL_MS 1000
#define JIFFIES_MS 40			/* the kernel rounds up to ticks of up to 10 ms */
#define WAKE_MS 60			/* and counts from when who asked is running again */

int notify_init(struct notify *n)
{
	pthread_condattr_t attr;
	int r;

	memset(n, 0, sizeof(*n));
	pthread_mutex_init(&n->lock, NULL);
	pthread_mutex_init(&n->turn_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	r = pthread_cond_init(&n->changed, &attr);
	pthread_condattr_destroy(&attr);
	return -r;
}

void notify_fini(struct notify *n)
{
	pthread_cond_destroy(&n->changed);
	pthread_mutex_destroy(&n->turn_lock);
	pthread_mutex_destroy(&n->lock);
	free(TAKE_PTR(n->scribbled));
}

bool notify_has_epochs(struct fs *fs)
{
	return atomic_load(&fs->notify.epochs) == EPOCHS_WORK;
}

int notify_begin_reply(struct fs *fs)
{
	int turn = (int)(atomic_load(&fs->notify.turn) & 1);

	atomic_fetch_add(&fs->notify.replying[turn], 1);
	return turn;
}

/* The kernel's time begins when it has read the reply, as it has by now, and runs who asked
 * for it (fs/fuse/dir.c, fuse_change_entry_timeout): on a busy machine a bit later. */
void notify_end_reply(struct fs *fs, int turn, int64_t ms)
{
	struct notify *n = &fs->notify;
	int64_t until = clock_mono_ms() + ms;
	int64_t old = atomic_load(&n->trusted_until_ms);

	while (old < until && !atomic_compare_exchange_weak(&n->trusted_until_ms, &old, until))
		;
	atomic_fetch_sub(&n->replying[turn], 1);
}

/* Until all replies that had begun have ended. They are counted in turns, so that those
 * which begin meanwhile need not be waited for. */
static void wait_for_replies(struct notify *n)
{
	const struct timespec moment = { 0, 1000000 };
	int i;

	WITH_LOCK(&n->turn_lock)
		for (i = 0; i < 2; i++) {
			unsigned turn = atomic_fetch_add(&n->turn, 1) & 1;

			while (atomic_load(&n->replying[turn]) > 0)
				nanosleep(&moment, NULL);
		}
}

static bool tell(struct fs *fs, int code)
{
	struct notification n = { sizeof(n), code, 0 };

	return write(fuse_session_fd(fs->session), &n, sizeof(n)) == (ssize_t)sizeof(n);
}

/* The kernel takes no lock for it, so it never blocks. False: it does not know it. */
static bool next_epoch(struct fs *fs)
{
	if (!notify_has_epochs(fs))
		return false;
	if (tell(fs, NOTIFY_INC_EPOCH)) {
		count(epochs);
		return true;
	}
	/* Not mounted any more: nobody remembers anything. */
	if (errno != EINVAL)
		return true;
	log_warn("the kernel knows no epochs: names are trusted for %d ms at most", SHORT_TTL_MS);
	atomic_store(&fs->notify.epochs, EPOCHS_NONE);
	if (fs->kernel_ttl_ms > SHORT_TTL_MS)
		atomic_store(&fs->kernel_ttl_ms, SHORT_TTL_MS);
	return false;
}

/* Or until the mount ends. */
static void sleep_until(struct notify *n, int64_t mono_ms)
{
	struct timespec t = { mono_ms / 1000, mono_ms % 1000 * 1000000 };

	WITH_LOCK(&n->lock)
		while (!n->ending)
			if (pthread_cond_timedwait(&n->changed, &n->lock, &t) == ETIMEDOUT)
				break;
}

void notify_purged(struct fs *fs)
{
	revisits_purged(&fs->revisits);
	if (next_epoch(fs))
		return;
	wait_for_replies(&fs->notify);
	sleep_until(&fs->notify, atomic_load(&fs->notify.trusted_until_ms) + JIFFIES_MS + WAKE_MS);
}

void notify_taken_over(struct fs *fs)
{
	atomic_store(&fs->notify.trusted_until_ms, clock_mono_ms() + fs->kernel_ttl_ms);
	next_epoch(fs);
	tell(fs, NOTIFY_RESEND);
}

void notify_stale_names(void *arg)
{
	struct fs *fs = arg;
	struct notify *n = &fs->notify;

	if (atomic_load(&n->epochs) == EPOCHS_NONE)
		return;
	WITH_LOCK(&n->lock) {
		n->wanted = true;
		pthread_cond_broadcast(&n->changed);
	}
}

/* Lock held. Twice the same does no harm: not each is compared with each. */
static void note_scribbled(struct notify *n, uint64_t ino)
{
	if (n->n_scribbled && n->scribbled[n->n_scribbled - 1] == ino)
		return;
	if (n->n_scribbled == n->cap_scribbled) {
		size_t cap = n->cap_scribbled ? n->cap_scribbled * 2 : 16;
		uint64_t *more = cap <= SCRIBBLED_MAX
			? reallocarray(n->scribbled, cap, sizeof(*more)) : NULL;

		if (!more) {
			n->wanted = true;	/* takes the pages of all that nobody has open */
			return;
		}
		n->scribbled = more;
		n->cap_scribbled = cap;
	}
	n->scribbled[n->n_scribbled++] = ino;
}

void notify_scribbled(struct fs *fs, uint64_t ino)
{
	struct notify *n = &fs->notify;

	WITH_LOCK(&n->lock) {
		note_scribbled(n, ino);
		pthread_cond_broadcast(&n->changed);
	}
}

/* Waits for the pages that are being read. */
static void drop_pages(struct fs *fs, const uint64_t *inos, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (i == 0 || inos[i] != inos[i - 1])
			fuse_lowlevel_notify_inval_inode(fs->session, inos[i], 0, 0);
}

/* Called with the lock held. True: it is time to end. */
static bool wait_for_end(struct notify *n, int64_t until_ms)
{
	struct timespec t = { until_ms / 1000, until_ms % 1000 * 1000000 };

	while (!n->ended)
		if (pthread_cond_timedwait(&n->changed, &n->lock, &t) == ETIMEDOUT)
			break;
	return n->ended;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct notify *n = &fs->notify;

	pthread_mutex_lock(&n->lock);
	for (;;) {
		uint64_t *inos;
		size_t n_inos;
		bool epoch;

		while (!n->wanted && n->n_scribbled == 0 && !n->ended)
			pthread_cond_wait(&n->changed, &n->lock);
		if (n->ended)
			break;
		epoch = n->wanted;
		n->wanted = false;
		inos = TAKE_PTR(n->scribbled);
		n_inos = n->n_scribbled;
		n->n_scribbled = n->cap_scribbled = 0;
		pthread_mutex_unlock(&n->lock);
		if (epoch)
			next_epoch(fs);
		if (n_inos)
			qsort(inos, n_inos, sizeof(*inos), by_number);
		drop_pages(fs, inos, n_inos);
		free(inos);
		pthread_mutex_lock(&n->lock);
		/* Each makes the kernel ask for every name: not for every eviction. */
		if (wait_for_end(n, clock_mono_ms() + BATCH_MS))
			break;
	}
	pthread_mutex_unlock(&n->lock);
	return NULL;
}

int notify_start(struct fs *fs)
{
	int r = pthread_create(&fs->notify.thread, NULL, run, fs);

	fs->notify.running = r == 0;
	return -r;
}

static bool join_soon(pthread_t thread)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += JOIN_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

void notify_ending(struct fs *fs)
{
	struct notify *n = &fs->notify;

	WITH_LOCK(&n->lock) {
		n->ending = true;
		pthread_cond_broadcast(&n->changed);
	}
}

void notify_stop(struct fs *fs, void (*meanwhile)(struct fs *fs))
{
	struct notify *n = &fs->notify;

	if (!n->running)
		return;
	WITH_LOCK(&n->lock) {
		n->ended = true;
		pthread_cond_broadcast(&n->changed);
	}
	while (!join_soon(n->thread))
		meanwhile(fs);
	n->running = false;
}
