#include "inbox.h"

#include <time.h>

void inbox_init(struct inbox *in, void (*wake)(void *), void *arg)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&in->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&in->posted, &attr);
	pthread_condattr_destroy(&attr);
	list_init(&in->messages);
	in->wake = wake;
	in->arg = arg;
}

void inbox_fini(struct inbox *in)
{
	pthread_cond_destroy(&in->posted);
	pthread_mutex_destroy(&in->lock);
}

void inbox_post(struct inbox *in, struct list *message)
{
	bool first = false;

	WITH_LOCK(&in->lock) {
		first = list_empty(&in->messages);
		list_append(&in->messages, message);
		if (first)
			pthread_cond_signal(&in->posted);
	}
	/* Only the first needs to wake: the owner takes all that follow. */
	if (first && in->wake)
		in->wake(in->arg);
}

void inbox_take(struct inbox *in, struct list *to)
{
	WITH_LOCK(&in->lock)
		list_splice(to, &in->messages);
}

void inbox_wait(struct inbox *in, int64_t until_ms, struct list *to)
{
	struct timespec until = {
		.tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000,
	};

	WITH_LOCK(&in->lock) {
		while (list_empty(&in->messages)) {
			if (until_ms < 0)
				pthread_cond_wait(&in->posted, &in->lock);
			else if (pthread_cond_timedwait(&in->posted, &in->lock,
							&until) != 0)
				break;
		}
		list_splice(to, &in->messages);
	}
}
