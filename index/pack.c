/* pack.c - bodies that were stored as they are, because there was no time, are packed when
 * there is. A job of threads C, which asks thread I to move the rows, some at a time. */
#include <errno.h>
#include <stdlib.h>

#include "../base/cleanup.h"
#include "../base/log.h"
#include "../base/step.h"
#include "index_private.h"

enum { SLICE = 64 };	/* bodies between two looks at whether it should go on */

static bool may_go_on(struct index *ix)
{
	return !atomic_load(&ix->closing) && store_is_calm(ix->store) && index_is_well(ix);
}

/* Its row still says that it is where it was. */
static bool is_there(struct index *ix, const struct moved *one)
{
	struct record r;
	bool same = false;

	if (db_find_written(ix->db, one->ino, &r) == 0) {
		same = moves_same_place(&r.blob, &one->from);
		record_fini(&r);
	}
	return same;
}

/* Thread I, between batches. */
static int note_moves(struct index *ix, void *arg)
{
	struct moves *m = arg;
	int err = db_begin(ix->db);

	for (size_t i = 0; i < m->n && !err; i++) {
		struct moved *one = &m->all[i];

		if (one->to.kind != BLOB_SEGMENT || !is_there(ix, one))
			continue;
		err = db_set_blob(ix->db, one->ino, &one->to, NULL);
		one->noted = !err;
	}
	step("pack");
	if (!err)
		err = db_commit(ix->db);
	else
		db_rollback(ix->db);
	step("packed");
	moves_finish(m, !err);
	return err;
}

/* What cannot be packed because it is damaged stays: whoever reads it finds out. */
static int pack_one(struct moves *m, const struct record *r)
{
	struct moved *one = moves_add(m, r->ino, &r->blob);
	struct blob to;
	int err;

	if (!one)
		return -ENOMEM;
	err = store_pack(m->ix->store, &r->blob, r->key,
			 r->meta ? r->meta->content_type : NULL, &to);
	if (!err)
		one->to = to;
	return err == -EBADMSG || err == -ENOENT ? 0 : err;
}

/* The next bodies of the segment behind *after. 1: there may be more, 0: that was all. */
static int pack_slice(struct index *ix, uint64_t segment, struct db_place *after)
{
	struct moves m = { .ix = ix };
	struct record rows[SLICE];
	size_t n = 0, done = 0;
	int err, failed;

	err = db_next_in_segment(ix->db, segment, after, rows, SLICE, &n);
	while (!err && done < n)
		err = pack_one(&m, &rows[done++]);
	for (size_t i = 0; i < n; i++)
		record_fini(&rows[i]);
	failed = m.n ? writer_between(ix, note_moves, &m) : 0;
	moves_finish(&m, false);	/* thread I was not reached */
	if (!err)
		err = failed;
	if (err)
		return err;
	return n == SLICE;
}

static void pack_run(struct job *job)
{
	struct index *ix = container_of(job, struct index, pack_job);
	uint64_t segment = 0;
	int more = 0;

	while (may_go_on(ix) && store_train(ix->store))
		;
	while (more >= 0 && may_go_on(ix) && store_loose_take(ix->store, segment, &segment) == 0) {
		struct db_place after = { 0 };

		do {
			more = pack_slice(ix, segment, &after);
			store_train(ix->store);
		} while (more > 0 && may_go_on(ix));
	}
	if (more < 0)
		log_debug("not packed (%d)", more);
	/* What is left had its chance: not before more of it comes. */
	atomic_store(&ix->unpacked, may_go_on(ix) ? store_loose(ix->store) : 0);
	atomic_store(&ix->packing, false);
}

void pack_start(struct index *ix)
{
	int64_t loose = store_loose(ix->store);
	bool wanted = (loose && loose != atomic_load(&ix->unpacked)) ||
		      store_may_train(ix->store);

	if (!wanted || !may_go_on(ix) || atomic_exchange(&ix->packing, true))
		return;
	ix->pack_job.run = pack_run;
	pool_post_long(&ix->pool, &ix->pack_job);
}
