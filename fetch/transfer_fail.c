/* transfer_fail.c - an exchange went wrong: try again, or tell who waits. Thread F. */
#include <errno.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/log.h"
#include "../base/origins.h"
#include "failure.h"
#include "fetch_private.h"
#include "outcome.h"
#include "retry.h"

/* A stored response that may stand in for a failing origin (RFC 5861 4). */
static bool stale_may_serve(const struct transfer *t, int err)
{
	if (!t->stale || err == -EACCES || err == -EINTR || err == -EFBIG)
		return false;
	/* The origin said so; that DNS does not answer is another thing. */
	if (err == -ENOENT && t->headers_done)
		return false;
	return stored_may_stand_in(t->stale);
}

/* Before anybody is answered: who then asks again is not ahead of it. */
static void hold_back(struct transfer *t, int err)
{
	struct fetch *f = t->fetch;

	if (t->kind == TRANSFER_GET && err == -EBUSY && t->retry_after_ms > 0)
		WITH_LOCK(&f->lock)
			hold_add(&f->holds, t->key, err, clock_wall_ms(), t->retry_after_ms);
}

/* That a name is not there, or not for us, is nothing to wake somebody up for. */
static void tell(const struct transfer *t, int err, const char *then)
{
	bool of_origin = err == -EIO || err == -EBUSY || err == -ETIMEDOUT ||
			 err == -ECONNREFUSED || err == -EHOSTUNREACH;
	enum log_level level = of_origin ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG;

	if (err == -EINTR || !log_wants(level))
		return;
	if (t->headers_done && t->http_status >= 400)
		log_message(level, "%s: status %d%s", t->url ? t->url : t->key, t->http_status,
			    then);
	else
		log_message(level, "%s: %s%s%s%s", t->url ? t->url : t->key, strerror(-err),
			    t->curl_error[0] ? ": " : "", t->curl_error, then);
}

static bool can_be_taken_up(struct version *v)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);

	return version_length(v) >= 0 && fill_can_range(m);
}

static void count_failure(const struct transfer *t, int err)
{
	const struct failure failure = { .err = err, .code = t->code, .status = t->http_status };
	enum counter counter = failure_counter(&failure);

	if (counter == COUNT_timeouts)
		count_at(t->url, timeouts);
	else if (counter != COUNT_N)
		counter_add(counter, 1);
}

void transfer_abort(struct transfer *t, int err)
{
	sight_ended(t, err);
	count_failure(t, err);
	if (t->v && t->kind == TRANSFER_GET && !t->recorded)
		list_remove(&t->record_link);
	if (t->v && err == -EINTR && can_be_taken_up(t->v))
		version_pause(t->v);	/* we end, it does not: kept for the next run */
	else if (t->v)
		version_fail(t->v, err);
	promise_break(t, err);
	hold_back(t, err);
	if (t->kind == TRANSFER_GET && stale_may_serve(t, err)) {
		count_at(t->key, stale_served);
		tell(t, err, ": the stored copy is served");
		transfer_answer(t, 0, t->stale, CACHE_STALE);
	} else if (t->kind == TRANSFER_GET) {
		tell(t, err, "");
		transfer_answer(t, err, NULL, CACHE_MISS);
	}
	transfer_end(t);
}

/* Of a body without a length nobody has seen anything. */
static bool is_unseen(const struct transfer *t)
{
	return t->kind == TRANSFER_GET && !t->recorded && !t->answered &&
	       version_length(t->v) < 0;
}

/* Whether what is missing can be had with another request. */
static bool can_go_on(const struct transfer *t)
{
	_cleanup_(meta_unrefp) struct meta *m = t->v ? version_meta(t->v) : NULL;

	if (!m || is_unseen(t))
		return true;	/* from the start */
	return version_length(t->v) >= 0 && fill_can_compare(m) && !t->decoder &&
	       version_state(t->v) == VERSION_ARRIVING;
}

/* Back to before the first response. */
static void start_over(struct transfer *t, int err)
{
	list_remove(&t->record_link);
	version_on_room(t->v, NULL, NULL);
	version_fail(t->v, err);
	version_unref(TAKE_PTR(t->v));
	t->pos = t->from = 0;
	t->no_room = t->room_again = false;
}

bool transfer_try_again(struct transfer *t, int err)
{
	int64_t delay;

	/* There is another way to learn that. */
	if (fetch_is_question(t->key))
		return false;
	if (!outcome_may_retry(err) || t->attempt >= t->policy->retries || !can_go_on(t) ||
	    atomic_load(&t->fetch->stopping))
		return false;
	/* Nobody waits that long who can have a stale copy. */
	if (t->retry_after_ms > 0 && stale_may_serve(t, err))
		return false;
	t->fetch->random = t->fetch->random * 1664525 + 1013904223;
	delay = retry_delay_ms(t->attempt, t->retry_after_ms, t->fetch->random);
	if (delay < 0)
		return false;
	t->attempt++;
	sight_ended(t, err);
	transfer_detach(t);
	if (t->v && is_unseen(t))
		start_over(t, err);
	if (t->v && t->pos > 0)
		count(resumed);
	count_at(t->url, retries);
	t->retry_at_ms = clock_mono_ms() + delay;
	transfer_set_state(t, TRANSFER_WAITING);
	return true;
}
