/* space.c - one number and its two watermarks. */
#include "space.h"

#include <errno.h>
#include <stdbool.h>

#include "../base/cleanup.h"

/* A sixteenth of the limit between the marks, and above them, but on large disks
 * not more than this: it is room that nobody uses. */
#define SPACE_GAP_MAX (256LL << 20)

void space_init(struct space *sp, int64_t limit, void (*pressed)(void *), void *arg)
{
	int64_t gap = limit / 16 < SPACE_GAP_MAX ? limit / 16 : SPACE_GAP_MAX;

	pthread_mutex_init(&sp->lock, NULL);
	sp->limit = limit;
	sp->used = 0;
	sp->index = 0;
	sp->refused = 0;
	sp->told = 0;
	sp->high = limit - gap;
	sp->low = sp->high - gap;
	sp->pressed = pressed;
	sp->arg = arg;
}

void space_fini(struct space *sp)
{
	pthread_mutex_destroy(&sp->lock);
}

/* Whether used, which just grew, is news for who evicts: it passed the mark, or
 * went well on since they were told. With the lock held. */
static bool is_news(struct space *sp)
{
	if (sp->used <= sp->high) {
		sp->told = 0;
		return false;
	}
	if (sp->told && sp->used < sp->told + sp->limit / 64)
		return false;
	sp->told = sp->used;
	return true;
}

static void press(struct space *sp)
{
	if (sp->pressed)
		sp->pressed(sp->arg);
}

int64_t space_limit(const struct space *sp)
{
	return sp->limit;
}

int space_reserve(struct space *sp, int64_t bytes)
{
	bool fits = false, news = false;

	WITH_LOCK(&sp->lock) {
		fits = bytes <= sp->limit - sp->used;
		if (fits) {
			sp->used += bytes;
			news = is_news(sp);
		} else if (bytes > sp->refused && bytes <= sp->limit - sp->index) {
			sp->refused = bytes;
		}
	}
	if (!fits || news)
		press(sp);
	return fits ? 0 : -ENOSPC;
}

void space_release(struct space *sp, int64_t bytes)
{
	WITH_LOCK(&sp->lock) {
		sp->used -= bytes;
		if (sp->used < sp->index)
			sp->used = sp->index;
		if (sp->used <= sp->high)
			sp->told = 0;
	}
}

void space_count(struct space *sp, int64_t bytes)
{
	bool news = false;

	WITH_LOCK(&sp->lock) {
		sp->used += bytes;
		news = is_news(sp);
	}
	if (news)
		press(sp);
}

void space_set_index(struct space *sp, int64_t bytes)
{
	bool news = false;

	WITH_LOCK(&sp->lock) {
		sp->used += bytes - sp->index;
		sp->index = bytes;
		news = is_news(sp);
	}
	if (news)
		press(sp);
}

void space_begin_anew(struct space *sp, int64_t bytes)
{
	WITH_LOCK(&sp->lock) {
		sp->used = sp->index + bytes;
		sp->refused = 0;
		sp->told = 0;
	}
}

int64_t space_used(struct space *sp)
{
	int64_t used = 0;

	WITH_LOCK(&sp->lock)
		used = sp->used;
	return used;
}

int64_t space_excess(struct space *sp)
{
	int64_t excess = 0;

	WITH_LOCK(&sp->lock) {
		int64_t lacking = sp->refused ? sp->used + sp->refused - sp->limit : 0;

		if (sp->used > sp->high)
			excess = sp->used - sp->low;
		if (lacking > excess)
			excess = lacking;
		if (lacking <= 0)
			sp->refused = 0;
	}
	return excess;
}
