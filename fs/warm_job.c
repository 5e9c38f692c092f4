#include "warm_job.h"

#include <errno.h>
#include <stdlib.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "fs.h"

#define STEP (1024 * 1024)	/* bytes that are waited for at once */

static void on_answer(struct want *w, int err, struct version *v, int64_t fresh_ms)
{
	struct warm_job *job = container_of(w, struct warm_job, want);
	struct warm *warm = &job->fs->warm;

	(void)fresh_ms;
	WITH_LOCK(&warm->lock) {
		job->err = err;
		job->v = v;
		job->answered = true;
		warm_awake(warm, job);
	}
}

static void on_bytes(struct waiter *w)
{
	struct warm_job *job = container_of(w, struct warm_job, waiter);
	struct warm *warm = &job->fs->warm;

	WITH_LOCK(&warm->lock) {
		job->waiting = false;
		warm_awake(warm, job);
	}
}

struct warm_job *warm_job_new(struct fs *fs, struct warm_item *item)
{
	struct warm_job *job = calloc(1, sizeof *job);

	if (!job)
		return NULL;
	list_init(&job->link);
	list_init(&job->awake_link);
	list_init(&job->waiter.link);
	job->fs = fs;
	job->item = item;
	job->want.done = on_answer;
	job->waiter.wake = on_bytes;
	return job;
}

void warm_job_ask(struct warm_job *job)
{
	fetch_want(job->fs->fetch, job->item->key, WANT_WARM, &job->want);
}

bool warm_job_asked(const struct warm_job *job)
{
	return job->want.status != CACHE_HIT && job->want.status != CACHE_NEGATIVE;
}

bool warm_job_is_fresh(struct fs *fs, const char *key)
{
	_cleanup_(version_unrefp) struct version *v = NULL;
	_cleanup_(meta_unrefp) struct meta *m = NULL;

	if (index_find(fs->index, key, &v) < 0 || version_state(v) != VERSION_COMPLETE)
		return false;
	m = version_meta(v);
	return clock_wall_ms() < m->fresh_until_ms;
}

/* All bytes are there. */
static int verdict(struct warm_job *job)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(job->v);
	int64_t now = clock_wall_ms();

	if (!(m->flags & META_STORE))
		return -EPERM;
	if (!version_is_current(job->v))
		return -ESTALE;
	if (job->want.status == CACHE_STALE && now >= m->fresh_until_ms && now >= m->swr_until_ms)
		return -EREMOTEIO;
	return 0;
}

/* [from, end) of v, or its waiter is left there. */
static int look(struct warm_job *job, int64_t from, int64_t end)
{
	struct bytes bytes = { .fd = -1 };
	int err;

	WITH_LOCK(&job->fs->warm.lock)
		job->waiting = true;
	err = version_read(job->v, from, (size_t)(end - from), &job->waiter, &bytes);
	if (err == -EAGAIN)
		return err;
	WITH_LOCK(&job->fs->warm.lock)
		job->waiting = false;
	if (err == 0)
		bytes_fini(&bytes);
	return err;
}

int warm_job_step(struct warm_job *job)
{
	struct version *v = job->v;
	int64_t length, from, end;
	int err = job->err;

	if (err)
		return err;
	length = version_length(v);
	for (;;) {
		if (version_state(v) == VERSION_COMPLETE)
			return verdict(job);
		from = version_missing(v, 0);
		/* The window of a body for which there is no room has moved on. */
		if (from < job->reached)
			return -ENOSPC;
		job->reached = from;
		if (from >= length)
			return verdict(job);
		end = version_hole_end(v, from);
		if (end > from + STEP)
			end = from + STEP;
		err = look(job, from, end);
		if (err == -EAGAIN)
			fetch_need(job->fs->fetch, v, from, length);
		if (err)
			return err;
	}
}

bool warm_job_cancel(struct warm_job *job)
{
	bool answered = false, waiting = false;

	WITH_LOCK(&job->fs->warm.lock) {
		answered = job->answered;
		waiting = job->waiting;
	}
	if (!answered)
		return fetch_cancel(job->fs->fetch, &job->want);
	if (!waiting)
		return true;
	return version_cancel(job->v, &job->waiter);
}

struct warm_item *warm_job_free(struct warm_job *job)
{
	struct warm_item *item = job->item;

	version_unref(job->v);
	free(job);
	return item;
}
