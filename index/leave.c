/* leave.c - a row goes: what becomes of its bytes, and of the version in memory
 * that somebody may be reading. Thread I, inside a transaction. */
#include <stdlib.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/counters.h"
#include "index_private.h"

static void trash_add(struct trash *t, const struct blob *blob, uint64_t ino)
{
	if (blob->kind == BLOB_NONE || blob->kind == BLOB_ARRIVING)
		return;
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 16;
		struct gone *all = reallocarray(t->all, cap, sizeof *all);

		if (!all)
			return;		/* swept at the next start */
		t->all = all;
		t->cap = cap;
	}
	t->all[t->n++] = (struct gone){ .blob = *blob, .ino = ino };
}

/* index.lock held. The row was read before it went, and a version made of it since:
 * it has the blob now, which goes with its last reference. */
static bool is_taken(struct index *ix, const struct gone *g)
{
	struct map_node *node = g->ino ? map_find(&ix->by_ino, map_hash_u64(g->ino),
						  index_same_ino, &g->ino) : NULL;
	struct version *v;

	if (!node)
		return false;
	v = container_of(node, struct version, ino_node);
	v->doomed = true;
	v->row = false;
	version_drop_key(v);
	return true;
}

void trash_empty(struct index *ix, struct trash *t)
{
	if (t->n)
		WITH_LOCK(&ix->lock)
			ix->generation++;	/* from here on nobody makes one */
	for (size_t i = 0; i < t->n; i++) {
		bool taken = false;

		WITH_LOCK(&ix->lock)
			taken = is_taken(ix, &t->all[i]);
		if (taken)
			continue;
		if (t->all[i].blob.kind == BLOB_PARTIAL)
			index_unlink_partial(ix, t->all[i].blob.id);
		else
			store_delete(ix->store, &t->all[i].blob);
	}
	if (t->names && ix->config.stale_names)
		ix->config.stale_names(ix->config.arg);
	trash_forget(t);
}

void trash_forget(struct trash *t)
{
	free(t->all);
	*t = (struct trash){ .all = NULL };
}

/* v->lock held. */
static bool is_being_read(const struct version *v, bool desperate)
{
	int64_t idle_ms = clock_mono_ms() - v->used_ms;

	if (v->read_bytes >= v->length)
		return false;	/* the kernel has all of it */
	if (desperate)
		return idle_ms < VERSION_LAST_GRACE_MS && !version_resumable(v->meta);
	return idle_ms < VERSION_GRACE_MS;
}

/* index.lock and v->lock held. A version that people hold stays readable when
 * it is merely out of date (its blob goes with it), but not when its bytes are
 * what is needed: then reads bring them back from the origin, or fail. */
static bool leave_version(struct version *v, bool evicted, struct trash *trash)
{
	if (evicted && (v->state != VERSION_COMPLETE || !v->stored ||
			is_being_read(v, trash->desperate)))
		return false;
	if (evicted) {
		trash_add(trash, &v->blob, 0);
		trash->names = true;
		v->stored = false;
		v->read_high = 0;
	} else {
		v->doomed = true;
	}
	v->row = false;
	version_drop_key(v);
	return true;
}

bool leave_row(struct index *ix, const struct record *r, enum leave_reason reason,
	       struct trash *trash)
{
	bool evicted = reason == LEAVE_EVICTED || reason == LEAVE_EXPIRED;
	bool in_memory = false, leaves = true;

	WITH_LOCK(&ix->lock) {
		struct map_node *node = map_find(&ix->by_ino, map_hash_u64(r->ino),
						 index_same_ino, &r->ino);
		struct version *v;

		if (!node)
			break;
		in_memory = true;
		v = container_of(node, struct version, ino_node);
		WITH_LOCK(&v->lock)
			leaves = leave_version(v, evicted, trash);
	}
	if (!leaves || db_delete(ix->db, r->ino) < 0)
		return false;
	if (!in_memory)
		trash_add(trash, &r->blob, r->ino);
	if (reason == LEAVE_EVICTED)
		count(evictions);
	else if (reason == LEAVE_EXPIRED)
		count(expired);
	return true;
}
