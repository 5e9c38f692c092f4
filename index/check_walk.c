/* check_walk.c - see check_walk.h. */
#include "check_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/counters.h"
#include "../base/log.h"
#include "blob_sums.h"
#include "check_disk.h"
#include "disk.h"
#include "index_private.h"

enum { PAGE = 64 };	/* rows; what is wrong with them is repaired together */

/* What is wrong with a row. */
enum fault {
	FAULT_NONE,
	FAULT_ROW,		/* its own sum */
	FAULT_BODY,
	FAULT_MISSING,
	FAULT_LEFTOVER,
	FAULT_PIECES,		/* some of a partial body: the rest stays */
};

struct finding {
	enum fault fault;
	struct record *row;
	char *pieces;		/* PIECES: the saved_map without them; owned */
	uint64_t kept;		/* PIECES: bytes of it */
	bool repaired;		/* by thread I: its row had not changed */
};

static bool stopped(const struct check_walk *w)
{
	return w->stop && atomic_load(w->stop);
}

/* --- one row --- */

static bool in_memory(struct index *ix, uint64_t ino)
{
	bool found = false;

	WITH_LOCK(&ix->lock)
		found = map_find(&ix->by_ino, map_hash_u64(ino), index_same_ino, &ino) != NULL;
	return found;
}

/* Memory and descriptors: that says nothing of the body. */
static bool is_of_us(int err)
{
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE;
}

static int fault_of(int err, enum fault *ret)
{
	if (is_of_us(err))
		return err;
	*ret = !err ? FAULT_NONE : err == -ENOENT ? FAULT_MISSING : FAULT_BODY;
	return 0;
}

/* Pieces whose sums are wrong leave the map. -errno: they could not be read for a reason
 * that is not theirs. */
static int check_pieces(int fd, struct saved_map *map, struct check_status *status)
{
	_cleanup_(cleanup_free) char *room = malloc((size_t)map->chunk);
	size_t kept = 0;

	if (!room)
		return -ENOMEM;
	for (size_t i = 0; i < map->n; i++) {
		struct saved_piece *p = &map->pieces[i];
		size_t len = (size_t)(p->end - p->begin);

		if (disk_read(fd, room, len, p->begin) == 0 && blob_sum(room, len) == p->sum)
			map->pieces[kept++] = *p;
		status->bytes += (int64_t)len;
	}
	map->n = kept;
	return 0;
}

