/* segment.c - places in segments: taken, filled, read, given back. */
#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/step.h"
#include "disk.h"
#include "segment_table.h"

/* A dead segment that still takes puts is deleted as well, once it is so long. */
#define IDLE_END (1 << 20)

/* Shorter ones come from restarts. More than so many are worth moving together. */
#define SHORT_END (SEGMENT_SIZE / 4)
#define SHORT_MANY 16

/* A segment with less than this many percent live is worth moving. */
#define PICK_PERCENT 40

struct place {
	struct segment *seg;	/* in use */
	int64_t before;		/* end of the segment before */
	int64_t offset;
	size_t len;
	int64_t growth;		/* bytes on disk */
};

int segments_open(int dir, struct space *space, struct segments **ret)
{
	struct segments *ss = calloc(1, sizeof(*ss));
	int r;

	if (!ss)
		return -ENOMEM;
	ss->dir = dir;
	ss->space = space;
	ss->next = 1;
	pthread_mutex_init(&ss->lock, NULL);
	pthread_mutex_init(&ss->roll, NULL);
	r = segment_table_load(ss);
	if (r < 0) {
		segments_close(ss);
		return r;
	}
	*ret = ss;
	return 0;
}

void segments_close(struct segments *ss)
{
	if (!ss)
		return;
	for (size_t i = 0; i < ss->n; i++) {
		cleanup_close(&ss->all[i]->fd);
		free(ss->all[i]);
	}
	free(ss->all);
	pthread_mutex_destroy(&ss->roll);
	pthread_mutex_destroy(&ss->lock);
	free(ss);
}

/* Takes a place in the current segment, if it is there and has one. */
static bool place_take(struct segments *ss, enum segment_kind kind, size_t len,
		       struct place *p, struct segment **ret_full)
{
	WITH_LOCK(&ss->lock) {
		struct segment *seg = ss->current[kind];
		int64_t offset;

		*ret_full = seg;
		if (!seg)
			return false;
		offset = (seg->end + SEGMENT_ALIGN - 1) / SEGMENT_ALIGN * SEGMENT_ALIGN;
		if (offset + (int64_t)len > SEGMENT_SIZE)
			return false;
		p->seg = seg;
		p->before = seg->end;
		p->offset = offset;
		p->len = len;
		p->growth = disk_round_up(offset + len) - disk_round_up(seg->end);
		seg->users++;
		seg->end = offset + len;
		seg->live += len;
		seg->disk += p->growth;
	}
	return true;
}

/* Bytes that holes of this many bytes really save: the filesystem has to note
 * where they are. */
static int64_t saved_by(int64_t punched)
{
	int64_t cost = punched / 256 + 2 * DISK_BLOCK;

	return punched > cost ? punched - cost : 0;
}

static void punch(struct segments *ss, struct segment *seg, int64_t offset, size_t len)
{
	int64_t from = disk_round_up(offset), to = disk_round_down(offset + len);
	int64_t saved = 0;

	if (to <= from || ss->no_holes)
		return;
	if (fallocate(seg->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from,
		      to - from) < 0) {
		ss->no_holes = errno == EOPNOTSUPP;
		return;
	}
	WITH_LOCK(&ss->lock) {
		saved = saved_by(seg->punched + to - from) - saved_by(seg->punched);
		seg->punched += to - from;
		if (seg->gone)
			saved = 0;
		if (saved > seg->disk)
			saved = seg->disk;
		seg->disk -= saved;
	}
	space_release(ss->space, saved);
}

static bool is_current(const struct segments *ss, const struct segment *seg)
{
	return seg == ss->current[seg->kind];
}

/* Takes it out of the table if nothing in it is live. With the lock held. */
static bool remove_dead(struct segments *ss, struct segment *seg)
{
	if (seg->gone || !seg->known || seg->live > 0)
		return false;
	if (is_current(ss, seg)) {
		if (seg->end < IDLE_END)
			return false;
		ss->current[seg->kind] = NULL;
		seg->users--;		/* the caller still is one */
	}
	segment_table_remove(ss, seg);
	return true;
}

