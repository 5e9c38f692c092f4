/* compact.c - the rest of a mostly dead segment moves, so that the file can go.
 * Thread I, between batches. */
#include <errno.h>
#include <inttypes.h>

#include "../base/log.h"
#include "../base/step.h"
#include "index_private.h"

struct moving {
	struct moves moves;
	int err;
};

static bool move_blob(void *arg, const struct record *r)
{
	struct moving *m = arg;
	struct index *ix = m->moves.ix;
	struct moved *one = moves_add(&m->moves, r->ino, &r->blob);

	m->err = one ? store_copy(ix->store, &r->blob, &one->to) : -ENOMEM;
	if (m->err == -EBADMSG || m->err == -ENOENT) {
		/* Damaged: whoever reads it finds out, and it is fetched again. */
		m->err = 0;
		return true;
	}
	if (!m->err)
		m->err = db_set_blob(ix->db, r->ino, &one->to, NULL);
	if (!m->err)
		one->noted = true;
	return !m->err;
}

void compact_one(struct index *ix)
{
	struct moving m = { .moves.ix = ix };
	uint64_t segment;
	int err;

	if (store_segment_pick(ix->store, &segment) < 0)
		return;
	err = db_begin(ix->db);
	if (!err)
		err = db_each_in_segment(ix->db, segment, move_blob, &m);
	if (!err)
		err = m.err;
	step("compact");
	if (!err)
		err = db_commit(ix->db);
	else
		db_rollback(ix->db);
	step("compacted");
	moves_finish(&m.moves, !err);
	if (err)
		log_debug("segment %" PRIu64 " not compacted (%d)", segment, err);
}
