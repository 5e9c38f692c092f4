/* compact.c - the rest of a mostly dead segment moves, so that the file can go.
 * Thread I, between batches. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "../base/cleanup.h"
#include "../base/log.h"
#include "index_private.h"

struct moved {
	uint64_t ino;
	struct blob from, to;
};

struct moving {
	struct index *ix;
	struct moved *all;
	size_t n, cap;
	int err;
};

static struct moved *next_moved(struct moving *m)
{
	if (m->n == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 64;
		struct moved *all = reallocarray(m->all, cap, sizeof *all);

		if (!all)
			return NULL;
		m->all = all;
		m->cap = cap;
	}
	return &m->all[m->n];
}

static bool move_blob(void *arg, const struct record *r)
{
	struct moving *m = arg;
	struct moved *one = next_moved(m);

	if (!one) {
		m->err = -ENOMEM;
		return false;
	}
	*one = (struct moved){ .ino = r->ino, .from = r->blob };
	m->err = store_copy(m->ix->store, &r->blob, &one->to);
	if (m->err == -EBADMSG || m->err == -ENOENT) {
		/* Damaged: whoever reads it finds out, and it is fetched again. */
		m->err = 0;
		return true;
	}
	if (m->err)
		return false;
	m->n++;
	m->err = db_set_blob(m->ix->db, r->ino, &one->to, NULL);
	return m->err == 0;
}

static bool same_place(const struct blob *a, const struct blob *b)
{
	return a->kind == b->kind && a->id == b->id && a->offset == b->offset;
}

/* Readers look there from now on. */
static void tell_version(struct index *ix, const struct moved *one)
{
	WITH_LOCK(&ix->lock) {
		struct map_node *node = map_find(&ix->by_ino, map_hash_u64(one->ino),
						 index_same_ino, &one->ino);
		struct version *v = node ? container_of(node, struct version, ino_node) : NULL;

		if (v)
			WITH_LOCK(&v->lock)
				if (v->stored && same_place(&v->blob, &one->from))
					v->blob = one->to;
	}
}

void compact_one(struct index *ix)
{
	struct moving m = { .ix = ix };
	uint64_t segment;
	int err;

	if (store_segment_pick(ix->store, &segment) < 0)
		return;
	err = db_begin(ix->db);
	if (!err)
		err = db_each_in_segment(ix->db, segment, move_blob, &m);
	if (!err)
		err = m.err;
	if (!err)
		err = db_commit(ix->db);
	else
		db_rollback(ix->db);
	/* Who read a row before the commit reads it again. */
	WITH_LOCK(&ix->lock)
		ix->generation++;
	for (size_t i = 0; i < m.n; i++) {
		if (!err)
			tell_version(ix, &m.all[i]);
		/* The segment goes with the last of its blobs: bodies in it whose
		 * rows are not written yet are safe. */
		store_delete(ix->store, err ? &m.all[i].to : &m.all[i].from);
	}
	if (err)
		log_debug("segment %" PRIu64 " not compacted (%d)", segment, err);
	free(m.all);
}
