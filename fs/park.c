/* Who answers a parked request is who takes it from what it waits for.
 *
 * A want is taken by its callback or by fetch_cancel(); a waiter by its wake or by
 * version_cancel(). An interrupt may come before the request waits for anything (it
 * is armed first): then it only leaves word, and whoever made it wait takes it back.
 *
 * References: one of who is to answer, and one of each function that goes on to use
 * the request after another thread may have answered it. */
#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>

#include "../base/access_log.h"
#include "../base/clock.h"
#include "../base/origins.h"
#include "access.h"
#include "park.h"
#include "reply.h"

enum parked_state {
	PARKED_ARMED,		/* not waiting yet, or busy */
	PARKED_WAITING,		/* a want was handed over: may be cancelled */
	PARKED_INTERRUPTED,
};

struct parked {
	struct list link;		/* park.all; guarded by park.lock */
	bool drained;			/* guarded by park.lock */
	struct fs *fs;
	struct fuse_req *req;
	_Atomic int refs;
	_Atomic int state;		/* enum parked_state */

	/* For a want. */
	park_answer *answer;		/* NULL: waits for something else */
	void *arg;
	struct want want;
	char *key;			/* NULL: nobody logs it */
	int64_t since_ns;

	/* For a directory's names; and arg. */
	park_list_answer *list_answer;
	struct dir_want dir_want;

	/* For bytes. */
	struct version *version;
	int64_t off;
	size_t len;
	struct waiter waiter;
};

int park_init(struct park *p)
{
	list_init(&p->all);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->left, NULL);
	return 0;
}

void park_fini(struct park *p)
{
	pthread_cond_destroy(&p->left);
	pthread_mutex_destroy(&p->lock);
}

static struct parked *parked_new(struct fs *fs, struct fuse_req *req)
{
	struct parked *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->fs = fs;
	p->req = req;
	atomic_init(&p->refs, 1);
	atomic_init(&p->state, PARKED_ARMED);
	list_init(&p->link);
	list_init(&p->want.link);
	list_init(&p->dir_want.link);
	list_init(&p->waiter.link);
	WITH_LOCK(&fs->park.lock)
		list_append(&fs->park.all, &p->link);
	count(parked);
	return p;
}

static void parked_ref(struct parked *p)
{
	atomic_fetch_add(&p->refs, 1);
}

static void parked_unref(struct parked *p)
{
	if (atomic_fetch_sub(&p->refs, 1) != 1)
		return;
	version_unref(p->version);
	free(p->arg);
	free(p->key);
	free(p);
}

/* The reply was sent: gives the answerer's reference back. */
static void leave(struct parked *p)
{
	struct park *park = &p->fs->park;

	count_by(parked, -1);
	WITH_LOCK(&park->lock) {
		list_remove(&p->link);
		if (list_empty(&park->all))
			pthread_cond_broadcast(&park->left);
	}
	parked_unref(p);
}

static void disarm(struct parked *p)
{
	fuse_req_interrupt_func(p->req, NULL, NULL);
}

/* True: the caller is to answer. */
static bool take_back(struct parked *p)
{
	if (p->answer)
		return fetch_cancel(p->fs->fetch, &p->want);
	if (p->list_answer)
		return fetch_list_cancel(p->fs->fetch, &p->dir_want);
	return version_cancel(p->version, &p->waiter);
}

static void answer_interrupted(struct parked *p)
{
	count(interrupted);
	if (p->key)
		access_note(p->req, p->key, -EINTR, NULL, CACHE_MISS, 0, p->since_ns);
	reply_err(p->req, -EINTR);
	leave(p);
}

/* Leaves word. True: it waits already, so the caller is to take it back. */
static bool interrupt(struct parked *p)
{
	return atomic_exchange(&p->state, PARKED_INTERRUPTED) == PARKED_WAITING;
}

/* libfuse holds the request's lock, and a count on it unless we are still arming. */
static void on_interrupt(fuse_req_t req, void *data)
{
	struct parked *p = data;
	bool waiting = interrupt(p);

	(void)req;
	/* A waiter that is not queued cannot be taken back, a want can only be once it
	 * was handed over. */
	if ((waiting || (!p->answer && !p->list_answer)) && take_back(p))
		answer_interrupted(p);
}

/* What it waits for may have ended since, or an interrupt left word. */
static void now_waiting(struct parked *p)
{
	int armed = PARKED_ARMED;

	if (atomic_compare_exchange_strong(&p->state, &armed, PARKED_WAITING))
		return;
	if (armed == PARKED_INTERRUPTED && take_back(p)) {
		disarm(p);
		answer_interrupted(p);
	}
}

/* --- wants --- */

