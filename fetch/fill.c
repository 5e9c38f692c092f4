/* fill.c - bytes that readers wait for: let a stream run, or ask for a range.
 *
 * A stream (a GET of the rest of the body) runs FETCH_AHEAD before its readers
 * and pauses. A need far from every stream is a Range request, small for random
 * readers, growing for sequential ones until it is a stream again. Thread F. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "fetch_private.h"

enum {
	RANGE_MIN = 64 * 1024,
	RANGE_STREAM = 2 * 1024 * 1024,	/* from this size on it is a stream */
};

/* One without quotes is sent back in If-None-Match as it came, but in If-Range it
 * would be taken for a date. */
bool fill_is_strong(const char *etag)
{
	size_t n = etag ? strlen(etag) : 0;

	return n >= 2 && etag[0] == '"' && etag[n - 1] == '"';
}

bool fill_can_compare(const struct meta *m)
{
	return !(m->flags & META_DECODED) &&
	       (fill_is_strong(m->etag) || (m->last_modified && !(m->flags & META_WEAK_DATE)));
}

bool fill_can_range(const struct meta *m)
{
	return (m->flags & META_RANGES) && fill_can_compare(m);
}

/* --- streams --- */

static bool is_stream_of(const struct transfer *t, const struct version *v)
{
	return t->v == v && t->state != TRANSFER_ENDED && t->state != TRANSFER_WAITING;
}

/* Somebody waits for bytes up to there. */
static void aim(struct transfer *t, int64_t end)
{
	if (end <= t->target)
		return;
	t->target = end;
	narrow_end(t);
}

/* How far t may go: a window ahead of what was asked of it (readers elsewhere in
 * the body are no reason); before that, only the beginning of a large body. */
static int64_t window_end(struct transfer *t)
{
	int64_t end = 0, from = version_wanted(t->v, t->pos, &end);

	if (from >= 0 && from - t->pos <= FETCH_NEAR)
		aim(t, end);
	return t->target > 0 ? t->target + FETCH_AHEAD : FETCH_FIRST;
}

void fill_flush(struct fetch *f)
{
	struct transfer *t = f->unflushed;
	int64_t length;

	f->unflushed = NULL;
	if (!t)
		return;
	version_flush(f->config.index);
	length = version_length(t->v);
	if (length >= 0 && version_missing(t->v, 0) == length)
		transfer_complete(t);
}

/* A stream that could not be taken up again runs to its end. */
static bool may_go_on(struct transfer *t)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(t->v);

	return version_room(t->v, t->pos) > 0 &&
	       (version_length(t->v) <= FETCH_WHOLE || !fill_can_range(m) ||
		t->pos < window_end(t));
}

void fill_adjust(struct transfer *t)
{
	if (t->end >= 0 || version_length(t->v) < 0 || version_state(t->v) != VERSION_ARRIVING ||
	    may_go_on(t))
		return;
	/* Who waits for what is kept back wants what comes behind it next. */
	fill_flush(t->fetch);
	if (version_state(t->v) == VERSION_ARRIVING && !may_go_on(t))
		transfer_pause(t);
}

/* Up to there t goes in any case: others wait for it. */
static int64_t promised(const struct transfer *t)
{
	return t->target > t->pos ? t->target : t->pos;
}

/* The transfer that gets to `from` soonest without a new request. */
static struct transfer *find_stream(struct fetch *f, struct version *v, int64_t from,
				    int64_t near)
{
	struct list *lists[] = { &f->active, &f->queued };
	struct transfer *best = NULL, *t;

	for (size_t i = 0; i < 2; i++)
		list_for_each(t, lists[i], link) {
			if (!is_stream_of(t, v) || t->pos > from || from - promised(t) > near ||
			    (t->end >= 0 && t->end <= from))
				continue;
			if (!best || t->pos > best->pos)
				best = t;
		}
	return best;
}

