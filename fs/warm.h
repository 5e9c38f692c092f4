/* warm.h - fetch ahead of readers: a queue of names, and the thread that works on it.
 *
 * The warm thread starts items in their order, as many at a time as they say, and takes
 * each to its last byte. It sleeps when there is nothing to do. What was queued by
 * .control/warm is kept in the file "warm" of the cache directory until it is done
 * (warm_save.h), so it goes on after a restart.
 *
 * Lock order: save.lock -> lock. Neither is held while fetch is called. */
#ifndef FS_WARM_H
#define FS_WARM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/list.h"
#include "warm_job.h"
#include "warm_list.h"
#include "warm_save.h"
#include "warm_tally.h"

struct fs;

#define WARM_JOBS 8			/* at the same time, when a list does not say */
#define WARM_QUEUE_MAX (32 << 20)	/* bytes of memory */
#define WARM_FILE_LIST "warm_file"	/* how the list of that option is called */

struct warm {
	/* Guarded by lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed;		/* CLOCK_MONOTONIC */
	struct list queue;		/* struct warm_item, in their order */
	struct list active, awake;	/* struct warm_job: link, awake_link */
	int64_t n_queued, n_active;
	size_t bytes;			/* of the queue */
	int64_t settled;		/* items, since the file was written */
	struct warm_tally tally;
	bool ended, running;

	/* Warm thread. */
	pthread_t thread;
	int64_t asked_ms;		/* mono: when an origin was asked last */
	int64_t file_ms;		/* mono: when warm_file is due; INT64_MAX: never */

	struct warm_save save;		/* has its own lock */
};

int warm_init(struct warm *w);
void warm_fini(struct warm *w);

/* Takes up what was queued before, and starts the thread. 0 or -errno. */
int warm_start(struct fs *fs);

/* Ends the thread: nothing is started any more. */
void warm_stop(struct warm *w);

/* After fetch_stop(): lets go of what is under way, and keeps it for the next start. */
void warm_drain(struct fs *fs);

/* --- any thread --- */

/* Takes the items of l, all or none: -EAGAIN: too many are queued already; -EBUSY: too
 * many lists are. durable: kept over a restart. */
int warm_add(struct fs *fs, struct warm_list *l, bool durable);

/* Drops what is queued of a list; NULL: of all. What is under way goes on. */
void warm_cancel(struct fs *fs, const char *name);

/* Something it does not hear of has changed: offline. */
void warm_poke(struct warm *w);

/* lock held: a step of job makes sense. */
void warm_awake(struct warm *w, struct warm_job *job);

void warm_render(struct fs *fs, struct buf *to);

/* Writes the file anew: what is queued and under way. */
void warm_keep(struct warm *w);

/* --- warm_thread.c --- */

void *warm_thread_run(void *fs);

#endif
