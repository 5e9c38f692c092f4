/* purge.c - exact when it returns, whatever arrives or is looked up meanwhile.
 *
 * First everything in memory that matches stops being current, and the targets
 * are listed, so that no row that matches is loaded any more; then thread I
 * deletes the rows; then the listing ends and the generation grows, which makes
 * lookups that read a row before look again. A refresh does the same, but what
 * matches gets a meta that says stale. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "index_private.h"

struct found {
	const struct purge *purge;
	struct version **v;
	size_t n, cap;
	bool failed;
};

static bool collect(struct map_node *node, void *arg)
{
	struct found *f = arg;
	struct version *v = container_of(node, struct version, key_node);
	bool matches = false;

	WITH_LOCK(&v->lock)
		matches = target_matches_any(f->purge->targets, f->purge->n, v->key, v->meta);
	if (!matches)
		return true;
	if (f->n == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 64;
		struct version **grown = reallocarray(f->v, cap, sizeof *grown);

		if (!grown) {
			f->failed = true;
			return false;
		}
		f->v = grown;
		f->cap = cap;
	}
	f->v[f->n++] = v;
	return true;
}

/* index.lock held. Single keys are looked up, anything wider walks the table. */
static void find_matching(struct index *ix, struct found *f)
{
	bool wide = false;

	for (size_t i = 0; i < f->purge->n; i++)
		wide = wide || f->purge->targets[i].kind != TARGET_KEY;
	if (wide) {
		map_each(&ix->by_key, collect, f);
		return;
	}
	for (size_t i = 0; i < f->purge->n && !f->failed; i++) {
		const char *key = f->purge->targets[i].key;
		struct map_node *node = map_find(&ix->by_key, map_hash_str(key),
						 index_same_key, key);

		if (node)
			collect(node, f);
	}
}

/* index.lock held: a target named twice finds its version twice. */
static void drop(struct version *v, struct purge *p)
{
	if (!v->current)
		return;
	version_drop_key(v);
	/* Its row, if there is one, is counted by who deletes it. */
	if (!v->row && v->meta->status / 100 == 2)
		p->removed++;
}

/* index.lock and version.lock held. Its row is changed, and counted, by thread I. */
static void mark_stale(struct version *v)
{
	struct meta *stale = target_refreshed(v->meta);

	/* Without memory it is better gone than fresh. */
	if (!stale) {
		version_drop_key(v);
		return;
	}
	meta_unref(v->meta);
	v->meta = stale;
}

/* index.lock held: what is in memory. */
static int change_matching(struct index *ix, struct purge *p)
{
	struct found f = { .purge = p };

	find_matching(ix, &f);
	for (size_t i = 0; i < f.n && !f.failed; i++)
		WITH_LOCK(&f.v[i]->lock) {
			if (p->kind == PURGE_REFRESH)
				mark_stale(f.v[i]);
			else
				drop(f.v[i], p);
		}
	free(f.v);
	return f.failed ? -ENOMEM : 0;
}

static int run(struct index *ix, struct purge *p, int64_t *ret)
{
	struct op *op = op_new(OP_PURGE);
	int err = 0;

	if (!op)
		return -ENOMEM;
	op->purge = p;
	WITH_LOCK(&ix->lock) {
		err = change_matching(ix, p);
		if (!err)
			list_append(&ix->purges, &p->link);
	}
	if (err) {
		free(op);
		return err;
	}
	err = writer_call(ix, op);
	WITH_LOCK(&ix->lock) {
		list_remove(&p->link);
		ix->generation++;
	}
	if (!err)
		*ret = p->removed + p->removed_rows;
	return err;
}

int index_purge(struct index *ix, const struct target *targets, size_t n, int64_t *ret_removed)
{
	struct purge p = { .targets = targets, .n = n, .kind = PURGE_REMOVE };

	return run(ix, &p, ret_removed);
}

int index_refresh(struct index *ix, const struct target *targets, size_t n, int64_t *ret_marked)
{
	struct purge p = { .targets = targets, .n = n, .kind = PURGE_REFRESH };

	return run(ix, &p, ret_marked);
}

int index_count(struct index *ix, const struct target *targets, size_t n,
		int64_t *ret_matching)
{
	struct purge p = { .targets = targets, .n = n, .kind = PURGE_COUNT };
	struct op *op = op_new(OP_PURGE);
	int err;

	if (!op)
		return -ENOMEM;
	op->purge = &p;
	err = writer_call(ix, op);
	if (!err)
		*ret_matching = p.removed + p.removed_rows;
	return err;
}
