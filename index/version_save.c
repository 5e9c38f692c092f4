/* version_save.c - bodies that nobody fetches for now: what is there of them is kept for
 * the next run, with checksums, and compared with those before it is believed then. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/counters.h"
#include "../base/log.h"
#include "../base/step.h"
#include "blob_sums.h"
#include "disk.h"
#include "index_private.h"

/* The sum of [begin, end) of the file; room takes so many bytes. */
static int sum_of(int fd, char *room, int64_t begin, int64_t end, uint64_t *ret)
{
	int err = disk_read(fd, room, (size_t)(end - begin), begin);

	if (!err)
		*ret = blob_sum(room, (size_t)(end - begin));
	return err;
}

/* --- verifying --- */

/* The lock is held. The piece as it was when its sum was looked at, or NULL. */
static struct saved_piece *same_piece(struct version *v, const struct saved_piece *seen)
{
	struct saved_piece *p = saved_map_find(&v->body.saved, seen->begin);

	return p && p->begin == seen->begin && p->end == seen->end && p->sum == seen->sum ?
	       p : NULL;
}

static void judge(struct version *v, const struct saved_piece *seen, bool right)
{
	bool warn = false;

	WITH_LOCK(&v->lock) {
		struct saved_piece *p = same_piece(v, seen);

		if (!p || p->sure)
			return;
		if (right) {
			p->sure = true;
			return;
		}
		ranges_remove(&v->body.have, p->begin, p->end);
		saved_map_drop(&v->body.saved, p);
		warn = !v->body.saved.warned;
		v->body.saved.warned = true;
	}
	count(corrupt);
	if (warn)
		log_warn("stored part of %s is damaged: fetched again", v->key);
}

