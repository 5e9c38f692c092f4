/* transfer.c - one HTTP exchange after the other, until a transfer's wants are
 * answered and its bytes are there.
 *
 *   QUEUED -> RUNNING <-> PAUSED -> ENDED
 *     ^          |  (redirect: at once; failure that may pass: WAITING)
 *     `-WAITING<-'
 *
 * Thread F. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/origins.h"
#include "fetch_private.h"
#include "outcome.h"

/* --- states --- */

void transfer_set_state(struct transfer *t, enum transfer_state state)
{
	struct fetch *f = t->fetch;

	turn_count(t, -1);
	t->state = state;
	t->throttled = t->throttled && state == TRANSFER_PAUSED;
	turn_count(t, 1);
	f->stuck = false;
	sight_paused(t, state == TRANSFER_PAUSED);
	list_remove(&t->link);
	switch (state) {
	case TRANSFER_QUEUED:
		list_append(&f->queued, &t->link);
		break;
	case TRANSFER_WAITING:
		list_append(&f->waiting, &t->link);
		break;
	case TRANSFER_RUNNING:
	case TRANSFER_PAUSED:
		list_append(&f->active, &t->link);
		break;
	case TRANSFER_ENDED:
		break;
	}
}

void transfer_detach(struct transfer *t)
{
	assert(t->fetch->unflushed != t);
	narrow_end(t);
	if (t->added)
		curl_multi_remove_handle(t->fetch->multi, t->easy);
	t->added = false;
	request_release(t);
}

static void reset_exchange(struct transfer *t)
{
	headers_fini(&t->headers);
	t->http_status = 0;
	t->headers_done = t->body_ignored = t->whole = t->conditional = false;
	t->ignored = 0;
	t->skip = 0;
	t->part_end = -1;
	decoder_free(TAKE_PTR(t->decoder));
	t->retry_after_ms = -1;
	t->abort_err = 0;
	t->code = CURLE_OK;
	t->opened = CURL_SOCKET_BAD;
	free(TAKE_PTR(t->location));
}

static void run(struct transfer *t)
{
	int err;

	reset_exchange(t);
	err = request_build(t);
	t->placed = false;
	t->last_progress_ms = t->last_need_ms = clock_mono_ms();
	transfer_set_state(t, TRANSFER_RUNNING);
	if (!err && curl_multi_add_handle(t->fetch->multi, t->easy) != CURLM_OK)
		err = -ENOMEM;
	t->added = !err;
	if (err)
		transfer_abort(t, err);
}

void transfer_run_queue(struct fetch *f)
{
	while (f->n_running < f->config.max_transfers && !f->stuck && !list_empty(&f->queued) &&
	       !atomic_load(&f->stopping)) {
		struct transfer *t = turn_next(f);

		f->stuck = t == NULL;
		if (t)
			run(t);
	}
}

void transfer_begin(struct transfer *t)
{
	if (!t->url)
		t->url = strndup(t->key, strcspn(t->key, "#"));
	t->begun_ms = clock_mono_ms();
	t->from = t->pos;
	count(transfers_active);
	transfer_set_state(t, TRANSFER_QUEUED);
	if (!t->url || turn_change_lanes(t, false) < 0) {
		transfer_abort(t, -ENOMEM);
		return;
	}
	transfer_run_queue(t->fetch);
}

/* F's reference goes; the slot is free for the next one. */
void transfer_end(struct transfer *t)
{
	struct fetch *f = t->fetch;

	sight_ended(t, 0);
	transfer_detach(t);
	transfer_set_state(t, TRANSFER_ENDED);
	turn_change_lanes(t, true);
	list_remove(&t->record_link);
	promise_break(t, -ESTALE);
	if (t->v && !fill_any_transfer(f, t->v))
		version_on_room(t->v, NULL, NULL);
	transfer_leave(t);
	count_by(transfers_active, -1);
	transfer_unref(t);
	transfer_run_queue(f);
}

void transfer_pause(struct transfer *t)
{
	if (t->state != TRANSFER_RUNNING)
		return;
	transfer_set_state(t, TRANSFER_PAUSED);
	t->last_need_ms = clock_mono_ms();
	curl_easy_pause(t->easy, CURLPAUSE_RECV);
}

void transfer_paused_by_curl(struct transfer *t)
{
	t->last_need_ms = clock_mono_ms();
	if (t->state == TRANSFER_RUNNING)
		transfer_set_state(t, TRANSFER_PAUSED);
}