/* It became whole, and its run was killed before the row said so. */
static bool was_stored(struct index *ix, uint64_t ino)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof path, "blobs/%02x/%" PRIu64, (unsigned)(ino % 256), ino);
	return fstatat(ix->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int check_partial(struct check_walk *w, struct finding *f)
{
	_cleanup_(saved_map_fini) struct saved_map map = SAVED_MAP_INIT;
	_cleanup_(ranges_fini) struct ranges left = RANGES_INIT;
	_cleanup_(cleanup_close) int fd = -1;
	char path[32];
	size_t n;
	int err;

	if (!f->row->ranges || saved_map_parse(f->row->ranges, &map) < 0) {
		f->fault = FAULT_BODY;
		return 0;
	}
	snprintf(path, sizeof path, "partial/%" PRIu64, f->row->ino);
	fd = openat(w->ix->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT && was_stored(w->ix, f->row->ino)) {
		f->fault = FAULT_LEFTOVER;
		return 0;
	}
	if (fd < 0)
		return fault_of(-errno, &f->fault);
	n = map.n;
	err = check_pieces(fd, &map, &w->status);
	if (!err)
		err = saved_map_ranges(&map, &left);
	if (err || map.n == n)
		return err;
	f->fault = FAULT_PIECES;
	f->kept = (uint64_t)ranges_total(&left);
	f->pieces = saved_map_render(&map);
	return f->pieces ? 0 : -ENOMEM;
}

static int check_row(struct check_walk *w, struct finding *f)
{
	const struct record *r = f->row;
	int err;

	w->status.rows++;
	if (!r->key) {
		f->fault = FAULT_ROW;
		return 0;
	}
	if (!r->current || r->blob.kind == BLOB_ARRIVING) {
		if (r->ino < w->ix->first_ino && !in_memory(w->ix, r->ino))
			f->fault = FAULT_LEFTOVER;
		return 0;
	}
	if (r->blob.kind == BLOB_NONE)
		return 0;
	w->status.bodies++;
	if (r->blob.kind == BLOB_PARTIAL)
		return check_partial(w, f);
	err = store_check(w->ix->store, &r->blob);
	w->status.bytes += (int64_t)r->blob.stored;
	return fault_of(err, &f->fault);
}

/* --- repairs: thread I --- */

struct repairs {
	struct finding *all;
	size_t n;
};

/* The row is still what was checked: what was wrong with it is wrong with it now. */
static bool is_unchanged(struct index *ix, const struct record *seen)
{
	struct record now;
	bool same;

	if (db_find_written(ix->db, seen->ino, &now) < 0)
		return false;
	same = now.current == seen->current && memcmp(&now.blob, &seen->blob, sizeof now.blob) == 0 &&
	       strcmp(now.ranges ? now.ranges : "", seen->ranges ? seen->ranges : "") == 0;
	record_fini(&now);
	return same;
}

/* The bytes of a partial body in memory may have come to rest elsewhere, and the row is
 * about to say so. Who has it notices by himself what is wrong. */
static bool is_on_its_way(struct index *ix, const struct finding *f)
{
	return f->row->blob.kind == BLOB_PARTIAL && f->fault != FAULT_PIECES &&
	       in_memory(ix, f->row->ino);
}

static int repair_pieces(struct index *ix, const struct finding *f)
{
	struct blob blob = f->row->blob;

	/* In memory it knows more than its row: see tell_version(). */
	if (in_memory(ix, f->row->ino))
		return 0;
	blob.stored = f->kept;
	return db_set_blob(ix->db, f->row->ino, &blob, f->pieces);
}

/* The bytes go with the row; who reads them now finds out by himself. */
static int repair_one(struct index *ix, struct finding *f, struct trash *trash)
{
	int left;

	if (f->fault == FAULT_ROW)
		return db_delete(ix->db, f->row->ino);
	if (f->fault == FAULT_PIECES)
		return repair_pieces(ix, f);
	left = leave_row(ix, f->row, LEAVE_PURGED, trash);
	trash->names = true;
	return left < 0 ? left : 0;
}

static int repair_all(struct index *ix, struct trash *trash, void *arg)
{
	struct repairs *rs = arg;

	for (size_t i = 0; i < rs->n; i++) {
		struct finding *f = &rs->all[i];
		int err = 0;

		f->repaired = f->fault == FAULT_ROW ||
			      (f->fault != FAULT_NONE && !is_on_its_way(ix, f) &&
			       is_unchanged(ix, f->row));
		if (f->repaired)
			err = repair_one(ix, f, trash);
		if (err)
			return err;
	}
	return 0;
}

/* A version that is in memory: its pieces are judged there, and saved anew. */
static void tell_version(struct index *ix, uint64_t ino)
{
	struct version *v;

	if (!ix->running || !in_memory(ix, ino) || index_find_ino(ix, ino, &v) < 0)
		return;
	if (version_verify(v, 0, INT64_MAX) == 0)
		version_save(v);
	version_unref(v);
}

static void count_fault(struct check_status *s, const struct finding *f)
{
	switch (f->fault) {
	case FAULT_NONE:
		return;
	case FAULT_ROW:
		s->damaged_rows++;
		break;
	case FAULT_MISSING:
		s->missing_bodies++;
		break;
	case FAULT_LEFTOVER:
		s->leftover_rows++;
		return;
	case FAULT_BODY:
	case FAULT_PIECES:
		s->damaged_bodies++;
		break;
	}
	count(corrupt);
	log_warn("check: %s of %s is %s", f->fault == FAULT_ROW ? "the row" : "the stored body",
		 f->row->key ? f->row->key : "a key that is lost",
		 f->fault == FAULT_MISSING ? "missing" : "damaged");
}

static int repair(struct check_walk *w, struct finding *all, size_t n)
{
	struct repairs rs = { all, n };
	bool wrong = false;
	int err;

	for (size_t i = 0; i < n; i++)
		wrong = wrong || all[i].fault != FAULT_NONE;
	if (!wrong)
		return 0;
	err = writer_run(w->ix, repair_all, &rs);
	for (size_t i = 0; i < n && !err; i++) {
		if (!all[i].repaired)
			continue;
		count_fault(&w->status, &all[i]);
		if (all[i].fault == FAULT_PIECES)
			tell_version(w->ix, all[i].row->ino);
	}
	return err;
}

/* --- all rows --- */

static int check_page(struct check_walk *w, struct record *rows, size_t n)
{
	struct finding all[PAGE] = { { .fault = FAULT_NONE } };
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		all[i].row = &rows[i];
		err = stopped(w) ? -EINTR : check_row(w, &all[i]);
		if (w->progress)
			w->progress(w);
	}
	if (!err)
		err = repair(w, all, n);
	for (size_t i = 0; i < n; i++)
		free(all[i].pieces);
	return err;
}

