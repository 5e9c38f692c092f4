#include "evict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"

#define ROUNDS 2	/* one that clears every mark, one that finds victims */

struct run {
	struct evict *e;
	bool (*take)(void *arg, const struct record *r, bool expired);
	void *arg;
	bool enough;
	uint64_t limit;		/* this pass looks at numbers below; UINT64_MAX: all */
	uint64_t lowest;	/* of all rows met; UINT64_MAX: none */
};

static bool take_expired(void *arg, const struct record *r)
{
	struct run *run = arg;

	run->enough = !run->take(run->arg, r, true);
	return !run->enough;
}

/* The hand is left at the row behind the last victim, not at a number: when that
 * victim was the head of the queue the next run begins at the tail, and not with
 * what came in since, as in the paper. */
static bool look_at(void *arg, const struct record *r)
{
	struct run *run = arg;
	struct evict *e = run->e;

	if (r->ino < run->lowest)
		run->lowest = r->ino;
	e->hand = r->ino;
	if (run->enough || r->ino >= run->limit)
		return false;
	if (!recency_take(e->recency, r->ino))
		run->enough = !run->take(run->arg, r, false);
	e->hand = 0;	/* unless another row follows */
	return true;
}

/* From the hand to the head, or to the limit. */
static int pass(struct run *run, uint64_t limit)
{
	uint64_t from = run->e->hand;

	run->limit = limit;
	run->e->hand = 0;
	return db_each_from(run->e->db, from, look_at, run);
}

static int sieve(struct run *run)
{
	uint64_t start = run->e->hand;
	int err = 0;

	for (int round = 0; round < ROUNDS && !run->enough && !err; round++) {
		run->e->hand = start;
		err = pass(run, UINT64_MAX);
		if (err || run->enough)
			break;
		/* From the tail on: the lowest number is seen in passing. */
		run->lowest = UINT64_MAX;
		err = pass(run, start);
		if (!err && run->lowest != UINT64_MAX)
			recency_forget_below(run->e->recency, run->lowest);
	}
	return err;
}

int evict_run(struct evict *e, int64_t now_ms,
	      bool (*take)(void *arg, const struct record *r, bool expired), void *arg)
{
	struct run run = { .e = e, .take = take, .arg = arg, .lowest = UINT64_MAX };
	int err;

	err = db_each_useless(e->db, now_ms, take_expired, &run);
	if (err || run.enough)
		return err;
	return sieve(&run);
}

/* --- for restarts: one value, the hand and behind it the recency --- */

#define VALUE "evict"

int evict_load(struct evict *e)
{
	_cleanup_(cleanup_free) void *data = NULL;
	size_t len;
	int err;

	err = db_get_value(e->db, VALUE, &data, &len);
	if (err == -ENOENT)
		return 0;
	if (err)
		return err;
	if (len < sizeof(e->hand))
		return 0;
	memcpy(&e->hand, data, sizeof(e->hand));
	recency_load(e->recency, (char *)data + sizeof(e->hand), len - sizeof(e->hand));
	return 0;
}

int evict_save(struct evict *e)
{
	_cleanup_(cleanup_free) void *recency = NULL;
	_cleanup_(cleanup_free) char *data = NULL;
	size_t len;
	int err;

	err = recency_save(e->recency, &recency, &len);
	if (err)
		return err;
	data = malloc(sizeof(e->hand) + len);
	if (!data)
		return -ENOMEM;
	memcpy(data, &e->hand, sizeof(e->hand));
	memcpy(data + sizeof(e->hand), recency, len);
	return db_set_value(e->db, VALUE, data, sizeof(e->hand) + len);
}
