/* purge.c - exact when it returns, whatever arrives or is looked up meanwhile.
 *
 * First everything in memory that matches stops being current, and the targets
 * are listed, so that no row that matches is loaded any more; then thread I
 * deletes the rows; then the listing ends and the generation grows, which makes
 * lookups that read a row before look again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "index_private.h"

bool target_matches(const struct target *t, const char *key)
{
	switch (t->kind) {
	case TARGET_KEY:
		return strcmp(t->key, key) == 0;
	case TARGET_PREFIX:
		return strncmp(t->key, key, strlen(t->key)) == 0;
	case TARGET_ALL:
		return true;
	}
	return false;
}

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
	size_t i;

	for (i = 0; i < f->purge->n; i++)
		if (target_matches(&f->purge->targets[i], v->key))
			break;
	if (i == f->purge->n)
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

int index_purge(struct index *ix, const struct target *targets, size_t n, int64_t *ret_removed)
{
	struct purge p = { .targets = targets, .n = n };
	struct found f = { .purge = &p };
	struct op *op = op_new(OP_PURGE);
	int err;

	if (!op)
		return -ENOMEM;
	op->purge = &p;
	WITH_LOCK(&ix->lock) {
		find_matching(ix, &f);
		if (f.failed)
			break;
		list_append(&ix->purges, &p.link);
		for (size_t i = 0; i < f.n; i++)
			WITH_LOCK(&f.v[i]->lock)
				drop(f.v[i], &p);
	}
	free(f.v);
	if (f.failed) {
		free(op);
		return -ENOMEM;
	}
	err = writer_call(ix, op);
	WITH_LOCK(&ix->lock) {
		list_remove(&p.link);
		ix->generation++;
	}
	if (!err)
		*ret_removed = p.removed;
	return err;
}