/* What is in the place is dead, or never came to be. */
static void place_free(struct segments *ss, struct segment *seg, int64_t offset, size_t len)
{
	bool dead = false;

	WITH_LOCK(&ss->lock) {
		seg->live -= (int64_t)len;
		if (seg->known && seg->live < 0)
			seg->live = 0;
		dead = remove_dead(ss, seg);
	}
	if (dead)
		segment_table_unlink(ss, seg);
	else
		punch(ss, seg, offset, len);
}

/* The write failed. Nobody behind it: as if it had not been. */
static void place_undo(struct segments *ss, const struct place *p)
{
	bool last = false, dead = false;

	WITH_LOCK(&ss->lock) {
		last = !p->seg->gone && p->seg->end == p->offset + (int64_t)p->len;
		if (last) {
			p->seg->end = p->before;
			p->seg->live -= p->len;
			p->seg->disk -= p->growth;
			dead = remove_dead(ss, p->seg);
		}
	}
	if (last)
		space_release(ss->space, p->growth);
	if (dead)
		segment_table_unlink(ss, p->seg);
	if (!last)
		place_free(ss, p->seg, p->offset, p->len);
}

static int place_get(struct segments *ss, enum segment_kind kind, size_t len, struct place *p)
{
	struct segment *full = NULL;

	while (!place_take(ss, kind, len, p, &full)) {
		int r = segment_table_roll(ss, kind, full);

		if (r < 0)
			return r;
	}
	return 0;
}

int segment_append(struct segments *ss, enum segment_kind kind, const void *data, size_t len,
		   uint64_t *ret_segment, uint64_t *ret_offset)
{
	int64_t most = disk_round_up(len + SEGMENT_ALIGN - 1) + DISK_BLOCK;
	struct place p = { 0 };
	int r;

	if (len == 0 || len > SEGMENT_SIZE)
		return -EINVAL;
	/* How much it is, only the place tells; but nothing may be written, nor
	 * the lock held, before there is room. */
	r = space_reserve(ss->space, most);
	if (r < 0)
		return r;
	r = place_get(ss, kind, len, &p);
	if (r < 0) {
		space_release(ss->space, most);
		return r;
	}
	space_release(ss->space, most - p.growth);
	r = disk_write(p.seg->fd, data, len, p.offset);
	if (r < 0) {
		place_undo(ss, &p);
	} else {
		step("append");
		*ret_segment = p.seg->id;
		*ret_offset = p.offset;
	}
	segment_table_put(ss, p.seg);
	return r;
}

/* Whether it can be a place at all: rows may be damaged. */
static bool is_place(uint64_t offset, size_t len)
{
	return len <= SEGMENT_SIZE && offset <= SEGMENT_SIZE - len;
}

int segment_read(struct segments *ss, uint64_t segment, uint64_t offset, size_t len,
		 void *buf)
{
	struct segment *seg;
	int r;

	if (!is_place(offset, len))
		return -EBADMSG;
	r = segment_table_get(ss, segment, &seg);
	if (r < 0)
		return r;
	r = disk_read(seg->fd, buf, len, offset);
	segment_table_put(ss, seg);
	return r;
}

void segment_release(struct segments *ss, uint64_t segment, uint64_t offset, size_t len)
{
	struct segment *seg;

	if (!is_place(offset, len) || segment_table_get(ss, segment, &seg) < 0)
		return;
	place_free(ss, seg, offset, len);
	segment_table_put(ss, seg);
}

void segment_set_live(struct segments *ss, uint64_t segment, uint64_t bytes)
{
	struct segment *seg = NULL;
	bool dead = false;

	WITH_LOCK(&ss->lock) {
		seg = segment < ss->first ? segment_table_find(ss, segment) : NULL;
		if (!seg)
			break;
		seg->users++;
		if (!seg->known)
			seg->live += bytes < SEGMENT_SIZE ? (int64_t)bytes : SEGMENT_SIZE;
		if (seg->live < 0)
			seg->live = 0;
		seg->known = true;
		dead = remove_dead(ss, seg);
	}
	if (!seg)
		return;
	if (dead)
		segment_table_unlink(ss, seg);
	segment_table_put(ss, seg);
}

