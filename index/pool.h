/* pool.h - threads C: slow work on bodies. Short jobs first, each kind in order of arrival;
 * one thread does short jobs alone, so that none of them waits for a long one. */
#ifndef INDEX_POOL_H
#define INDEX_POOL_H

#include <pthread.h>
#include <stdbool.h>

#include "../base/list.h"

#define POOL_THREADS 3

/* Embed it; lent from pool_post() until run is called. */
struct job {
	struct list link;
	void (*run)(struct job *job);	/* thread C, no lock held */
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t posted, idle;
	struct list short_jobs, long_jobs;
	int busy;			/* threads inside run() */
	int started;			/* threads */
	bool stopping;
	pthread_t threads[POOL_THREADS];
	int n_threads;
};

int pool_start(struct pool *p);
void pool_stop(struct pool *p);		/* runs what was posted, then ends the threads */
void pool_post(struct pool *p, struct job *job);	/* any thread; takes milliseconds at most */
void pool_post_long(struct pool *p, struct job *job);	/* takes as long as it likes */
void pool_drain(struct pool *p);	/* waits until nothing is queued or running */

#endif
