/* leave.c - a row goes: what becomes of its bytes, and of the version in memory
 * that somebody may be reading. Thread I, inside a transaction. */
#include <stdlib.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/counters.h"
#include "../base/step.h"
#include "index_private.h"

void trash_add(struct trash *t, const struct blob *blob, uint64_t ino, bool given_up)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 16;
		struct gone *all = reallocarray(t->all, cap, sizeof *all);

		if (!all)
			return;		/* swept at the next start */
		t->all = all;
		t->cap = cap;
	}
	t->all[t->n++] = (struct gone){ .blob = *blob, .ino = ino, .given_up = given_up };
}

/* index.lock held. The row was read before it went, and a version made of it since:
 * it has the blob now, which goes with its last reference. */
static bool is_taken(struct index *ix, const struct gone *g)
{
	struct map_node *node = !g->given_up ? map_find(&ix->by_ino, map_hash_u64(g->ino),
							index_same_ino, &g->ino) : NULL;
	struct version *v;
	bool has = false;

	if (!node)
		return false;
	v = container_of(node, struct version, ino_node);
	WITH_LOCK(&v->lock)
		has = v->stored || v->saved;
	if (!has)
		return false;
	v->doomed = true;
	v->row = false;
	version_drop_key(v);
	return true;
}

void trash_free_blobs(struct index *ix, struct trash *t)
{
	if (t->n)
		WITH_LOCK(&ix->lock)
			ix->generation++;	/* from here on nobody makes one */
	for (size_t i = 0; i < t->n; i++) {
		const struct blob *blob = &t->all[i].blob;
		bool taken = false;

		WITH_LOCK(&ix->lock)
			taken = is_taken(ix, &t->all[i]);
		if (taken)
			continue;
		if (blob->kind == BLOB_PARTIAL)
			index_unlink_partial(ix, blob->id);
		else
			store_delete(ix->store, blob);
		step("delete");
	}
	if (t->names && ix->config.stale_names)
		ix->config.stale_names(ix->config.arg);
}

void trash_empty(struct index *ix, struct trash *t)
{
	trash_free_blobs(ix, t);
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

/* index.lock and v->lock held. */
static bool may_leave(const struct version *v, bool evicted, const struct trash *trash)
{
	return !evicted || (v->state == VERSION_COMPLETE && v->stored &&
			    !is_being_read(v, trash->desperate));
}

static void note_doomed(struct trash *trash, uint64_t ino)
{
	const struct blob none = { .kind = BLOB_NONE };
	size_t n = trash->n;

	trash_add(trash, &none, ino, true);
	if (trash->n > n)
		trash->all[n].doomed = true;
}

void trash_undo(struct index *ix, struct trash *t)
{
	WITH_LOCK(&ix->lock)
		for (size_t i = 0; i < t->n; i++) {
			uint64_t ino = t->all[i].ino;
			struct map_node *node = t->all[i].doomed ?
				map_find(&ix->by_ino, map_hash_u64(ino), index_same_ino, &ino) : NULL;
			struct version *v = node ? container_of(node, struct version, ino_node) : NULL;

			if (v)
				WITH_LOCK(&v->lock)
					v->doomed = false;
			if (v)
				v->row = true;
		}
	trash_forget(t);
}

/* index.lock and v->lock held. A version that people hold stays readable when
 * it is merely out of date (its blob goes with it), but not when its bytes are
 * what is needed: then reads bring them back from the origin, or fail. */
static void leave_version(struct version *v, bool evicted, struct trash *trash)
{
	if (!evicted) {
		if (v->row && !v->doomed)
			note_doomed(trash, v->ino);
		v->doomed = true;
	} else if (v->stored) {
		trash_add(trash, &v->blob, v->ino, true);
		trash->names = true;
		v->stored = false;
		v->read_high = 0;
	}
	v->row = false;
	version_drop_key(v);
}

/* index.lock held: the version whose row it is. Not one that gave its row and blob
 * up before, when the disk kept the row from being deleted. */
static struct version *in_memory(struct index *ix, uint64_t ino)
{
	struct map_node *node = map_find(&ix->by_ino, map_hash_u64(ino), index_same_ino, &ino);
	struct version *v = node ? container_of(node, struct version, ino_node) : NULL;
	bool stored = false;

	if (v && !v->row)
		WITH_LOCK(&v->lock)
			stored = v->stored;
	return v && (v->row || stored) ? v : NULL;
}

int leave_row(struct index *ix, const struct record *r, enum leave_reason reason,
	      struct trash *trash)
{
	bool evicted = reason == LEAVE_EVICTED || reason == LEAVE_EXPIRED;
	struct version *v = NULL;
	bool leaves = true;
	int err;

	WITH_LOCK(&ix->lock) {
		v = in_memory(ix, r->ino);
		if (v)
			WITH_LOCK(&v->lock)
				leaves = may_leave(v, evicted, trash);
	}
	if (!leaves)
		return 0;
	/* The row first: the version is as it was when that fails. */
	err = db_delete(ix->db, r->ino);
	if (err)
		return err;
	WITH_LOCK(&ix->lock) {
		v = in_memory(ix, r->ino);
		if (v)
			WITH_LOCK(&v->lock)
				leave_version(v, evicted, trash);
	}
	if (!v)
		trash_add(trash, &r->blob, r->ino, false);
	if (reason == LEAVE_EVICTED)
		count(evictions);
	else if (reason == LEAVE_EXPIRED)
		count(expired);
	return 1;
}