void transfer_came(struct transfer *t, size_t len)
{
	int64_t now = clock_mono_ms();

	if (!t->rate)
		return;
	lane_take(t->rate, (int64_t)len, now);
	if (t->whole || t->state != TRANSFER_RUNNING || lane_is_open(t->rate, now))
		return;
	transfer_pause(t);
	turn_wait(t);
}

void transfer_resume(struct transfer *t)
{
	t->last_need_ms = clock_mono_ms();
	if (t->state != TRANSFER_PAUSED)
		return;
	if (t->rate && !lane_is_open(t->rate, t->last_need_ms)) {
		turn_wait(t);
		return;
	}
	transfer_set_state(t, TRANSFER_RUNNING);
	t->last_progress_ms = clock_mono_ms();
	curl_easy_pause(t->easy, CURLPAUSE_CONT);
	fill_flush(t->fetch);
}

/* --- the row, then the answer --- */

static void recorded(void *arg, int err)
{
	struct transfer *t = arg;
	enum cache_status status = CACHE_MISS;
	bool failed = false;

	/* Thread F may have given it up meanwhile, and told everyone. */
	WITH_LOCK(&t->fetch->lock) {
		failed = t->answered;
		status = t->status;
	}
	/* An index that cannot write is no reason to fail: served all the same. */
	(void)err;
	if (!failed)
		transfer_answer(t, 0, t->v, status);
	transfer_unref(t);
}

/* Those whose headers came in this turn of the loop: what arrived with them is
 * complete by now, so that it is stored and recorded in one write. */
void transfer_flush_unrecorded(struct fetch *f)
{
	struct list *first;

	while ((first = list_pop(&f->unrecorded)) != NULL) {
		struct transfer *t = list_entry(first, struct transfer, record_link);

		t->recorded = true;
		atomic_fetch_add(&t->refs, 1);
		version_record(t->v, recorded, t);
	}
}

void transfer_complete(struct transfer *t)
{
	if (version_state(t->v) == VERSION_ARRIVING)
		version_complete(t->v);
}

/* --- success --- */

static bool follow(struct transfer *t)
{
	if (!t->location)
		return false;
	sight_ended(t, 0);
	if (++t->hops > FETCH_HOPS_MAX) {
		transfer_abort(t, -ELOOP);
		return true;
	}
	free(t->url);
	t->url = TAKE_PTR(t->location);
	t->foreign = !url_same_origin(t->url, t->key);
	transfer_detach(t);
	transfer_set_state(t, TRANSFER_QUEUED);
	if (turn_change_lanes(t, false) < 0)
		transfer_abort(t, -ENOMEM);
	else
		transfer_run_queue(t->fetch);
	return true;
}

/* Origins may send less than was asked for: whoever still waits is asked for
 * again. */
static void go_on(struct fetch *f, struct version *v)
{
	int64_t end = 0, off = version_wanted(v, 0, &end);

	if (off >= 0)
		fill_need(f, v, off, end);
}

static void finish_body(struct transfer *t)
{
	_cleanup_(version_unrefp) struct version *v = version_ref(t->v);
	struct fetch *f = t->fetch;
	int64_t length = version_length(t->v);
	int err = response_end_of_body(t);

	/* Others brought the rest of it: what this one says is of no interest. */
	if (version_state(v) == VERSION_COMPLETE)
		err = 0;
	else if (!err && length >= 0 && t->end < 0 && t->pos < length)
		err = -EIO;	/* closed early, whatever curl made of it */
	else if (!err && t->end >= 0 && t->pos < t->end)
		err = -EIO;
	if (err) {
		if (!transfer_try_again(t, err))
			transfer_abort(t, err);
		return;
	}
	if (length < 0 || version_missing(t->v, 0) == length)
		transfer_complete(t);
	if (t->kind == TRANSFER_GET && !t->recorded && list_empty(&t->record_link))
		list_append(&t->fetch->unrecorded, &t->record_link);
	transfer_flush_unrecorded(f);
	transfer_end(t);
	go_on(f, v);
}

/* A body whose end only curl knew (chunked): the connection is not used by the next
 * transfer yet if there is none. */
