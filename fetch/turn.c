/* turn.c - whose turn it is: how many transfers run, in all and from each host, and how much
 * these may send.
 *
 * A transfer that waits for its host's rate is paused, and takes no slot of the fetch: so a
 * slow host takes none from the others. It has its connection, so it counts for its host, and
 * no other one begins there while nothing may come. Thread F. */
#include <assert.h>
#include <errno.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "fetch_private.h"

static bool takes_slot(const struct transfer *t)
{
	return t->state == TRANSFER_RUNNING;
}

static bool takes_lane(const struct transfer *t)
{
	return takes_slot(t) || (t->state == TRANSFER_PAUSED && t->throttled);
}

void turn_count(const struct transfer *t, int by)
{
	t->fetch->n_running += takes_slot(t) ? by : 0;
	if (t->slots)
		t->slots->running += takes_lane(t) ? by : 0;
}

int turn_change_lanes(struct transfer *t, bool none)
{
	struct lanes *l = &t->fetch->lanes;
	const struct policy *p = t->policy;
	int64_t now = clock_mono_ms();

	assert(!takes_lane(t));
	lane_unref(l, TAKE_PTR(t->slots));
	lane_unref(l, TAKE_PTR(t->rate));
	if (none)
		return 0;
	if (p->max_per_host > 0)
		t->slots = lanes_get(l, t->url, NULL, 0, now);
	if (p->rate > 0)
		t->rate = lanes_get(l, t->url, p->rate_of, p->rate, now);
	return (p->max_per_host > 0 && !t->slots) || (p->rate > 0 && !t->rate) ? -ENOMEM : 0;
}

static bool may_run(const struct transfer *t)
{
	return (!t->slots || t->slots->running < t->policy->max_per_host) &&
	       (!t->rate || lane_is_open(t->rate, clock_mono_ms()));
}

struct transfer *turn_next(struct fetch *f)
{
	struct transfer *t;

	list_for_each(t, &f->queued, link)
		if (may_run(t))
			return t;
	return NULL;
}

void turn_wait(struct transfer *t)
{
	turn_count(t, -1);
	t->throttled = t->state == TRANSFER_PAUSED;
	turn_count(t, 1);
}
