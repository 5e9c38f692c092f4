/* want.c - the door: serve what is stored, join who asks already, or start. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/counters.h"
#include "fetch_private.h"
#include "outcome.h"

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

struct transfer *transfer_new(struct fetch *f, enum transfer_kind kind, const char *key)
{
	struct transfer *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->key = strdup(key);
	if (!t->key) {
		free(t);
		return NULL;
	}
	t->fetch = f;
	t->kind = kind;
	atomic_init(&t->refs, 1);
	t->start.kind = MESSAGE_START;
	list_init(&t->start.link);
	list_init(&t->wants);
	list_init(&t->link);
	list_init(&t->record_link);
	t->end = t->target = -1;
	t->retry_after_ms = -1;
	t->socket = CURL_SOCKET_BAD;
	return t;
}

void transfer_unref(struct transfer *t)
{
	if (atomic_fetch_sub(&t->refs, 1) > 1)
		return;
	version_unref(t->answer);
	version_unref(t->meanwhile);
	version_unref(t->stale);
	version_unref(t->v);
	headers_fini(&t->headers);
	decoder_free(t->decoder);
	free(t->location);
	free(t->unresolved);
	free(t->url);
	free(t->key);
	free(t);
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

/* fetch.lock held. */
static void leave(struct transfer *t)
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
		leave(t);
}

/* When it is time to ask again behind; INT64_MAX: not while it is fresh. */
static int64_t ahead_ms(const struct fetch *f, const struct meta *m)
{
	int64_t lifetime = m->fresh_until_ms - m->response_ms;

	if (f->config.refresh_ahead <= 0 || m->flags & META_IMMUTABLE || m->status / 100 != 2 ||
	    m->fresh_until_ms == INT64_MAX || lifetime <= 0)
		return INT64_MAX;
	return m->response_ms + lifetime / 100 * f->config.refresh_ahead;
}

int64_t fetch_fresh_ms(const struct fetch *f, struct version *v)
{
	struct meta *m = version_meta(v);
	int64_t now = clock_wall_ms(), ahead = ahead_ms(f, m);
	int64_t until = now < ahead && ahead < m->fresh_until_ms ? ahead : m->fresh_until_ms;
	int64_t left = m->flags & META_STORE ? until - now : 0;

	meta_unref(m);
	return left > 0 ? left : 0;
}

static void deliver(struct want *w, int err, struct version *v, enum cache_status status,
		    int64_t fresh_ms)
{
	if (!err) {
		struct meta *m = version_meta(v);

		err = m->status / 100 == 2 ? 0 : outcome_errno_of_status(m->status);
		meta_unref(m);
	}
	if (err == -ENOENT)
		status = status == CACHE_HIT ? CACHE_NEGATIVE : status;
	if (err && err != -ENOENT && err != -EINTR)
		count(errors);
	w->status = status;
	w->done(w, err, err ? NULL : version_ref(v), fresh_ms);
}

void transfer_answer(struct transfer *t, int err, struct version *v, enum cache_status status)
{
	struct list wants = LIST_INIT(wants), *first = NULL;
	struct version *old = NULL;
	int64_t fresh_ms;

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
			leave(t);
	}
	version_unref(old);
	fresh_ms = v ? fetch_fresh_ms(t->fetch, v) : 0;
	/* A stale copy stands in for a failing origin: not asked again at once. */
	if (v && status == CACHE_STALE)
		fresh_ms = 1000;
	/* Until it is its turn each can be cancelled. */
	for (;;) {
		WITH_LOCK(&t->fetch->lock)
			first = list_pop(&wants);
		if (!first)
			return;
		deliver(list_entry(first, struct want, link), err, v, status, fresh_ms);
	}
}

/* --- what is stored --- */

enum use { USE_NOT, USE_FRESH, USE_STALE_WHILE_REVALIDATE, USE_STALE };

/* Some of it is not there, nobody fetches that any more (it fell out of a window), and
 * another response could not be told to be the same. */
static bool is_lost(struct version *v)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);

	if (fill_can_compare(m))
		return false;
	return version_state(v) == VERSION_ARRIVING || version_missing(v, 0) < version_length(v);
}

bool fetch_selects(const struct fetch *f, struct version *v)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);

	return policy_selects(f, m, version_key(v));
}

