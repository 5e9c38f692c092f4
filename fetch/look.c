/* look.c - what is being fetched now, told by thread F, which alone knows.
 *
 * Who asks waits with a limit: thread F may be held up by a name server while a
 * transfer to it is ended, and a page of numbers is not worth a worker. So both
 * hold the question, and the last of them frees it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "fetch_private.h"

#define LOOK_LIMIT_S 2

struct look {
	struct message message;
	pthread_mutex_t lock;		/* leaf */
	pthread_cond_t told;		/* CLOCK_MONOTONIC */

	/* guarded by lock */
	int refs;
	bool done;
	int err;
	struct fetch_transfer *list;
	size_t n;
};

static const char *kind_name(const struct transfer *t)
{
	const char *fragment = strchr(t->key, '#');

	if (fragment)
		return strcmp(fragment, FETCH_HEAD) == 0 ? "head" : "list";
	return t->kind == TRANSFER_RANGE ? "range" : t->warm ? "warm" : "get";
}

static const char *state_name(enum transfer_state state)
{
	static const char *const names[] = {
		[TRANSFER_QUEUED] = "queued",	[TRANSFER_WAITING] = "retrying",
		[TRANSFER_RUNNING] = "running", [TRANSFER_PAUSED] = "paused",
		[TRANSFER_ENDED] = "ended",
	};

	return names[state];
}

static void look_unref(struct look *l)
{
	bool last = false;

	WITH_LOCK(&l->lock)
		last = --l->refs == 0;
	if (!last)
		return;
	fetch_transfers_free(l->list, l->n);
	pthread_cond_destroy(&l->told);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static struct look *look_new(void)
{
	struct look *l = calloc(1, sizeof *l);
	pthread_condattr_t attr;

	if (!l)
		return NULL;
	l->message.kind = MESSAGE_LOOK;
	list_init(&l->message.link);
	l->refs = 2;
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->told, &attr);
	pthread_condattr_destroy(&attr);
	return l;
}

/* --- thread F --- */

static int add(const struct transfer *t, struct fetch_transfer **list, size_t *n)
{
	struct fetch_transfer *grown;
	char *key;

	/* Doubled whenever n is a power of two. */
	if ((*n & (*n - 1)) == 0) {
		grown = reallocarray(*list, *n ? *n * 2 : 1, sizeof *grown);
		if (!grown)
			return -ENOMEM;
		*list = grown;
	}
	key = strndup(t->key, strcspn(t->key, "#"));
	if (!key)
		return -ENOMEM;
	(*list)[(*n)++] = (struct fetch_transfer){
		.key = key,
		.kind = kind_name(t),
		.state = state_name(t->state),
		.from = t->from,
		.bytes = t->pos > t->from ? t->pos - t->from : 0,
		.length = t->v ? version_length(t->v) : -1,
		.age_ms = clock_mono_ms() - t->begun_ms,
		.retries = t->attempt,
	};
	return 0;
}

void look_answer(struct fetch *f, struct message *m)
{
	struct look *l = container_of(m, struct look, message);
	struct list *lists[] = { &f->active, &f->waiting, &f->queued };
	struct fetch_transfer *found = NULL;
	struct transfer *t;
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		list_for_each(t, lists[i], link)
			if (!err)
				err = add(t, &found, &n);
	WITH_LOCK(&l->lock) {
		l->done = true;
		l->err = err;
		l->list = found;
		l->n = n;
		pthread_cond_signal(&l->told);
	}
	look_unref(l);
}

void look_drop(struct message *m)
{
	look_unref(container_of(m, struct look, message));
}

/* --- any thread --- */

void fetch_transfers_free(struct fetch_transfer *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i].key);
	free(list);
}

int fetch_transfers(struct fetch *f, struct fetch_transfer **ret, size_t *ret_n)
{
	struct look *l = look_new();
	struct timespec until;
	int err = 0;

	if (!l)
		return -ENOMEM;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOOK_LIMIT_S;
	inbox_post(&f->inbox, &l->message.link);
	WITH_LOCK(&l->lock) {
		while (!l->done && err != ETIMEDOUT)
			err = pthread_cond_timedwait(&l->told, &l->lock, &until);
		err = l->done ? l->err : -ETIMEDOUT;
		if (err)
			break;
		*ret = TAKE_PTR(l->list);
		*ret_n = l->n;
		l->n = 0;
	}
	look_unref(l);
	return err;
}
