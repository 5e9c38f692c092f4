/* inbox.h - messages to one thread.
 *
 * Any thread posts; the owner takes all at once. The owner sleeps either in
 * inbox_wait(), or elsewhere (epoll) with `wake` set to what wakes it there. */
#ifndef BASE_INBOX_H
#define BASE_INBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "list.h"

struct inbox {
	pthread_mutex_t lock;		/* leaf: nothing is taken under it */
	pthread_cond_t posted;		/* CLOCK_MONOTONIC */
	struct list messages;		/* guarded by lock */
	void (*wake)(void *arg);	/* constant; called with no lock held */
	void *arg;
};

void inbox_init(struct inbox *in, void (*wake)(void *), void *arg);
void inbox_fini(struct inbox *in);

/* Queues the message, lent until the owner took it. */
void inbox_post(struct inbox *in, struct list *message);

/* Moves all messages to the end of `to`. */
void inbox_take(struct inbox *in, struct list *to);

/* As inbox_take, but first waits until there is a message, or until
 * clock_mono_ms() reaches until_ms (-1: no limit). */
void inbox_wait(struct inbox *in, int64_t until_ms, struct list *to);

#endif
