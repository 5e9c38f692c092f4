/* orphans.c - files that no row knows: what a crash left, and what a check finds. They go
 * in the background. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "index_private.h"

struct startup {
	struct job job;
	struct index *ix;
	struct db_view *rows;	/* as they were before this run deleted any */
};

/* A file of that number, and of that kind, has its row, or is of this run. */
static bool known_ino(struct index *ix, uint64_t ino, enum blob_kind kind)
{
	struct record r;
	bool known = false;
	int err;

	WITH_LOCK(&ix->lock)
		known = ino >= ix->first_ino ||
			map_find(&ix->by_ino, map_hash_u64(ino), index_same_ino, &ino);
	if (known)
		return true;
	err = db_find_ino(ix->db, ino, &r);
	if (err)
		return err != -ENOENT;	/* an index that cannot be read proves nothing */
	known = r.blob.kind == kind;
	record_fini(&r);
	return known;
}

struct segment_rows {
	struct index *ix;
	bool first_look;	/* later the store knows better what is live */
	uint64_t *known;
	size_t n, cap;
};

static void add_segment(struct segment_rows *rows, uint64_t segment)
{
	if (rows->n == rows->cap) {
		size_t cap = rows->cap ? rows->cap * 2 : 64;
		uint64_t *known = reallocarray(rows->known, cap, sizeof *known);

		if (!known)
			return;
		rows->known = known;
		rows->cap = cap;
	}
	rows->known[rows->n++] = segment;
}

static void note_segment(void *arg, uint64_t segment, uint64_t bytes)
{
	struct segment_rows *rows = arg;

	if (rows->first_look)
		store_segment_live(rows->ix->store, segment, bytes);
	add_segment(rows, segment);
}

/* index.lock held: its row may be gone, but not its readers. */
static bool note_version(struct map_node *node, void *arg)
{
	struct version *v = container_of(node, struct version, ino_node);
	uint64_t segment = 0;

	WITH_LOCK(&v->lock)
		if (v->stored && v->blob.kind == BLOB_SEGMENT)
			segment = v->blob.id;
	if (segment)
		add_segment(arg, segment);
	return true;
}

static bool known_segment(void *arg, uint64_t segment)
{
	struct segment_rows *rows = arg;

	for (size_t i = 0; i < rows->n; i++)
		if (rows->known[i] == segment)
			return true;
	return false;
}

struct sweep_arg {
	struct index *ix;
	struct segment_rows rows;
};

/* A row that just went: thread I is about to take its file, too, and that is no orphan.
 * Twice, as the first may be done in the middle of its batch. */
static void let_it_go(struct sweep_arg *arg)
{
	for (int i = 0; i < 2 && !arg->rows.first_look && arg->ix->running; i++) {
		struct op *op = op_new(OP_NOTHING);

		if (op)
			writer_call(arg->ix, op);
	}
}

static bool sweep_ino(void *arg, uint64_t ino)
{
	bool known = known_ino(((struct sweep_arg *)arg)->ix, ino, BLOB_FILE);

	if (!known)
		let_it_go(arg);
	return known;
}

static bool sweep_segment(void *arg, uint64_t segment)
{
	bool known = known_segment(&((struct sweep_arg *)arg)->rows, segment);

	if (!known)
		let_it_go(arg);
	return known;
}

static void sweep_partial(struct sweep_arg *arg, const _Atomic bool *stop, int64_t *removed)
{
	struct index *ix = arg->ix;
	int fd = openat(ix->dir, "partial", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (!atomic_load(stop) && (entry = readdir(dir)) != NULL) {
		uint64_t ino = strtoull(entry->d_name, NULL, 10);

		if (entry->d_name[0] == '.' || known_ino(ix, ino, BLOB_PARTIAL))
			continue;
		let_it_go(arg);
		*removed += index_unlink_partial(ix, ino);
	}
	closedir(dir);
}

/* Segments of rows that are there now; no place of them is given back by this. */
static int look_again(struct index *ix, struct segment_rows *rows)
{
	struct db_view *view;
	int err = db_view_open(ix->db, &view);

	if (err)
		return err;
	err = db_segments(view, note_segment, rows);
	db_view_close(ix->db, view);
	return err;
}

int orphans_sweep(struct index *ix, struct db_view *first_look, const _Atomic bool *stop,
		       int64_t *removed)
{
	struct sweep_arg arg = { .ix = ix, .rows = { .ix = ix, .first_look = first_look } };
	int err = first_look ? db_segments(first_look, note_segment, &arg.rows)
			     : look_again(ix, &arg.rows);

	/* An open view keeps checkpoints from their end, and the sweep takes long. */
	if (first_look)
		db_view_close(ix->db, first_look);

	WITH_LOCK(&ix->lock)
		map_each(&ix->by_ino, note_version, &arg.rows);
	if (!err)
		err = store_sweep(ix->store, sweep_ino, sweep_segment, &arg, stop, removed);
	sweep_partial(&arg, stop, removed);
	free(arg.rows.known);
	return err;
}

static void startup_run(struct job *job)
{
	struct startup *s = container_of(job, struct startup, job);
	struct index *ix = s->ix;
	int64_t removed = 0;

	if (!atomic_load(&ix->stopping))
		orphans_sweep(ix, s->rows, &ix->stopping, &removed);
	else
		db_view_close(ix->db, s->rows);
	free(s);
}

void orphans_start(struct index *ix)
{
	struct startup *s = calloc(1, sizeof *s);

	if (!s)
		return;
	if (db_view_open(ix->db, &s->rows) < 0) {
		free(s);	/* the next start does it */
		return;
	}
	s->ix = ix;
	s->job.run = startup_run;
	pool_post_long(&ix->pool, &s->job);
}