/* The next piece in doubt, and a descriptor to read it from; -1: there is none. */
static int next_doubt(struct version *v, int64_t off, int64_t end, struct saved_piece *ret)
{
	int fd = -1;

	WITH_LOCK(&v->lock) {
		const struct saved_piece *p = v->body.kind == BODY_FILE ?
					      saved_map_doubt(&v->body.saved, off, end) : NULL;

		if (!p)
			break;
		*ret = *p;
		fd = fcntl(v->body.fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			fd = -errno - 1;
	}
	return fd;
}

int version_verify(struct version *v, int64_t off, int64_t end)
{
	for (;;) {
		_cleanup_(cleanup_free) char *room = NULL;
		_cleanup_(cleanup_close) int fd = -1;
		struct saved_piece piece;
		uint64_t sum = 0;
		int err;

		fd = next_doubt(v, off, end, &piece);
		if (fd == -1)
			return 0;
		if (fd < -1)
			return fd + 1;
		room = malloc((size_t)(piece.end - piece.begin));
		if (!room)
			return -ENOMEM;
		/* What cannot be read is as good as damaged. */
		err = sum_of(fd, room, piece.begin, piece.end, &sum);
		judge(v, &piece, !err && sum == piece.sum);
	}
}

/* --- saving --- */

/* The lock is held: the pieces of what is there, those that were saved before with
 * their sums. */
static int plan(struct version *v, struct saved_map *ret)
{
	const struct saved_map *old = &v->body.saved;
	int err = saved_map_cut(&v->body.have, old->chunk ? old->chunk :
				saved_map_chunk(v->length), ret);

	if (err)
		return err;
	ret->warned = old->warned;
	for (size_t i = 0; i < ret->n; i++) {
		struct saved_piece *p = &ret->pieces[i], *was = saved_map_find(old, p->begin);

		if (was && was->begin == p->begin && was->end == p->end)
			*p = *was;
	}
	return 0;
}

/* Whether the piece was saved as it is. */
static bool was_saved(struct version *v, const struct saved_piece *p)
{
	bool saved = false;

	WITH_LOCK(&v->lock)
		saved = same_piece(v, p) != NULL;
	return saved;
}

static bool is_there(struct version *v, const struct saved_piece *p)
{
	bool there = false;

	WITH_LOCK(&v->lock)
		there = v->body.kind == BODY_FILE && ranges_has(&v->body.have, p->begin, p->end);
	return there;
}

/* The sums that are new: of pieces that grew, what an earlier run left of them is verified
 * first, or damage would get a right sum. Pieces that turn out bad are left out. */
static int add_sums(struct version *v, int fd, struct saved_map *map)
{
	_cleanup_(cleanup_free) char *room = malloc((size_t)map->chunk);
	size_t kept = 0;
	int err = room ? 0 : -ENOMEM;

	for (size_t i = 0; i < map->n && !err; i++) {
		struct saved_piece p = map->pieces[i];

		if (!was_saved(v, &p)) {
			err = version_verify(v, p.begin, p.end);
			if (!err && !is_there(v, &p))
				continue;
			if (!err)
				err = sum_of(fd, room, p.begin, p.end, &p.sum);
			p.sure = true;
		}
		map->pieces[kept++] = p;
	}
	map->n = kept;
	return err;
}

/* The lock is held: the new map takes the place of the old one, of which some pieces may
 * have been looked at meanwhile. */
static void install(struct version *v, struct saved_map *map)
{
	struct saved_map old = v->body.saved;

	for (size_t i = 0; i < map->n; i++) {
		const struct saved_piece *was = same_piece(v, &map->pieces[i]);

		if (!map->pieces[i].sure)
			map->pieces[i].sure = !was || was->sure;
	}
	map->warned = old.warned;
	v->body.saved = *map;
	*map = old;
}

/* *ret_fd: the file; *ret_map: what is there of it. */
static int describe(struct version *v, int *ret_fd, struct saved_map *ret_map)
{
	int err = -ESTALE;

	WITH_LOCK(&v->lock) {
		if (v->state != VERSION_ARRIVING || v->body.kind != BODY_FILE)
			break;
		v->unsaved = false;
		*ret_fd = fcntl(v->body.fd, F_DUPFD_CLOEXEC, 3);
		err = *ret_fd < 0 ? -errno : plan(v, ret_map);
	}
	return err ? err : add_sums(v, *ret_fd, ret_map);
}

static void save_run(struct job *job)
{
	struct version *v = container_of(job, struct version, save_job);
	_cleanup_(saved_map_fini) struct saved_map map = SAVED_MAP_INIT;
	_cleanup_(cleanup_free) char *text = NULL;
	_cleanup_(cleanup_close) int fd = -1;
	bool saved = describe(v, &fd, &map) == 0;

	if (saved)
		text = saved_map_render(&map);
	/* On disk before the row says so: a crash may lose bytes, not invent them. */
	saved = text && fdatasync(fd) == 0;
	step("save");
	WITH_LOCK(&v->lock) {
		v->saving = false;
		saved = saved && v->state == VERSION_ARRIVING && v->body.kind == BODY_FILE;
		if (saved) {
			char *old = v->saved_text;

			v->saved = true;
			v->saved_text = text;
			text = old;
			install(v, &map);
		}
	}
	if (saved)
		writer_sync(v, NULL, NULL);
	step("saved");
	version_unref(v);
}

/* Both locks held. */
static bool may_save(const struct version *v)
{
	return v->current && !v->transient && v->row && v->state == VERSION_ARRIVING &&
	       !v->saving && v->body.kind == BODY_FILE && (v->meta->flags & META_RANGES);
}

static void post(struct version *v)
{
	v->save_job.run = save_run;
	pool_post(&v->index->pool, &v->save_job);
}

void version_save(struct version *v)
{
	bool start = false;

	WITH_LOCK(&v->index->lock)
		WITH_LOCK(&v->lock) {
			start = may_save(v);
			if (start) {
				v->saving = true;
				v->refs++;
			}
		}
	if (start)
		post(v);
}

bool version_save_wanted(struct version *v)
{
	bool wanted = false;

	/* At the end there is nobody to do it. */
	if (!v->index->running || atomic_load(&v->index->stopping))
		return false;
	WITH_LOCK(&v->lock) {
		wanted = v->unsaved && may_save(v) && version_resumable(v->meta);
		if (wanted)
			v->saving = true;
	}
	return wanted;
}

void version_save_last(struct version *v)
{
	post(v);
}
