/* want.c - the door: serve what is stored, join who asks already, or start. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/origins.h"
#include "fetch_private.h"
#include "outcome.h"

#define TOGETHER_MS 1000

const char *cache_status_name(enum cache_status s)
{
	static const char *const names[] = {
		[CACHE_HIT] = "HIT",		[CACHE_MISS] = "MISS",
		[CACHE_STALE] = "STALE",	[CACHE_UPDATING] = "UPDATING",
		[CACHE_REVALIDATED] = "REVALIDATED", [CACHE_EXPIRED] = "EXPIRED",
		[CACHE_BYPASS] = "BYPASS",	[CACHE_NEGATIVE] = "NEGATIVE",
	};

	return names[s];
}

static bool same_key(const struct map_node *node, const void *key)
{
	return strcmp(container_of(node, struct transfer, node)->key, key) == 0;
}

/* fetch.lock held. */
static struct transfer *find_inflight(struct fetch *f, const char *key)
{
	struct map_node *node = map_find(&f->inflight, map_hash_str(key), same_key, key);

	return node ? container_of(node, struct transfer, node) : NULL;
}

void transfer_leave_locked(struct transfer *t)
{
	if (!t->joinable)
		return;
	t->joinable = false;
	map_remove(&t->fetch->inflight, &t->node);
	t->fetch->generation++;
}

void transfer_leave(struct transfer *t)
{
	WITH_LOCK(&t->fetch->lock)
		transfer_leave_locked(t);
}

/* Nobody uses the name now, so it is neither a hit nor a miss. */
static bool is_warm(const struct want *w)
{
	return w->flags & WANT_WARM;
}

static void deliver(const char *key, struct want *w, int err, struct version *v,
		    enum cache_status status, int64_t fresh_ms)
{
	if (!err) {
		struct meta *m = version_meta(v);

		w->http_status = m->status;
		err = m->status / 100 == 2 ? 0 : outcome_errno_of_status(m->status);
		meta_unref(m);
	}
	if (err == -ENOENT)
		status = status == CACHE_HIT ? CACHE_NEGATIVE : status;
	if (err && err != -ENOENT && err != -EINTR && !is_warm(w))
		count_at(key, errors);
	w->status = status;
	w->done(w, err, err ? NULL : version_ref(v), fresh_ms);
}

void transfer_answer(struct transfer *t, int err, struct version *v, enum cache_status status)
{
	struct list wants = LIST_INIT(wants), *first = NULL;
	struct version *old = NULL;
	int64_t fresh_ms;
	struct want *w;

	if (v)
		version_ref(v);
	WITH_LOCK(&t->fetch->lock) {
		old = t->answer;
		t->answered = true;
		t->answer_err = err;
		t->answer = v;
		t->status = status;
		list_splice(&wants, &t->wants);
		if (err)
			transfer_leave_locked(t);
	}
	version_unref(old);
	fresh_ms = v ? stored_fresh_ms(t->fetch, v) : 0;
	/* A stale copy stands in for a failing origin: not asked again at once. */
	if (v && status == CACHE_STALE)
		fresh_ms = 1000;
	/* Until it is its turn each can be cancelled. */
	for (;;) {
		WITH_LOCK(&t->fetch->lock)
			first = list_pop(&wants);
		if (!first)
			return;
		w = list_entry(first, struct want, link);
		/* Thread F's to read, as is each failure. */
		if (err && t->headers_done)
			w->http_status = t->http_status;
		deliver(t->key, w, err, v, status, fresh_ms);
	}
}

/* --- what is stored is served --- */

static void serve(const struct fetch *f, struct want *w, struct version *v,
		  enum cache_status status)
{
	struct meta *m = version_meta(v);
	bool found = m->status / 100 == 2;

	meta_unref(m);
	if (status != CACHE_HIT)
		count_by_at(version_key(v), stale_served, !is_warm(w));
	else if (found)
		count_by_at(version_key(v), hits, !is_warm(w));
	else
		count_by_at(version_key(v), negative_hits, !is_warm(w));
	version_touch(v);
	deliver(version_key(v), w, 0, v, status, status == CACHE_HIT ? stored_fresh_ms(f, v) : 0);
}

static void deliver_held(const char *key, struct want *w, int err)
{
	if (err == -ENOENT)
		count(negative_hosts);
	deliver(key, w, err, NULL, err == -ENOENT ? CACHE_NEGATIVE : CACHE_MISS, 0);
}

/* The origin does not want to be asked now, or there was none a moment ago. False: it
 * is to be asked. */
static bool answer_held(struct fetch *f, const char *key, struct want *w, struct version *v,
			enum stored_use use)
{
	int err = 0;

