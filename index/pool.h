/* pool.h - threads C: slow work on bodies, in order of arrival. */
#ifndef INDEX_POOL_H
#define INDEX_POOL_H

#include <pthread.h>
#include <stdbool.h>

#include "../base/list.h"

#define POOL_THREADS 2

/* Embed it; lent from pool_post() until run is called. */
struct job {
	struct list link;
	void (*run)(struct job *job);	/* thread C, no lock held */
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t posted, idle;
	struct list jobs;
	int busy;			/* threads inside run() */
	bool stopping;
	pthread_t threads[POOL_THREADS];
	int n_threads;
};

int pool_start(struct pool *p);
void pool_stop(struct pool *p);		/* runs what was posted, then ends the threads */
void pool_post(struct pool *p, struct job *job);	/* any thread */
void pool_drain(struct pool *p);	/* waits until nothing is queued or running */

#endif
