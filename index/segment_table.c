/* segment_table.c - see segment_table.h. */
#include "segment_table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/log.h"
#include "../base/step.h"
#include "disk.h"

#define OPEN_MAX_FDS 64

static void name_of(uint64_t id, enum segment_kind kind, char name[SEGMENT_NAME_MAX])
{
	snprintf(name, SEGMENT_NAME_MAX, "%s-%08" PRIu64, kind == SEGMENT_LOOSE ? "raw" : "seg", id);
}

static bool parse_name(const char *name, uint64_t *ret, enum segment_kind *ret_kind)
{
	char again[SEGMENT_NAME_MAX];
	uint64_t id = 0;

	*ret_kind = name[0] == 'r' ? SEGMENT_LOOSE : SEGMENT_PACKED;
	if (sscanf(name, "%*3[a-z]-%15" SCNu64, &id) != 1)
		return false;
	name_of(id, *ret_kind, again);
	if (strcmp(name, again) != 0)
		return false;
	*ret = id;
	return true;
}

struct segment *segment_table_find(struct segments *ss, uint64_t id)
{
	size_t low = 0, high = ss->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ss->all[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ss->n && ss->all[low]->id == id ? ss->all[low] : NULL;
}

/* At the end: the caller sees to the order. With the lock held. */
static int insert(struct segments *ss, struct segment *seg)
{
	if (ss->n == ss->cap) {
		size_t cap = ss->cap ? ss->cap * 2 : 64;
		struct segment **all = reallocarray(ss->all, cap, sizeof(*all));

		if (!all)
			return -ENOMEM;
		ss->all = all;
		ss->cap = cap;
	}
	ss->all[ss->n++] = seg;
	return 0;
}

void segment_table_remove(struct segments *ss, struct segment *seg)
{
	for (size_t i = 0; i < ss->n; i++) {
		if (ss->all[i] != seg)
			continue;
		memmove(&ss->all[i], &ss->all[i + 1], (ss->n - i - 1) * sizeof(*ss->all));
		ss->n--;
		break;
	}
	seg->gone = true;
}

static struct segment *new_segment(uint64_t id, enum segment_kind kind)
{
	struct segment *seg = calloc(1, sizeof(*seg));

