/* op.c - what one op does to the rows. Thread I, inside a transaction. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "index_private.h"

struct supersede_walk {
	struct index *ix;
	struct trash *trash;
	uint64_t by;
	bool whole;			/* that is */
	bool waits;			/* there is one that goes only then */
	int err;
};

/* A copy that is good may be wanted again: should the new one not come to its end, and the origin
 * fail from then on, it stands in (RFC 9111 4.2.4). */
static bool may_stand_in(const struct record *r)
{
	return r->meta->status / 100 == 2 && r->blob.kind != BLOB_ARRIVING;
}

static bool supersede(void *arg, const struct record *r)
{
	struct supersede_walk *walk = arg;

	if (r->ino == walk->by)
		return true;
	walk->waits = !walk->whole && may_stand_in(r);
	if (!walk->waits)
		walk->err = leave_row(walk->ix, r, LEAVE_SUPERSEDED, walk->trash);
	return walk->err >= 0;
}

/* What a row of v would say now. Strings are borrowed from v, but for ranges. */
static void snapshot(struct version *v, struct record *r)
{
	WITH_LOCK(&v->lock) {
		*r = (struct record){ .ino = v->ino, .key = v->key, .current = true,
				      .meta = meta_ref(v->meta) };
		if (v->stored)
			r->blob = v->blob;
		else if (v->saved && v->saved_text && v->body.kind == BODY_FILE)
			r->blob = (struct blob){ .kind = BLOB_PARTIAL, .id = v->ino,
						 .stored = (uint64_t)ranges_total(&v->body.have) };
		else
			r->blob = (struct blob){ .kind = BLOB_ARRIVING };
		r->blob.length = v->length > 0 ? (uint64_t)v->length : 0;
		if (r->blob.kind == BLOB_PARTIAL)
			r->ranges = strdup(v->saved_text);
	}
}

static int sync_row(struct index *ix, struct trash *trash, struct op *op)
{
	struct version *v = op->v;
	struct supersede_walk walk = { .ix = ix, .trash = trash, .by = v->ino };
	struct record r;
	bool current = false, row = false;
	int err = 0;

	WITH_LOCK(&ix->lock) {
		current = v->current && !v->transient;
		row = v->row;
		op->was_kind = v->row_kind;
		/* Under one lock with the look at current: a purge either sees that
		 * there is a row to delete, or keeps us from writing one. */
		v->row = v->row || current;
	}
	op->first_row = current && !row;
	if (!current)
		return 0;	/* superseded or purged since: it must not come back */
	snapshot(v, &r);
	walk.whole = r.blob.kind != BLOB_ARRIVING;
	/* Until it is there for good it is what its key shows in memory alone. */
	if (op->was_kind == BLOB_ARRIVING)
		err = db_each_current_of(ix->db, v->key, supersede, &walk);
	r.current = !walk.waits;
	if (!err && walk.err < 0)
		err = walk.err;
	if (!err)
		err = db_put(ix->db, &r);
	WITH_LOCK(&ix->lock) {
		if (!err) {
			op->new_kind = v->row_kind != r.blob.kind;
			v->row_kind = r.blob.kind;
		}
		else if (!row)
			v->row = false;
	}
	meta_unref(r.meta);
	free(r.ranges);
	return err;
}

struct purge_walk {
	struct index *ix;
	struct trash *trash;
	const struct purge *purge;
	const struct target *targets;	/* those of it that this walk is about */
	size_t n;
	int64_t removed;
	int err;
};

static bool purge_row(void *arg, const struct record *r)
{
	struct purge_walk *walk = arg;
	struct index *ix = walk->ix;
	struct meta *stale;

	if (!target_matches_any(walk->targets, walk->n, r->key, r->meta))
		return true;
	if (r->meta->status / 100 == 2)
		walk->removed++;
	if (walk->purge->kind == PURGE_REMOVE) {
		walk->err = leave_row(ix, r, LEAVE_PURGED, walk->trash);
		walk->err = walk->err < 0 ? walk->err : 0;
	}
	if (walk->purge->kind != PURGE_REFRESH)
		return walk->err == 0;
	stale = target_refreshed(r->meta);
	walk->err = stale ? db_set_meta(ix->db, r->ino, stale) : -ENOMEM;
	meta_unref(stale);
	return walk->err == 0;
}

/* One walk over rows for each target that says where to look, and one over all rows
 * for those that do not. */
static int purge_rows(struct index *ix, struct trash *trash, struct purge *p)
{
	struct purge_walk all = { ix, trash, p, p->targets, p->n, 0, 0 };
	bool everywhere = false;
	int err = 0;

	p->removed_rows = 0;
	for (size_t i = 0; i < p->n && !everywhere; i++) {
		size_t len;

		target_scope(&p->targets[i], &len);
		everywhere = len == 0;
	}
	if (everywhere)
		err = db_each_prefix(ix->db, "", purge_row, &all);
	for (size_t i = 0; i < p->n && !everywhere && !err; i++) {
		const struct target *t = &p->targets[i];
		struct purge_walk walk = { ix, trash, p, t, 1, 0, 0 };
		size_t len;
		const char *scope = target_scope(t, &len);
		char *prefix = strndup(scope, len);

		if (!prefix)
			err = -ENOMEM;
		else if (t->kind == TARGET_KEY)
			err = db_each_current_of(ix->db, prefix, purge_row, &walk);
		else
			err = db_each_prefix(ix->db, prefix, purge_row, &walk);
		free(prefix);
		err = err ? err : walk.err;
		p->removed_rows += walk.removed;
	}
	p->removed_rows += all.removed;
	return err ? err : all.err;
}

/* Its blob too, unless that went with the row before. */
static int delete_row(struct index *ix, struct trash *trash, const struct op *op)
{
	struct record r;
	bool blob = op->blob.kind != BLOB_NONE && db_find_written(ix->db, op->ino, &r) == 0;
	int err = db_delete(ix->db, op->ino);

	if (blob) {
		if (!err)
			trash_add(trash, &op->blob, op->ino, true);
		record_fini(&r);
	}
	return err;
}

int op_run(struct index *ix, struct trash *trash, struct op *op)
{
	switch (op->kind) {
	case OP_SYNC:
		return sync_row(ix, trash, op);
	case OP_DELETE:
		return delete_row(ix, trash, op);
	case OP_PURGE:
		return purge_rows(ix, trash, op->purge);
	case OP_DECLARE:
		return db_declare(ix->db, op->key, op->declared);
	case OP_RUN:
		return op->run(ix, trash, op->run_arg);
	case OP_VALUE:
		return db_set_value(ix->db, op->key, op->data, op->len);
	case OP_BETWEEN:
	case OP_EVICT:
	case OP_NOTHING:
		break;
	}
	return 0;
}
