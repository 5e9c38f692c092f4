/* housekeeping.c - what thread I does between batches: make room, expire,
 * keep the WAL short, and drop the rows that a crash left. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/counters.h"
#include "../base/log.h"
#include "../base/step.h"
#include "ballast.h"
#include "index_private.h"

enum {
	WAL_MAX = 16 * 1024 * 1024,
	BLOCK = 4096,
	ROW_WRITES = 16 * BLOCK,	/* to the WAL for a row, at most: its pages, and those above */
};

/* --- eviction --- */

struct eviction {
	struct index *ix;
	struct trash trash;
	int64_t wanted, freed;
	int err;
};

static bool take_victim(void *arg, const struct record *r, bool expired)
{
	struct eviction *e = arg;

	e->err = leave_row(e->ix, r, expired ? LEAVE_EXPIRED : LEAVE_EVICTED, &e->trash);
	if (e->err < 0)
		return false;
	if (e->err)
		e->freed += (int64_t)r->blob.stored +
			    (r->blob.kind == BLOB_FILE ? BLOCK : 0);
	return e->freed < e->wanted;
}

/* The disk has no room to note that these went; but what they take is room. Should
 * the rows not go now either, their readers find out (version.c). */
static int evict_blobs_first(struct index *ix, struct trash *t)
{
	int err;

	/* Not yet the places in segments: those must not be given back twice. */
	for (size_t i = 0; i < t->n; i++)
		if (t->all[i].blob.kind == BLOB_FILE)
			store_delete(ix->store, &t->all[i].blob);
	ballast_drop(ix->dir);
	err = db_begin(ix->db);
	for (size_t i = 0; i < t->n && !err; i++)
		err = db_delete(ix->db, t->all[i].ino);
	if (!err)
		err = db_commit(ix->db);
	if (err)
		db_rollback(ix->db);
	else
		trash_free_blobs(ix, t);
	db_checkpoint(ix->db);
	return err;
}

static int evict_once(struct index *ix, int64_t wanted, int64_t *ret_freed)
{
	struct eviction e = { .ix = ix, .wanted = wanted };
	int err = db_begin(ix->db);

	if (!err)
		err = evict_run(&ix->evict, clock_wall_ms(), take_victim, &e);
	if (!err && e.err >= 0 && e.freed < wanted) {
		e.trash.desperate = true;
		err = evict_run(&ix->evict, clock_wall_ms(), take_victim, &e);
	}
	if (!err && e.err < 0)
		err = e.err;
	step("evict");
	if (!err)
		err = db_commit(ix->db);
	step("evicted");
	if (err) {
		db_rollback(ix->db);
		index_damaged(ix, err);
		/* In memory they are gone already. */
		err = evict_blobs_first(ix, &e.trash);
	} else {
		trash_free_blobs(ix, &e.trash);
	}
	trash_forget(&e.trash);
	*ret_freed = e.freed;
	if (err)
		index_failed(ix, "eviction", err);
	return err;
}

/* Tell who waits for room; when nothing could be freed, for the last time. */
static void offer_room(struct index *ix, bool hopeless)
{
	struct list *first;

	for (;;) {
		struct version *v = NULL;
		void (*room)(void *) = NULL;
		void *arg = NULL;

		WITH_LOCK(&ix->lock) {
			first = list_pop(&ix->waiting_for_room);
			if (!first)
				break;
			v = list_entry(first, struct version, room_link);
			v->refs++;
			WITH_LOCK(&v->lock) {
				if (hopeless)
					v->body.no_room = true;
				room = v->room;
				arg = v->room_arg;
			}
		}
		if (!v)
			return;
		if (room)
			room(arg);
		version_unref(v);
	}
}

static int64_t disk_short(struct index *ix)
{
	struct statvfs st;

	if (ix->config.min_free <= 0 || fstatvfs(ix->dir, &st) < 0)
		return 0;
	return ix->config.min_free - (int64_t)(st.f_bavail * st.f_frsize);
}