	if (!seg)
		return NULL;
	seg->id = id;
	seg->kind = kind;
	seg->fd = -1;
	return seg;
}

static int by_number(const void *a, const void *b)
{
	const struct segment *x = *(struct segment *const *)a;
	const struct segment *y = *(struct segment *const *)b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int load_one(struct segments *ss, const char *name)
{
	struct segment *seg;
	enum segment_kind kind;
	struct stat st;
	uint64_t id;

	if (!parse_name(name, &id, &kind))
		return 0;
	if (fstatat(ss->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	seg = new_segment(id, kind);
	if (!seg)
		return -ENOMEM;
	seg->end = st.st_size;
	seg->disk = (int64_t)st.st_blocks * 512;
	if (disk_round_up(seg->end) > seg->disk)
		seg->punched = disk_round_up(seg->end) - seg->disk;
	if (insert(ss, seg) < 0) {
		free(seg);
		return -ENOMEM;
	}
	space_count(ss->space, seg->disk);
	if (id >= ss->next)
		ss->next = id + 1;
	return 0;
}

/* Empty files only keep the place of a number; the last one still does. */
static void remove_markers(struct segments *ss)
{
	for (size_t i = ss->n; i-- > 0;) {
		struct segment *seg = ss->all[i];
		char name[SEGMENT_NAME_MAX];

		if (seg->end > 0)
			continue;
		name_of(seg->id, seg->kind, name);
		if (seg->id + 1 < ss->next)
			unlinkat(ss->dir, name, 0);
		segment_table_remove(ss, seg);
		space_release(ss->space, seg->disk);
		free(seg);
	}
}

int segment_table_load(struct segments *ss)
{
	int fd = openat(ss->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int r = 0;
	DIR *d;

	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		r = -errno;
		close(fd);
		return r;
	}
	while (r == 0 && (errno = 0, entry = readdir(d)))
		r = load_one(ss, entry->d_name);
	if (r == 0)
		r = -errno;
	closedir(d);
	if (r < 0)
		return r;
	if (ss->n)
		qsort(ss->all, ss->n, sizeof(*ss->all), by_number);
	remove_markers(ss);
	ss->first = ss->next;
	return 0;
}

/* A descriptor to close, of a segment nobody uses, when there are too many. With
 * the lock held; -1: none. */
static int take_idle(struct segments *ss)
{
	if (ss->open <= OPEN_MAX_FDS)
		return -1;
	for (size_t i = 0; i < ss->n; i++) {
		struct segment *seg = ss->all[ss->hand++ % ss->n];

		if (seg->fd >= 0 && seg->users == 0) {
			ss->open--;
			return TAKE_FD(seg->fd);
		}
	}
	return -1;
}

static int open_file(struct segments *ss, struct segment *seg)
{
	int fd, idle = -1;
	char name[SEGMENT_NAME_MAX];

	name_of(seg->id, seg->kind, name);
	fd = openat(ss->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == EROFS)
		fd = openat(ss->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	WITH_LOCK(&ss->lock) {
		if (seg->fd < 0) {
			seg->fd = TAKE_FD(fd);
			ss->open++;
			idle = take_idle(ss);
		}
	}
	cleanup_close(&fd);
	cleanup_close(&idle);
	return 0;
}

int segment_table_get(struct segments *ss, uint64_t id, struct segment **ret)
{
	struct segment *seg = NULL;
	bool closed = false;
	int r = 0;

	WITH_LOCK(&ss->lock) {
		seg = segment_table_find(ss, id);
		if (seg) {
			seg->users++;
			closed = seg->fd < 0;
		}
	}
	if (!seg)
		return -ENOENT;
	if (closed)
		r = open_file(ss, seg);
	if (r < 0) {
		segment_table_put(ss, seg);
		return r;
	}
	*ret = seg;
	return 0;
}

void segment_table_put(struct segments *ss, struct segment *seg)
{
	bool last = false;

	WITH_LOCK(&ss->lock) {
		last = --seg->users == 0 && seg->gone;
		if (last && seg->fd >= 0)
			ss->open--;
	}
	if (!last)
		return;
	cleanup_close(&seg->fd);
	free(seg);
}

/* Makes file ss->next. Durable before anything is put into it, for else a power
 * cut could bring its number back. */
static int make_next(struct segments *ss, enum segment_kind kind, struct segment **ret)
{
	struct segment *seg = NULL;
	char name[SEGMENT_NAME_MAX];

	WITH_LOCK(&ss->lock)
		seg = new_segment(ss->next, kind);
	if (!seg)
		return -ENOMEM;
	name_of(seg->id, seg->kind, name);
	seg->fd = openat(ss->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (seg->fd < 0) {
		int r = -errno;

		free(seg);
		return r;
	}
	fsync(ss->dir);
	step("segment");
	seg->known = true;
	seg->users = 1;
	*ret = seg;
	return 0;
}

/* Called with `roll` held. */
static int replace_current(struct segments *ss, enum segment_kind kind)
{
	struct segment *seg = NULL, *old = NULL;
	bool dead = false;
	int r = make_next(ss, kind, &seg);

	if (r < 0)
		return r;
	WITH_LOCK(&ss->lock) {
		r = insert(ss, seg);
		if (r < 0)
			break;
		old = ss->current[kind];
		ss->current[kind] = seg;
		ss->next = seg->id + 1;
		ss->open++;
		dead = old && old->live == 0;
		if (dead)
			segment_table_remove(ss, old);
	}
	if (r < 0) {
		char name[SEGMENT_NAME_MAX];

		name_of(seg->id, seg->kind, name);
		unlinkat(ss->dir, name, 0);
		close(seg->fd);
		free(seg);
		return r;
	}
	if (dead)
		segment_table_unlink(ss, old);
	if (old)
		segment_table_put(ss, old);
	return 0;
}

int segment_table_roll(struct segments *ss, enum segment_kind kind, struct segment *full)
{
	int r = 0;

	WITH_LOCK(&ss->roll) {
		bool still = false;

		WITH_LOCK(&ss->lock)
			still = ss->current[kind] == full;
		if (still)
			r = replace_current(ss, kind);
	}
	return r;
}

void segment_table_unlink(struct segments *ss, struct segment *seg)
{
	char name[SEGMENT_NAME_MAX];
	bool highest = false;
	int64_t disk = 0;
	int r;

	WITH_LOCK(&ss->lock) {
		highest = seg->id + 1 == ss->next;
		disk = seg->disk;
	}
	name_of(seg->id, seg->kind, name);
	if (highest) {
		_cleanup_(cleanup_close) int fd =
			openat(ss->dir, name, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);

		r = fd < 0 ? -errno : 0;
	} else {
		r = unlinkat(ss->dir, name, 0) < 0 ? -errno : 0;
	}
	if (r == 0 || r == -ENOENT)
		space_release(ss->space, disk);
	else
		log_warn("segment %s cannot be deleted: %s", name, strerror(-r));
}