static void want_done(struct want *w, int err, struct version *v, int64_t fresh_ms)
{
	struct parked *p = container_of(w, struct parked, want);
	struct version *owned _cleanup_(version_unrefp) = v;

	disarm(p);
	if (p->key)
		access_note(p->req, p->key, err, v, w->status, w->http_status, p->since_ns);
	p->answer(p->fs, p->req, p->arg, err, owned, fresh_ms, w->status);
	leave(p);
}

void park_want(struct fs *fs, struct fuse_req *req, const char *key, unsigned want_flags,
	       park_answer *answer, void *arg)
{
	struct parked *p = parked_new(fs, req);

	if (!p) {
		free(arg);
		reply_err(req, -ENOMEM);
		return;
	}
	p->answer = answer;
	p->arg = arg;
	p->want.done = want_done;
	if (access_log_wanted()) {
		p->key = strdup(key);
		p->since_ns = clock_mono_ns();
	}
	parked_ref(p);
	fuse_req_interrupt_func(req, on_interrupt, p);
	fetch_want(fs->fetch, key, want_flags, &p->want);
	now_waiting(p);
	parked_unref(p);
}

/* --- names --- */

static void list_done(struct dir_want *w, int err, struct dirlist *d)
{
	struct parked *p = container_of(w, struct parked, dir_want);

	disarm(p);
	p->list_answer(p->fs, p->req, p->arg, err, d);
	dirlist_unref(d);
	leave(p);
}

void park_list(struct fs *fs, struct fuse_req *req, const char *key, park_list_answer *answer,
	       void *arg)
{
	struct parked *p = parked_new(fs, req);

	if (!p) {
		free(arg);
		reply_err(req, -ENOMEM);
		return;
	}
	p->list_answer = answer;
	p->arg = arg;
	p->dir_want.done = list_done;
	parked_ref(p);
	fuse_req_interrupt_func(req, on_interrupt, p);
	fetch_list(fs->fetch, key, &p->dir_want);
	now_waiting(p);
	parked_unref(p);
}

/* --- bytes --- */

static void read_failed(struct fuse_req *req, struct version *v, int err)
{
	if (err != -ENOENT && err != -EINTR)
		origin_add(version_key(v), ORIGIN_errors, 1);
	reply_failed(req, err);
}

/* Ends the request, or queues it. The caller holds what makes it the answerer. */
static void read_on(struct parked *p)
{
	struct fs *fs = p->fs;
	int64_t length = version_length(p->version), end = p->off + (int64_t)p->len;
	struct bytes b;
	int r;

	parked_ref(p);
	r = atomic_load(&p->state) == PARKED_INTERRUPTED ?
		-EINTR :
		version_read(p->version, p->off, p->len, &p->waiter, &b);
	if (r == -EAGAIN) {
		fetch_need(fs->fetch, p->version, p->off,
			   length >= 0 && end > length ? length : end);
		/* Word left while it was not queued yet; on_interrupt() takes back what
		 * it finds queued. */
		if (atomic_load(&p->state) == PARKED_INTERRUPTED && take_back(p))
			r = -EINTR;
	}
	if (r != -EAGAIN) {
		disarm(p);
		if (r == -EINTR)
			answer_interrupted(p);
		else {
			if (r < 0)
				read_failed(p->req, p->version, r);
			else
				reply_bytes(p->req, &b);
			leave(p);
		}
	}
	parked_unref(p);
}

static void woken(struct waiter *w)
{
	read_on(container_of(w, struct parked, waiter));
}

void park_read(struct fs *fs, struct fuse_req *req, struct version *v, int64_t off,
	       size_t len)
{
	struct parked *p;
	struct bytes b;
	int r = version_read(v, off, len, NULL, &b);

	if (r == 0) {
		reply_bytes(req, &b);
		return;
	}
	if (r != -EAGAIN) {
		read_failed(req, v, r);
		return;
	}
	p = parked_new(fs, req);
	if (!p) {
		reply_err(req, -ENOMEM);
		return;
	}
	p->version = version_ref(v);
	p->off = off;
	p->len = len;
	p->waiter.wake = woken;
	/* The word of an interrupt is looked at before and after each time it queues. */
	fuse_req_interrupt_func(req, on_interrupt, p);
	read_on(p);
}

/* --- the end --- */

static struct parked *next_to_drain(struct park *park)
{
	struct parked *p, *found = NULL;

	WITH_LOCK(&park->lock) {
		list_for_each(p, &park->all, link)
			if (!p->drained) {
				found = p;
				break;
			}
		if (found) {
			found->drained = true;
			parked_ref(found);
		}
	}
	return found;
}

void park_drain(struct fs *fs)
{
	struct park *park = &fs->park;
	struct parked *p;

	while ((p = next_to_drain(park))) {
		interrupt(p);
		if (take_back(p)) {
			disarm(p);
			answer_interrupted(p);
		}
		parked_unref(p);
	}
	WITH_LOCK(&park->lock)
		while (!list_empty(&park->all))
			pthread_cond_wait(&park->left, &park->lock);
}