static int check_rows(struct check_walk *w)
{
	struct record rows[PAGE];
	uint64_t after = 0;
	size_t n;
	int err;

	do {
		n = 0;
		err = db_next_rows(w->ix->db, after, rows, PAGE, &n);
		if (!err && n) {
			after = rows[n - 1].ino;
			err = check_page(w, rows, n);
		}
		for (size_t i = 0; i < n; i++)
			record_fini(&rows[i]);
	} while (!err && n);
	return err;
}

/* --- the database, and the counters --- */

/* Thread I begins it anew (housekeeping_tick()). */
static int wait_for_renewal(struct check_walk *w)
{
	const struct timespec moment = { .tv_nsec = 50000000 };
	int64_t end = clock_mono_ms() + 30000;

	while (atomic_load(&w->ix->damaged)) {
		if (stopped(w))
			return -EINTR;
		if (clock_mono_ms() > end)
			return -EBADMSG;
		nanosleep(&moment, NULL);
	}
	return 0;
}

static int renew(struct check_walk *w)
{
	w->status.damaged_index = 1;
	index_damaged(w->ix, -EBADMSG);
	if (w->ix->running)
		return wait_for_renewal(w);
	renew_index(w->ix);
	return atomic_load(&w->ix->damaged) ? -EBADMSG : 0;
}

static int check_index(struct check_walk *w)
{
	int err;

	w->status.damaged_index = db_was_damaged(w->ix->db) && !w->ix->running;
	err = db_check(w->ix->db);
	return err == -EBADMSG ? renew(w) : err;
}

static int recount(struct index *ix, struct trash *trash, void *arg)
{
	(void)trash;
	return db_recount(ix->db, arg);
}

static int check_counters(struct check_walk *w)
{
	bool wrong = false;
	int err = writer_run(w->ix, recount, &wrong);

	w->status.wrong_counters += wrong;
	if (!err)
		w->status.wrong_counters += check_disk_use(w->ix);
	return err;
}

static int check_all(struct check_walk *w)
{
	const _Atomic bool *stop = w->stop ? w->stop : &w->ix->stopping;
	int err = check_index(w);

	if (!err)
		err = check_rows(w);
	if (err == -EBADMSG)
		err = renew(w);
	if (!err)
		err = orphans_sweep(w->ix, NULL, stop, &w->status.orphan_files);
	if (!err)
		err = check_counters(w);
	return !err && stopped(w) ? -EINTR : err;
}

static bool any_fault(const struct check_status *s)
{
	return s->damaged_index || s->damaged_rows || s->damaged_bodies || s->missing_bodies ||
	       s->leftover_rows || s->orphan_files || s->wrong_counters;
}

void check_walk(struct check_walk *w)
{
	struct index_sums sums;
	int err;

	index_sums(w->ix, &sums);
	w->status = (struct check_status){ .state = CHECK_RUNNING, .started_ms = clock_mono_ms(),
					   .bytes_total = sums.bytes_stored };
	err = check_all(w);
	w->status.err = err;
	w->status.ended_ms = clock_mono_ms();
	w->status.state = err ? CHECK_FAILED : any_fault(&w->status) ? CHECK_REPAIRED : CHECK_CLEAN;
}