static void watch_connection(struct transfer *t)
{
	curl_socket_t s = CURL_SOCKET_BAD;
	struct transfer *other;
	long version = 0;

	list_for_each(other, &t->fetch->active, link)
		if (other != t && other->added)
			return;
	curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &s);
	curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
	if (s != CURL_SOCKET_BAD && version < CURL_HTTP_VERSION_2_0)
		loop_watch_idle(t->fetch, s);
}

/* Every byte that was asked for, whether they were kept or not. */
static bool has_come(const struct transfer *t)
{
	int64_t length = version_length(t->v);

	return length >= 0 && t->pos >= (t->end >= 0 ? t->end : length);
}

void transfer_done(struct transfer *t, CURLcode code)
{
	long os_errno = 0;
	int err;

	t->code = code;
	if (!t->whole)
		watch_connection(t);
	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_errno);
	if (t->abort_err)
		err = t->abort_err;
	else if (code == CURLE_OUT_OF_MEMORY && t->http_status && !t->headers_done)
		err = -EIO;	/* what curl says of a line that is too long for it */
	else if (code != CURLE_OK && !t->body_ignored)
		err = outcome_errno_of_curl(code, os_errno);
	else if (!t->headers_done)
		err = -EIO;
	else
		err = 0;
	if (!err && follow(t))
		return;
	/* An error status, once its body has been swallowed. */
	if (!err && t->body_ignored && (t->v ? t->http_status >= 400 : !t->answered))
		err = outcome_errno_of_status(t->http_status);
	if (t->kind == TRANSFER_GET && !t->v && t->answered) {
		transfer_end(t);	/* 304, 404: all was said at the headers */
		return;
	}
	if (err == 0 && t->v) {
		finish_body(t);
		return;
	}
	if (t->v && (version_state(t->v) == VERSION_COMPLETE || has_come(t))) {
		finish_body(t);		/* a fault behind the last byte */
		return;
	}
	if (code == CURLE_COULDNT_RESOLVE_HOST && !t->abort_err && resolve_why(t)) {
		transfer_detach(t);
		transfer_set_state(t, TRANSFER_WAITING);
		return;
	}
	err = err ? err : -EIO;
	if (!transfer_try_again(t, err))
		transfer_abort(t, err);
}

/* --- time --- */

static void tick_active(struct transfer *t, int64_t now_ms)
{
	struct fetch *f = t->fetch;

	/* Refused while it was unpaused: curl does not end it then. */
	if (t->abort_err) {
		transfer_done(t, CURLE_WRITE_ERROR);
		return;
	}
	if (t->state == TRANSFER_RUNNING &&
	    now_ms - t->last_progress_ms > t->policy->stall_timeout_ms) {
		snprintf(t->curl_error, sizeof t->curl_error, "no progress for %lld ms",
			 (long long)t->policy->stall_timeout_ms);
		transfer_abort(t, -ETIMEDOUT);
		return;
	}
	/* What somebody waits for may have fallen out of the window meanwhile. */
	if (t->throttled) {
		transfer_resume(t);
		return;
	}
	if (t->state == TRANSFER_PAUSED && now_ms - t->last_need_ms > FETCH_LOOK_MS)
		go_on(f, t->v);
	if (t->state == TRANSFER_PAUSED &&
	    now_ms - t->last_need_ms > FETCH_IDLE_MS) {
		/* Nobody reads on: what is there is kept, the rest comes when asked. */
		_cleanup_(version_unrefp) struct version *v = version_ref(t->v);

		/* Of unknown length: nobody sees it until it is whole. */
		if (version_length(v) < 0) {
			transfer_abort(t, -ETIMEDOUT);
			return;
		}
		version_pause(v);
		transfer_end(t);
		go_on(f, v);
	}
}

void transfer_tick(struct fetch *f, int64_t now_ms)
{
	struct transfer *t, *next;

	list_for_each_safe(t, next, &f->waiting, link)
		if (t->retry_at_ms <= now_ms && !t->unresolved)
			transfer_set_state(t, TRANSFER_QUEUED);
	while ((t = resolve_late(f, now_ms)) != NULL)
		transfer_abort(t, -EHOSTUNREACH);
	list_for_each_safe(t, next, &f->active, link) {
		struct list *after = t->link.next;

		tick_active(t, now_ms);
		/* Ending one may start others, at the end of the list. */
		next = list_entry(after, struct transfer, link);
	}
	f->stuck = false;	/* rates let more come as time passes */
	transfer_run_queue(f);
}
