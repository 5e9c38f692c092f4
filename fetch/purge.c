/* purge.c - what is under way when something is purged or refreshed: it is not joined any
 * more, and not kept. Any thread. */
#include "../base/cleanup.h"
#include "../base/counters.h"
#include "fetch_private.h"

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
			transfer_leave_locked(t);
		}
	}
	absent_drop(f, targets, n);
}

int fetch_purge(struct fetch *f, const struct target *targets, size_t n, int64_t *ret_removed)
{
	int err;

	dirs_drop(&f->dirs);
	leave_matching(f, targets, n);
	err = index_purge(f->config.index, targets, n, ret_removed);
	if (!err)
		count_by(purged, *ret_removed);
	return err;
}

int fetch_refresh(struct fetch *f, const struct target *targets, size_t n, int64_t *ret_marked)
{
	dirs_drop(&f->dirs);
	leave_matching(f, targets, n);
	return index_refresh(f->config.index, targets, n, ret_marked);
}