/* Whether something is under way that gets to `from` some time. */
static bool some_stream_before(struct fetch *f, const struct version *v, int64_t from)
{
	struct list *lists[] = { &f->active, &f->queued, &f->waiting };
	struct transfer *t;

	for (size_t i = 0; i < 3; i++)
		list_for_each(t, lists[i], link)
			if (t->v == v && t->state != TRANSFER_ENDED && t->pos <= from)
				return true;
	return false;
}

bool fill_any_transfer(struct fetch *f, const struct version *v)
{
	struct list *lists[] = { &f->active, &f->queued, &f->waiting };
	struct transfer *t;

	for (size_t i = 0; i < 3; i++)
		list_for_each(t, lists[i], link)
			if (t->v == v && t->state != TRANSFER_ENDED)
				return true;
	return false;
}

/* --- ranges --- */

static int64_t next_size(struct fetch *f, uint64_t ino, int64_t off, int64_t end)
{
	struct pattern *p = &f->patterns[ino % (sizeof f->patterns / sizeof *f->patterns)];
	bool sequential = p->ino == ino && off >= p->last_end && off - p->last_end <= RANGE_MIN;

	p->size = sequential ? p->size * 2 : RANGE_MIN;
	if (p->size > 2 * RANGE_STREAM)
		p->size = 2 * RANGE_STREAM;
	if (p->size < end - off)
		p->size = end - off;
	p->ino = ino;
	p->last_end = off + p->size;
	return p->size;
}

static void start_range(struct fetch *f, struct version *v, int64_t from, int64_t end)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);
	struct transfer *t = transfer_new(f, TRANSFER_RANGE, version_key(v), NULL);
	int64_t size = next_size(f, version_ino(v), from, end);
	int64_t hole_end = version_hole_end(v, from);

	if (!t)
		return;
	t->v = version_ref(v);
	t->pos = from;
	t->target = end;
	/* Without ranges all of it comes again, and what is there is skipped. When nothing is,
	 * one stream is for all who wait, also for what comes before `from`. */
	if (!fill_can_range(m)) {
		t->end = -1;
		if (version_missing(v, 0) == 0 && version_hole_end(v, 0) == version_length(v))
			t->pos = 0;
	}
	else if (size < RANGE_STREAM)
		t->end = from + size < hole_end ? from + size : hole_end;
	else if (hole_end < version_length(v))
		t->end = hole_end;
	/* Where it was redirected to before; from its key on where that is no longer allowed. */
	if (m->url && fetch_may_ask(f, t->key, m->url)) {
		t->url = strdup(m->url);
		t->foreign = !url_same_origin(m->url, t->key);
	}
	transfer_begin(t);
}

/* Some of [from, end) was read and fell out of a window since, and nobody waits for it:
 * the message is of before. Thread F may take in more than a window between two looks at
 * its messages, while a reader keeps up. */
static bool was_served(struct version *v, int64_t from, int64_t end)
{
	int64_t wanted_end, wanted = version_wanted(v, from, &wanted_end);

	return from < version_read_high(v) && (wanted < 0 || wanted >= end);
}

void fill_need(struct fetch *f, struct version *v, int64_t off, int64_t end)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);
	int64_t length = version_length(v), from;
	struct transfer *t;

	if (version_is_promise(v)) {
		promise_need(f, v);
		return;
	}
	if (length >= 0 && end > length)
		end = length;
	/* Parts of it may be there, or on their way, and others not. */
	for (from = version_missing(v, off); from < end; from = version_missing(v, from)) {
		if (version_state(v) != VERSION_ARRIVING)
			return;
		t = find_stream(f, v, from, fill_can_range(m) ? FETCH_NEAR : INT64_MAX);
		if (!t && !fill_can_range(m) && some_stream_before(f, v, from))
			return;		/* the one stream gets there, or fails */
		if (!t && was_served(v, from, end))
			return;
		if (!t && !fill_can_compare(m)) {
			version_fail(v, -ESTALE);
			return;
		}
		if (!t) {
			start_range(f, v, from, end);
			return;
		}
		aim(t, end);
		if (!t->no_room)
			transfer_resume(t);
		if (t->end < 0 || t->end >= end)
			return;
		from = t->end;
	}
}