	WITH_LOCK(&f->lock)
		err = hold_find(&f->holds, key, clock_wall_ms());
	if (err)
		count(held);
	else if (absent_has(f, key))
		err = -ENOENT;
	else
		return false;
	if (use == USE_STALE_WHILE_REVALIDATE ||
	    (v && version_state(v) != VERSION_FAILED && version_length(v) >= 0 && !stored_is_lost(v) &&
	     stored_may_stand_in(v)))
		serve(f, w, v, CACHE_STALE);
	else
		deliver_held(key, w, err);
	return true;
}

/* --- joining and starting --- */

/* What those get who come while it is asked for: as long as it is fresh, or within
 * its window as good as that (RFC 5861 3). False: they wait. */
static bool meanwhile_is_welcome(struct version *v, enum cache_status *ret_status)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);
	int64_t now = clock_wall_ms();

	if (version_state(v) == VERSION_FAILED || version_length(v) < 0)
		return false;
	*ret_status = now < m->fresh_until_ms ? CACHE_HIT : CACHE_UPDATING;
	return now < m->fresh_until_ms || now < m->swr_until_ms;
}

/* fetch.lock held: w is on its way, or *ret_answer says what it gets at once (a
 * reference). */
static void join(struct transfer *t, struct want *w, bool may_be_stale,
		 struct version **ret_answer)
{
	if (t->answered) {
		count_by_at(t->key, coalesced, !is_warm(w));
		*ret_answer = version_ref(t->answer);
		w->status = t->status;
	} else if (may_be_stale && t->meanwhile &&
		   meanwhile_is_welcome(t->meanwhile, &w->status)) {
		if (w->status == CACHE_HIT)
			count_by_at(t->key, hits, !is_warm(w));
		else
			count_by_at(t->key, stale_served, !is_warm(w));
		*ret_answer = version_ref(t->meanwhile);
	} else {
		count_by_at(t->key, coalesced, !is_warm(w));
		list_append(&t->wants, &w->link);
		w->transfer = t;
	}
}

/* Its beginning fell out of the window, and no other response can bring it back. */
static bool has_lost_its_beginning(struct version *v)
{
	return stored_is_lost(v) && version_missing(v, 0) == 0 && version_stored(v) > 0;
}

/* Or failed. Readers may have had its last byte before its state says so. */
static bool has_ended(struct version *v)
{
	int64_t length = version_length(v);

	return version_state(v) != VERSION_ARRIVING ||
	       (length >= 0 && version_missing(v, 0) == length);
}

/* Whoever comes now is to ask, though the body may still be on its way: that it was asked for
 * together holds for those who came at about the same time. An open is more than one LOOKUP. */
static bool has_become_stale(struct version *v)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);
	int64_t now = clock_wall_ms();

	return now >= m->fresh_until_ms && now > m->response_ms + TOGETHER_MS;
}

/* False: nobody fetches it. */
static bool try_join(struct fetch *f, const char *key, unsigned flags, struct want *w,
		     uint64_t *ret_generation)
{
	struct version *answer = NULL;
	bool joined = false;

	WITH_LOCK(&f->lock) {
		struct transfer *t = find_inflight(f, key);

		/* Once its body is whole (or failed) there is nothing to share any more:
		 * what may be used again is found in the index. */
		if (t && t->answered && (has_ended(t->answer) || has_become_stale(t->answer) ||
					 has_lost_its_beginning(t->answer))) {
			transfer_leave_locked(t);
			t = NULL;
		}
		*ret_generation = f->generation;
		joined = t != NULL;
		if (t)
			join(t, w, !(flags & WANT_RELOAD), &answer);
	}
	if (answer) {
		deliver(key, w, 0, answer, w->status, stored_fresh_ms(f, answer));
		version_unref(answer);
	}
	return joined;
}

/* Starts a transfer for w, or NULL: for nobody (revalidation behind). url: what is sent
 * for it; NULL: the key. stale is borrowed. -EAGAIN: things changed since `generation`:
 * look again. */
static int start(struct fetch *f, const char *key, const char *url, struct want *w,
		 struct version *stale, uint64_t generation)
{
	struct transfer *t = transfer_new(f, TRANSFER_GET, key, url);
	int err = 0;

	if (!t)
		return -ENOMEM;
	if (stale && !stored_is_lost(stale)) {
		t->stale = version_ref(stale);
		t->meanwhile = version_ref(stale);
	}
	t->warm = w && is_warm(w);
	t->promise = index_find_promise(f->config.index, key);
	WITH_LOCK(&f->lock) {
		if (f->generation != generation || find_inflight(f, key))
			err = -EAGAIN;
		else if (atomic_load(&f->stopping))
			err = -EINTR;
		else
			err = map_add(&f->inflight, &t->node, map_hash_str(key));
		if (err)
			break;
		t->joinable = true;
		if (w) {
			list_append(&t->wants, &w->link);
			w->transfer = t;
		}
	}
	if (err) {
		transfer_unref(t);
		return err;
	}
	inbox_post(&f->inbox, &t->start.link);
	return 0;
}