static enum use may_use(const struct fetch *f, struct version *v, unsigned flags)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);
	int64_t now = clock_wall_ms();

	if (version_state(v) == VERSION_FAILED || version_length(v) < 0)
		return USE_NOT;
	if (flags & WANT_CACHED || atomic_load(&f->offline))
		return USE_STALE;
	if (flags & WANT_RELOAD || is_lost(v))
		return USE_NOT;
	if (now < m->fresh_until_ms)
		return USE_FRESH;
	if (now < m->swr_until_ms)
		return USE_STALE_WHILE_REVALIDATE;
	return USE_NOT;
}

static void serve(const struct fetch *f, struct want *w, struct version *v,
		  enum cache_status status)
{
	struct meta *m = version_meta(v);
	bool found = m->status / 100 == 2;

	meta_unref(m);
	if (status != CACHE_HIT)
		count(stale_served);
	else if (found)
		count(hits);
	else
		count(negative_hits);
	version_touch(v);
	deliver(w, 0, v, status, status == CACHE_HIT ? fetch_fresh_ms(f, v) : 0);
}

bool want_stale_may_serve(struct version *v)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);

	return m->status / 100 == 2 && !(m->flags & META_MUST_REVALIDATE) &&
	       clock_wall_ms() < m->sie_until_ms;
}

static void deliver_held(struct want *w, int err)
{
	if (err == -ENOENT)
		count(negative_hosts);
	deliver(w, err, NULL, err == -ENOENT ? CACHE_NEGATIVE : CACHE_MISS, 0);
}

/* The origin does not want to be asked now, or there was none a moment ago. False: it
 * is to be asked. */
static bool answer_held(struct fetch *f, const char *key, struct want *w, struct version *v,
			enum use use)
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
	    (v && version_state(v) != VERSION_FAILED && version_length(v) >= 0 && !is_lost(v) &&
	     want_stale_may_serve(v)))
		serve(f, w, v, CACHE_STALE);
	else
		deliver_held(w, err);
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
		count(coalesced);
		*ret_answer = version_ref(t->answer);
		w->status = t->status;
	} else if (may_be_stale && t->meanwhile &&
		   meanwhile_is_welcome(t->meanwhile, &w->status)) {
		if (w->status == CACHE_HIT)
			count(hits);
		else
			count(stale_served);
		*ret_answer = version_ref(t->meanwhile);
	} else {
		count(coalesced);
		list_append(&t->wants, &w->link);
		w->transfer = t;
	}
}

/* Its beginning fell out of the window, and no other response can bring it back. */
static bool has_lost_its_beginning(struct version *v)
{
	return is_lost(v) && version_missing(v, 0) == 0 && version_stored(v) > 0;
}

/* Its last byte is there: who read it may be back already, before the transfer has ended. */
static bool has_all(struct version *v)
{
	int64_t length = version_length(v);

	return length >= 0 && version_missing(v, 0) >= length;
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
		if (t && t->answered && (version_state(t->answer) != VERSION_ARRIVING ||
					 has_all(t->answer) ||
					 has_lost_its_beginning(t->answer))) {
			leave(t);
			t = NULL;
		}
		*ret_generation = f->generation;
		joined = t != NULL;
		if (t)
			join(t, w, !(flags & WANT_RELOAD), &answer);
	}
	if (answer) {
		deliver(w, 0, answer, w->status, fetch_fresh_ms(f, answer));
		version_unref(answer);
	}
	return joined;
}

/* Starts a transfer for w, or NULL: for nobody (revalidation behind). stale is
 * borrowed. -EAGAIN: things changed since `generation`: look again. */
static int start(struct fetch *f, const char *key, struct want *w, struct version *stale,
		 uint64_t generation)
{
	struct transfer *t = transfer_new(f, TRANSFER_GET, key);
	int err = 0;

	if (!t)
		return -ENOMEM;
	if (stale && !is_lost(stale)) {
		t->stale = version_ref(stale);
		t->meanwhile = version_ref(stale);
	}
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

/* Nobody is to wait later for what is used now. */
static void refresh_ahead(struct fetch *f, const char *key, struct version *v,
			  uint64_t generation)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);
	int64_t now = clock_wall_ms();
	int held = 0;

	if (atomic_load(&f->offline) || !fetch_may_ask(f, key) || now < ahead_ms(f, m))
		return;
	WITH_LOCK(&f->lock)
		held = hold_find(&f->holds, key, now);
	if (!held && start(f, key, NULL, v, generation) == 0)
		count(refreshed_ahead);
}