void housekeeping_evict(struct index *ix, int64_t bytes)
{
	bool waiting = false, hopeless = false;
	int64_t excess, freed = 0, wanted;

	WITH_LOCK(&ix->lock)
		waiting = !list_empty(&ix->waiting_for_room);
	/* What is freed in segments comes back when their holes do: look again. */
	for (int round = 0; round < 4; round++) {
		excess = space_excess(&ix->space);
		wanted = bytes + excess;
		if (disk_short(ix) > wanted)
			wanted = disk_short(ix);
		if (wanted <= 0 && waiting)
			wanted = 2 * BODY_SMALL;
		if (wanted <= 0)
			break;
		/* An index that fails frees nothing, however often it is asked. */
		hopeless = evict_once(ix, wanted, &freed) < 0 || freed == 0;
		bytes = 0;
		if (hopeless || space_excess(&ix->space) <= 0)
			break;
	}
	if (waiting)
		offer_room(ix, hopeless);
}

/* --- once a second --- */

static void checkpoint(struct index *ix)
{
	step("checkpoint");
	db_checkpoint(ix->db);
	step("checkpointed");
	ix->checkpointed = db_disk_bytes(ix->db);
}

/* What the index takes grows before it is counted: so more is counted, and it is looked at
 * when it can have grown by a part of that. */
void housekeeping_count_index(struct index *ix, int rows)
{
	int64_t slack = ix->config.size / 16 < WAL_MAX ? ix->config.size / 16 : WAL_MAX;
	int64_t bytes;

	ix->uncounted += (int64_t)rows * ROW_WRITES;
	if (rows && ix->uncounted < slack / 8)
		return;
	ix->uncounted = 0;
	bytes = db_disk_bytes(ix->db);
	if (bytes > ix->checkpointed + slack) {
		checkpoint(ix);
		bytes = ix->checkpointed;
	}
	space_set_index(&ix->space, bytes + slack / 4);
}

/* A second has passed without a row: what the WAL takes is worth more elsewhere. */
static void cut_wal_when_idle(struct index *ix)
{
	if (ix->wal_idles && !ix->wrote) {
		checkpoint(ix);
		ix->wal_idles = false;
	}
	ix->wal_idles = ix->wal_idles || ix->wrote;
	ix->wrote = false;
}

/* Whether the disk takes a row and a file again. */
static void recover(struct index *ix)
{
	_cleanup_(cleanup_close) int fd = -1;
	char block[BLOCK] = { 0 };
	int err = db_set_value(ix->db, "probe", block, sizeof block);

	if (err)
		return;
	fd = openat(ix->dir, "partial/0", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (write(fd, block, sizeof block) == sizeof block && store_is_there(ix->store))
		index_worked(ix);
	unlinkat(ix->dir, "partial/0", 0);
}

void housekeeping_tick(struct index *ix)
{
	uint64_t left = 0;

	cut_wal_when_idle(ix);
	housekeeping_count_index(ix, 0);
	WITH_LOCK(&ix->lock)
		left = ix->ahead_end - ix->ahead_ino;
	if (left == 0) {
		uint64_t first;

		if (db_take_inos(ix->db, 65536, &first) == 0)
			WITH_LOCK(&ix->lock) {
				ix->ahead_ino = first;
				ix->ahead_end = first + 65536;
			}
	}
	if (space_excess(&ix->space) > 0 || disk_short(ix) > 0)
		housekeeping_evict(ix, 0);
	compact_one(ix);
	pack_start(ix);
	keys_start(ix);
	ballast_keep(ix->dir, ballast_bytes(ix->config.size));
	if (renew_dir(ix)) {
		if (!db_is_there(ix->db))
			index_damaged(ix, -EBADMSG);
		if (atomic_load(&ix->damaged))
			renew_index(ix);
	}
	if (!index_is_well(ix))
		recover(ix);
}

/* --- what a crash left --- */

static bool drop_leftover(void *arg, const struct record *r)
{
	struct index *ix = arg;

	return db_delete(ix->db, r->ino) == 0 && !atomic_load(&ix->stopping);
}

/* Rows whose bodies were arriving when the last run was killed: at most as many
 * as transfers were under way. */
void housekeeping_leftovers(struct index *ix)
{
	int err = db_begin(ix->db);

	if (!err)
		err = db_each_leftover(ix->db, ix->first_ino, drop_leftover, ix);
	if (!err)
		err = db_commit(ix->db);
	if (err) {
		db_rollback(ix->db);
		index_failed(ix, "leftovers", err);
	}
}