/* Thread F. What is on its way with its headers to come may keep the promise as well. */
int transfer_start_promised(struct fetch *f, struct version *v)
{
	const char *key = version_key(v);
	uint64_t generation = 0;
	bool under_way = false;

	WITH_LOCK(&f->lock) {
		struct transfer *t = find_inflight(f, key);

		if (t && (t->answered || t->v)) {
			transfer_leave_locked(t);
			t = NULL;
		}
		generation = f->generation;
		under_way = t != NULL;
		if (t && t->promise != v) {
			version_unref(t->promise);
			t->promise = version_ref(v);
		}
	}
	return under_way ? 0 : start(f, key, NULL, NULL, NULL, generation);
}

/* Nobody is to wait later for what is used now. */
static void refresh_ahead(struct fetch *f, const char *key, const char *url,
			  struct version *v, uint64_t generation)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);
	int64_t now = clock_wall_ms();
	int held = 0;

	if (atomic_load(&f->offline) || !fetch_may_ask(f, key, key) ||
	    now < stored_ahead_ms(fetch_policy(f, key), m))
		return;
	WITH_LOCK(&f->lock)
		held = hold_find(&f->holds, key, now);
	if (!held && start(f, key, url, NULL, v, generation) == 0)
		count(refreshed_ahead);
}

bool fetch_may_ask(const struct fetch *f, const char *key, const char *url)
{
	if (f->config.allow ? hosts_match(f->config.allow, url) : f->config.base_url != NULL)
		return true;
	if (f->config.base_url)
		return url_same_origin(f->config.base_url, url);
	return policies_own(f->config.policies, key, url);
}

/* url: what is sent for it; NULL: the key. */
static void want(struct fetch *f, const char *key, const char *url, unsigned flags,
		 struct want *w)
{
	const struct policy *policy = fetch_policy(f, key);

	header_file_look(policy->header_file);
	for (;;) {
		_cleanup_(version_unrefp) struct version *v = NULL;
		uint64_t generation = 0;
		enum stored_use use;
		int err;

		if (!(flags & WANT_CACHED) && try_join(f, key, flags, w, &generation))
			return;
		err = stored_find(f, policy, key, flags, &v);
		use = err ? USE_NOT : stored_may_use(f, v, flags);
		if (use == USE_FRESH)
			refresh_ahead(f, key, url, v, generation);
		if (use == USE_FRESH || use == USE_STALE) {
			serve(f, w, v, use == USE_FRESH || stored_fresh_ms(f, v) ? CACHE_HIT : CACHE_STALE);
			return;
		}
		if (!(flags & (WANT_RELOAD | WANT_CACHED)) && !atomic_load(&f->offline) &&
		    answer_held(f, key, w, v, use))
			return;
		if (flags & WANT_CACHED || atomic_load(&f->offline)) {
			deliver(key, w, flags & WANT_CACHED ? -ENOENT : -ENETDOWN, NULL, CACHE_MISS,
				0);
			return;
		}
		if (!fetch_may_ask(f, key, key)) {
			count(refused);
			deliver(key, w, -EACCES, NULL, CACHE_MISS, 0);
			return;
		}
		if (use == USE_STALE_WHILE_REVALIDATE) {
			err = start(f, key, url, NULL, v, generation);
			serve(f, w, v, err == -EAGAIN ? CACHE_UPDATING : CACHE_STALE);
			return;
		}
		err = start(f, key, url, w, v, generation);
		if (err == 0) {
			/* w was answered, maybe, and is gone. */
			count_by_at(key, misses, !(flags & WANT_WARM));
			return;
		}
		if (err != -EAGAIN) {
			deliver(key, w, err, NULL, CACHE_MISS, 0);
			return;
		}
	}
}

void fetch_want(struct fetch *f, const char *url, unsigned flags, struct want *w)
{
	_cleanup_(cleanup_free) char *key = NULL;

	list_init(&w->link);
	w->transfer = NULL;
	w->flags = flags;
	w->status = CACHE_MISS;
	w->http_status = 0;
	if (policies_key(f->config.policies, url, &key) < 0)
		deliver(url, w, -ENOMEM, NULL, CACHE_MISS, 0);
	else
		want(f, key ? key : url, key ? url : NULL, flags, w);
}

bool fetch_cancel(struct fetch *f, struct want *w)
{
	bool queued;

	WITH_LOCK(&f->lock) {
		queued = !list_empty(&w->link);
		list_remove(&w->link);
	}
	return queued;
}

void fetch_need(struct fetch *f, struct version *v, int64_t off, int64_t end)
{
	struct message *m = calloc(1, sizeof *m);

	if (!m)
		return;		/* its reader waits until the stream gets there */
	m->kind = MESSAGE_NEED;
	m->v = version_ref(v);
	m->off = off;
	m->end = end;
	inbox_post(&f->inbox, &m->link);
}