static bool pays(const struct segment *seg, size_t n_short)
{
	if (seg->live * 100 < seg->end * PICK_PERCENT)
		return true;
	return seg->end < SHORT_END && n_short > SHORT_MANY;
}

int segment_pick(struct segments *ss, uint64_t *ret_segment)
{
	uint64_t lowest = 0, behind = 0;

	WITH_LOCK(&ss->lock) {
		size_t n_short = 0;

		for (size_t i = 0; i < ss->n; i++)
			n_short += ss->all[i]->kind == SEGMENT_PACKED &&
				   ss->all[i]->end < SHORT_END;
		for (size_t i = 0; i < ss->n && !behind; i++) {
			const struct segment *seg = ss->all[i];

			if (is_current(ss, seg) || seg->kind != SEGMENT_PACKED || !seg->known ||
			    !pays(seg, n_short))
				continue;
			if (!lowest)
				lowest = seg->id;
			if (seg->id > ss->picked)
				behind = seg->id;
		}
		ss->picked = behind ? behind : lowest;
	}
	if (!behind && !lowest)
		return -ENOENT;
	*ret_segment = behind ? behind : lowest;
	return 0;
}

int segment_take_loose(struct segments *ss, uint64_t after, uint64_t *ret_segment)
{
	struct segment *was_current = NULL;
	int r = -ENOENT;

	WITH_LOCK(&ss->lock)
		for (size_t i = 0; i < ss->n && r < 0; i++) {
			struct segment *seg = ss->all[i];

			if (seg->kind != SEGMENT_LOOSE || seg->id <= after || !seg->known ||
			    seg->live == 0)
				continue;
			if (is_current(ss, seg)) {
				was_current = seg;
				ss->current[SEGMENT_LOOSE] = NULL;
			}
			*ret_segment = seg->id;
			r = 0;
		}
	if (was_current)
		segment_table_put(ss, was_current);
	return r;
}

int64_t segments_loose(struct segments *ss)
{
	int64_t bytes = 0;

	WITH_LOCK(&ss->lock)
		for (size_t i = 0; i < ss->n; i++)
			if (ss->all[i]->kind == SEGMENT_LOOSE)
				bytes += ss->all[i]->live;
	return bytes;
}

bool segment_drop(struct segments *ss, uint64_t segment)
{
	struct segment *seg = NULL;

	WITH_LOCK(&ss->lock) {
		seg = segment_table_find(ss, segment);
		if (!seg || is_current(ss, seg)) {
			seg = NULL;
			break;
		}
		seg->users++;
		segment_table_remove(ss, seg);
	}
	if (!seg)
		return false;
	segment_table_unlink(ss, seg);
	segment_table_put(ss, seg);
	return true;
}

void segments_drop_all(struct segments *ss)
{
	uint64_t id = 0, next = 1;

	for (int kind = SEGMENT_PACKED; kind <= SEGMENT_LOOSE; kind++) {
		struct segment *current = NULL;

		WITH_LOCK(&ss->lock)
			current = ss->current[kind];
		if (current)
			segment_table_roll(ss, kind, current);
	}
	while (next) {
		next = 0;
		WITH_LOCK(&ss->lock)
			for (size_t i = 0; i < ss->n && !next; i++)
				if (ss->all[i]->id > id && !is_current(ss, ss->all[i]))
					next = ss->all[i]->id;
		if (next)
			segment_drop(ss, next);
		id = next;
	}
}

int64_t segments_counted(struct segments *ss)
{
	int64_t bytes = 0;

	WITH_LOCK(&ss->lock)
		for (size_t i = 0; i < ss->n; i++)
			bytes += ss->all[i]->disk;
	return bytes;
}

int segment_next_old(struct segments *ss, uint64_t after, uint64_t *ret_segment)
{
	int r = -ENOENT;

	WITH_LOCK(&ss->lock) {
		for (size_t i = 0; i < ss->n && r < 0; i++) {
			if (ss->all[i]->id <= after || ss->all[i]->id >= ss->first)
				continue;
			*ret_segment = ss->all[i]->id;
			r = 0;
		}
	}
	return r;
}
