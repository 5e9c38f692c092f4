/* moves.c - bodies in segments go to another place, and their rows and readers follow. */
#include <stdlib.h>

#include "../base/cleanup.h"
#include "index_private.h"

struct moved *moves_add(struct moves *m, uint64_t ino, const struct blob *from)
{
	if (m->n == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 64;
		struct moved *all = reallocarray(m->all, cap, sizeof *all);

		if (!all)
			return NULL;
		m->all = all;
		m->cap = cap;
	}
	m->all[m->n] = (struct moved){ .ino = ino, .from = *from };
	return &m->all[m->n++];
}

bool moves_same_place(const struct blob *a, const struct blob *b)
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
				if (v->stored && moves_same_place(&v->blob, &one->from))
					v->blob = one->to;
	}
}

void moves_finish(struct moves *m, bool committed)
{
	struct index *ix = m->ix;

	/* Who read a row before the commit reads it again. */
	WITH_LOCK(&ix->lock)
		ix->generation++;
	for (size_t i = 0; i < m->n; i++) {
		struct moved *one = &m->all[i];
		bool moved = committed && one->noted;

		if (moved)
			tell_version(ix, one);
		/* The segment goes with the last of its blobs: bodies in it whose
		 * rows are not written yet are safe. */
		if (one->to.kind == BLOB_SEGMENT)
			store_delete(ix->store, moved ? &one->from : &one->to);
	}
	free(m->all);
	*m = (struct moves){ .ix = ix };
}