bool fetch_may_ask(const struct fetch *f, const char *url)
{
	if (!f->config.allow || hosts_match(f->config.allow, url))
		return true;
	return f->config.base_url && url_same_origin(f->config.base_url, url);
}

void fetch_want(struct fetch *f, const char *key, unsigned flags, struct want *w)
{
	list_init(&w->link);
	w->transfer = NULL;
	w->status = CACHE_MISS;
	for (;;) {
		_cleanup_(version_unrefp) struct version *v = NULL;
		uint64_t generation = 0;
		enum use use;
		int err;

		if (!(flags & WANT_CACHED) && try_join(f, key, flags, w, &generation))
			return;
		err = index_find(f->config.index, key, &v);
		/* The answer to another request confirms nothing and stands in for nothing. */
		if (!err && !fetch_selects(f, v)) {
			version_unref(TAKE_PTR(v));
			err = -ENOENT;
		}
		use = err ? USE_NOT : may_use(f, v, flags);
		if (use == USE_FRESH)
			refresh_ahead(f, key, v, generation);
		if (use == USE_FRESH || use == USE_STALE) {
			serve(f, w, v, use == USE_FRESH || fetch_fresh_ms(f, v) ? CACHE_HIT : CACHE_STALE);
			return;
		}
		if (!(flags & (WANT_RELOAD | WANT_CACHED)) && !atomic_load(&f->offline) &&
		    answer_held(f, key, w, v, use))
			return;
		if (flags & WANT_CACHED || atomic_load(&f->offline)) {
			deliver(w, flags & WANT_CACHED ? -ENOENT : -ENETDOWN, NULL, CACHE_MISS, 0);
			return;
		}
		if (!fetch_may_ask(f, key)) {
			count(refused);
			deliver(w, -EACCES, NULL, CACHE_MISS, 0);
			return;
		}
		if (use == USE_STALE_WHILE_REVALIDATE) {
			err = start(f, key, NULL, v, generation);
			serve(f, w, v, err == -EAGAIN ? CACHE_UPDATING : CACHE_STALE);
			return;
		}
		err = start(f, key, w, v, generation);
		if (err == 0) {
			count(misses);
			return;
		}
		if (err != -EAGAIN) {
			deliver(w, err, NULL, CACHE_MISS, 0);
			return;
		}
	}
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

/* --- purge --- */

struct marking {
	const struct target *targets;
	size_t n;
};

static bool any_matches(const char *key, void *arg)
{
	const struct marking *m = arg;

	for (size_t i = 0; i < m->n; i++)
		if (target_matches(&m->targets[i], key, NULL))
			return true;
	return false;
}

static bool concerns(const struct target *t, const struct transfer *transfer)
{
	_cleanup_(meta_unrefp) struct meta *m =
		transfer->answer ? version_meta(transfer->answer) : NULL;

	/* What will come may have any tag. */
	return (t->kind == TARGET_TAG && !m) || target_matches(t, transfer->key, m);
}

static bool mark(struct map_node *node, void *arg)
{
	const struct marking *m = arg;
	struct transfer *t = container_of(node, struct transfer, node);

	for (size_t i = 0; i < m->n && !t->purged; i++)
		t->purged = concerns(&m->targets[i], t);
	return true;
}

static bool next_purged(struct map_node *node, void *arg)
{
	struct transfer *t = container_of(node, struct transfer, node);

	if (!t->purged)
		return true;
	*(struct transfer **)arg = t;
	return false;
}

/* Nothing under way can be joined or published any more (response.c looks at purged
 * under this lock). */
static void leave_matching(struct fetch *f, const struct target *targets, size_t n)
{
	struct marking m = { .targets = targets, .n = n };

	WITH_LOCK(&f->lock) {
		struct transfer *t;

		map_each(&f->inflight, mark, &m);
		hold_drop(&f->holds, any_matches, &m);
		for (;;) {
			t = NULL;
			map_each(&f->inflight, next_purged, &t);
			if (!t)
				break;
			leave(t);
		}
	}
	absent_drop(f, targets, n);
}

int fetch_purge(struct fetch *f, const struct target *targets, size_t n, int64_t *ret_removed)
{
	int err;

	leave_matching(f, targets, n);
	err = index_purge(f->config.index, targets, n, ret_removed);
	if (!err)
		count_by(purged, *ret_removed);
	return err;
}

int fetch_refresh(struct fetch *f, const struct target *targets, size_t n, int64_t *ret_marked)
{
	leave_matching(f, targets, n);
	return index_refresh(f->config.index, targets, n, ret_marked);
}
