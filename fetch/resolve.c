/* resolve.c - why the name of a host could not be resolved: there is no such host, or its
 * name servers cannot tell now.
 *
 * curl only says that it could not. So the system's resolver is asked once more, which
 * has just been asked and often knows by now; in a thread of its own, since it may take
 * long. Transfers to the same host wait for the same answer, but not for ever.
 *
 * Thread F, but for the question itself. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "fetch_private.h"
#include "outcome.h"

#define LIMIT_MS 5000	/* after that it is taken that they cannot tell */

/* Outlives thread F: nobody can end a thread that waits for a name server. */
struct resolver {
	pthread_mutex_t lock;		/* before that of the inbox */
	int refs;			/* guarded by lock */
	struct inbox *inbox;		/* guarded by lock; NULL: nobody waits any more */
};

struct question {
	struct message message;		/* to thread F, with the answer */
	struct resolver *resolver;	/* a reference of the thread's */
	int err;
	char host[];
};

int resolver_open(struct fetch *f)
{
	struct resolver *r = calloc(1, sizeof *r);

	if (!r)
		return -ENOMEM;
	pthread_mutex_init(&r->lock, NULL);
	r->refs = 1;
	r->inbox = &f->inbox;
	f->resolver = r;
	return 0;
}

static void unref(struct resolver *r)
{
	bool last = false;

	WITH_LOCK(&r->lock)
		last = --r->refs == 0;
	if (!last)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void resolver_close(struct fetch *f)
{
	struct resolver *r = TAKE_PTR(f->resolver);

	if (!r)
		return;
	WITH_LOCK(&r->lock)
		r->inbox = NULL;
	unref(r);
}

/* --- the thread that asks --- */

static void *ask(void *arg)
{
	struct question *q = arg;
	struct resolver *r = q->resolver;
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	bool posted = false;
	int gai = getaddrinfo(q->host, NULL, &hints, &found);

	if (gai == 0)
		freeaddrinfo(found);
	q->err = outcome_errno_of_dns(gai);
	WITH_LOCK(&r->lock)
		if (r->inbox) {
			inbox_post(r->inbox, &q->message.link);
			posted = true;
		}
	if (!posted)
		free(q);
	unref(r);
	return NULL;
}

static int start(struct fetch *f, const char *host)
{
	struct question *q = calloc(1, sizeof *q + strlen(host) + 1);
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (!q)
		return -ENOMEM;
	q->message.kind = MESSAGE_RESOLVED;
	list_init(&q->message.link);
	q->resolver = f->resolver;
	memcpy(q->host, host, strlen(host) + 1);
	WITH_LOCK(&f->resolver->lock)
		f->resolver->refs++;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, ask, q);
	pthread_attr_destroy(&attr);
	if (!err)
		return 0;
	free(q);
	unref(f->resolver);
	return -err;
}

/* --- those who wait for it --- */

static bool is_being_asked(struct fetch *f, const char *host)
{
	struct transfer *t;

	list_for_each(t, &f->waiting, link)
		if (t->unresolved && strcmp(t->unresolved, host) == 0)
			return true;
	return false;
}

bool resolve_why(struct transfer *t)
{
	struct url url;
	const char *reason;
	bool asked = false;

	if (atomic_load(&t->fetch->stopping) || url_parse(t->url, &url, &reason) < 0)
		return false;
	if (is_being_asked(t->fetch, url.host) || start(t->fetch, url.host) == 0) {
		t->unresolved = TAKE_PTR(url.host);
		t->retry_at_ms = clock_mono_ms() + LIMIT_MS;
		asked = true;
	}
	url_fini(&url);
	return asked;
}

static struct transfer *next_that_waits(struct fetch *f, const char *host)
{
	struct transfer *t;

	list_for_each(t, &f->waiting, link)
		if (t->unresolved && strcmp(t->unresolved, host) == 0)
			return t;
	return NULL;
}

struct transfer *resolve_late(struct fetch *f, int64_t now_ms)
{
	struct transfer *t;

	list_for_each(t, &f->waiting, link)
		if (t->unresolved && t->retry_at_ms <= now_ms)
			return t;
	return NULL;
}

void resolve_answer(struct fetch *f, struct message *m)
{
	struct question *q = container_of(m, struct question, message);
	struct transfer *t;

	/* An address is known by now: the next one finds it. */
	while ((t = next_that_waits(f, q->host)) != NULL) {
		if (q->err == -ENOENT)
			absent_add(f, q->host, t->policy->negative_ttl_ms);
		transfer_abort(t, q->err ? q->err : -EHOSTUNREACH);
	}
	free(q);
}

void resolve_drop(struct message *m)
{
	free(container_of(m, struct question, message));
}
