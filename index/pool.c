#include "pool.h"

#include <errno.h>

#include "../base/cleanup.h"

static bool is_empty(struct pool *p)
{
	return list_empty(&p->short_jobs) && list_empty(&p->long_jobs);
}

static void *pool_main(void *arg)
{
	struct pool *p = arg;
	bool short_only;

	pthread_mutex_lock(&p->lock);
	short_only = p->started++ == 0;
	for (;;) {
		struct list *next = list_pop(&p->short_jobs);

		if (!next && !short_only)
			next = list_pop(&p->long_jobs);
		if (!next && p->stopping)
			break;
		if (!next) {
			pthread_cond_wait(&p->posted, &p->lock);
			continue;
		}
		p->busy++;
		pthread_mutex_unlock(&p->lock);
		list_entry(next, struct job, link)->run(list_entry(next, struct job, link));
		pthread_mutex_lock(&p->lock);
		if (--p->busy == 0 && is_empty(p))
			pthread_cond_broadcast(&p->idle);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int pool_start(struct pool *p)
{
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->posted, NULL);
	pthread_cond_init(&p->idle, NULL);
	list_init(&p->short_jobs);
	list_init(&p->long_jobs);
	p->busy = p->started = 0;
	p->stopping = false;
	for (p->n_threads = 0; p->n_threads < POOL_THREADS; p->n_threads++) {
		int err = pthread_create(&p->threads[p->n_threads], NULL, pool_main, p);

		if (err) {
			pool_stop(p);
			return -err;
		}
	}
	return 0;
}

void pool_stop(struct pool *p)
{
	WITH_LOCK(&p->lock) {
		p->stopping = true;
		pthread_cond_broadcast(&p->posted);
	}
	for (int i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->posted);
	pthread_cond_destroy(&p->idle);
	pthread_mutex_destroy(&p->lock);
}

void pool_post(struct pool *p, struct job *job)
{
	WITH_LOCK(&p->lock) {
		list_append(&p->short_jobs, &job->link);
		pthread_cond_signal(&p->posted);
	}
}

void pool_post_long(struct pool *p, struct job *job)
{
	WITH_LOCK(&p->lock) {
		list_append(&p->long_jobs, &job->link);
		/* All, as one of them does not take it. */
		pthread_cond_broadcast(&p->posted);
	}
}

void pool_drain(struct pool *p)
{
	WITH_LOCK(&p->lock)
		while (p->busy || !is_empty(p))
			pthread_cond_wait(&p->idle, &p->lock);
}
