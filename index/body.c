#include "body.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/counters.h"
#include "../base/step.h"

enum { BLOCK = 4096, RESERVE_STEP = 1024 * 1024 };

void body_init(struct body *b)
{
	*b = (struct body){ .fd = -1, .have = RANGES_INIT, .saved = SAVED_MAP_INIT };
}

static int64_t disk_bytes(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? (int64_t)st.st_blocks * 512 : 0;
}

void body_fini(struct body *b, const struct body_place *place, bool keep_file)
{
	if (b->kind == BODY_FILE && !keep_file) {
		unlinkat(place->dir, b->path, 0);
		space_release(place->space, b->reserved);
	}
	free(b->data);
	if (b->fd >= 0)
		close(b->fd);
	ranges_fini(&b->have);
	saved_map_fini(&b->saved);
	body_init(b);
}

static void name_file(struct body *b, uint64_t ino)
{
	snprintf(b->path, sizeof b->path, "partial/%" PRIu64, ino);
}

int body_reopen(struct body *b, const struct body_place *place, uint64_t ino,
		struct saved_map *saved)
{
	struct stat st;
	int err;

	body_init(b);
	name_file(b, ino);
	b->fd = openat(place->dir, b->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (b->fd < 0)
		return -errno;
	err = fstat(b->fd, &st) < 0 ? -errno : 0;
	if (!err && saved->n && st.st_size < saved->pieces[saved->n - 1].end)
		err = -EBADMSG;
	if (!err)
		err = saved_map_ranges(saved, &b->have);
	if (err) {
		close(b->fd);
		body_init(b);
		return err;
	}
	b->kind = BODY_FILE;
	b->saved = *saved;
	*saved = (struct saved_map)SAVED_MAP_INIT;
	b->reserved = disk_bytes(b->fd);
	return 0;
}

static int write_all(int fd, const char *data, size_t len, int64_t off)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
		off += n;
	}
	return 0;
}

static int read_all(int fd, char *data, size_t len, int64_t off)
{
	while (len) {
		ssize_t n = pread(fd, data, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		len -= (size_t)n;
		off += n;
	}
	return 0;
}

static int write_memory(struct body *b, int64_t total, int64_t off, const void *data, size_t len)
{
	size_t need = (size_t)off + len;

	if (need > b->cap) {
		size_t cap = total >= 0 ? (size_t)total : need + need / 2;
		char *grown = realloc(b->data, cap);

		if (!grown)
			return -ENOMEM;
		b->data = grown;
		b->cap = cap;
	}
	memcpy(b->data + off, data, len);
	b->kind = BODY_MEMORY;
	return ranges_add(&b->have, off, off + (int64_t)len);
}

/* Moves what is in memory into fd and makes that the body. */
static int move_to(struct body *b, pthread_mutex_t *lock, int fd, enum body_kind kind)
{
	int err = 0;

	for (size_t i = 0; b->kind == BODY_MEMORY && i < b->have.n && !err; i++) {
		const struct range *r = &b->have.r[i];

		err = write_all(fd, b->data + r->begin, (size_t)(r->end - r->begin), r->begin);
	}
	if (err)
		return err;
	WITH_LOCK(lock) {
		free(TAKE_PTR(b->data));
		b->cap = 0;
		b->fd = fd;
		b->kind = kind;
	}
	return 0;
}

/* Takes space for len more bytes at off; -ENOBUFS: there is none. */
static int reserve(struct body *b, const struct body_place *place, int64_t total, int64_t off,
		   size_t len)
{
	/* A write elsewhere may touch a block more at either end. */
	int64_t need = (int64_t)len + (off == b->last_end ? 0 : 2 * BLOCK);
	int64_t step = RESERVE_STEP;

	if (b->room >= need)
		return 0;
	if (total >= 0 && total - off < step - 2 * BLOCK)
		step = total - off + 2 * BLOCK;
	if (step < need)
		step = need;
	step = (step + BLOCK - 1) / BLOCK * BLOCK;
	if (space_reserve(place->space, step) < 0)
		return -ENOBUFS;
	b->reserved += step;
	b->room += step;
	return 0;
}

static int to_file(struct body *b, const struct body_place *place, pthread_mutex_t *lock,
		   uint64_t ino, int64_t total)
{
	_cleanup_(cleanup_close) int fd = -1;
	int err;

	err = reserve(b, place, total, 0, (size_t)ranges_total(&b->have) + BLOCK);
	if (err)
		return err;
	name_file(b, ino);
	fd = openat(place->dir, b->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	err = fd < 0 ? -errno : 0;
	if (!err)
		err = move_to(b, lock, fd, BODY_FILE);
	if (err) {
		if (fd >= 0)
			unlinkat(place->dir, b->path, 0);
		space_release(place->space, b->reserved);
		b->reserved = b->room = 0;
		return err;
	}
	b->room -= ranges_total(&b->have);
	fd = -1;
	step("partial");
	return 0;
}

/* Copies [begin, end) of one file to another. */
static int copy_range(int from, int to, int64_t begin, int64_t end)
{
	enum { PIECE = 256 * 1024 };
	_cleanup_(cleanup_free) char *piece = malloc(PIECE);
	int err = piece ? 0 : -ENOMEM;

	while (!err && begin < end) {
		size_t n = end - begin < PIECE ? (size_t)(end - begin) : PIECE;

		err = read_all(from, piece, n, begin);
		if (!err)
			err = write_all(to, piece, n, begin);
		begin += (int64_t)n;
	}
	return err;
}

/* Lock held: where the bytes begin that are kept of those up to end. */
static int64_t kept_from(const struct body *b, int64_t end)
{
	int64_t begin = end > BODY_WINDOW ? end - BODY_WINDOW : 0;
	const struct saved_piece *doubt;

	if (begin < end && ranges_missing(&b->have, begin) < end)
		begin = ranges_has(&b->have, end - 1, end) ? ranges_begin(&b->have, end - 1) : end;
	/* In a window nobody could tell any more what was not verified. */
	while ((doubt = saved_map_doubt(&b->saved, begin, end)) != NULL)
		begin = doubt->end < end ? doubt->end : end;
	return begin;
}

/* The file is given up, but for the bytes right before the last one, which readers
 * have not got yet (version_room() sees to it that they are not far behind). */
static int file_to_window(struct body *b, const struct body_place *place, pthread_mutex_t *lock,
			  int fd)
{
	int64_t end = b->last_end, begin = end;
	struct ranges kept = RANGES_INIT;
	int err = 0, old = -1;

	WITH_LOCK(lock)
		begin = kept_from(b, end);
	if (begin < end)
		err = copy_range(b->fd, fd, begin, end);
	if (!err)
		err = ranges_add(&kept, begin, end);
	if (err) {
		ranges_fini(&kept);
		return err;
	}
	WITH_LOCK(lock) {
		old = b->fd;
		b->fd = fd;
		b->kind = BODY_WINDOW_MEMORY;
		ranges_fini(&b->have);
		b->have = kept;
		saved_map_fini(&b->saved);
	}
	close(old);
	unlinkat(place->dir, b->path, 0);
	space_release(place->space, b->reserved);
	b->reserved = b->room = 0;
	return 0;
}

static int to_window(struct body *b, const struct body_place *place, pthread_mutex_t *lock)
{
	_cleanup_(cleanup_close) int fd = memfd_create("webcachefs-window", MFD_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	if (b->kind == BODY_FILE)
		err = file_to_window(b, place, lock, fd);
	else
		err = move_to(b, lock, fd, BODY_WINDOW_MEMORY);
	if (!err)
		fd = -1;
	return err;
}

static int write_window(struct body *b, int64_t off, const void *data, size_t len)
{
	int64_t keep_from = off + (int64_t)len - BODY_WINDOW;
	int err = write_all(b->fd, data, len, off);

	if (!err)
		err = ranges_add(&b->have, off, off + (int64_t)len);
	/* Half a window at a time, or each write would punch. */
	if (!err && b->have.n && b->have.r[0].begin < keep_from - BODY_WINDOW / 2) {
		keep_from = keep_from / BLOCK * BLOCK;
		ranges_remove_below(&b->have, keep_from);
		fallocate(b->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, keep_from);
	}
	return err;
}

static int write_file(struct body *b, const struct body_place *place, pthread_mutex_t *lock,
		      int64_t total, int64_t off, const void *data, size_t len)
{
	int err = reserve(b, place, total, off, len);

	if (!err)
		err = write_all(b->fd, data, len, off);
	if (err)
		return err;
	step("arrive");
	b->room -= (int64_t)len + (off == b->last_end ? 0 : 2 * BLOCK);
	b->last_end = off + (int64_t)len;
	WITH_LOCK(lock)
		err = ranges_add(&b->have, off, off + (int64_t)len);
	return err;
}

int body_prepare(struct body *b, const struct body_place *place, int64_t total, int64_t off,
		 int64_t len)
{
	if (b->kind != BODY_FILE || b->no_room)
		return -EINVAL;
	if (total >= 0 && len > total - off)
		len = total - off;
	return reserve(b, place, total, off, (size_t)len);
}

int body_write(struct body *b, const struct body_place *place, pthread_mutex_t *lock,
	       uint64_t ino, int64_t total, int64_t off, const void *data, size_t len,
	       int *ret_disk_error)
{
	bool small = total >= 0 ? total <= BODY_SMALL : off + (int64_t)len <= BODY_SMALL;
	int err = 0;

	if (small && (b->kind == BODY_NONE || b->kind == BODY_MEMORY)) {
		WITH_LOCK(lock)
			err = write_memory(b, total, off, data, len);
		return err;
	}
	if (b->kind != BODY_FILE && b->kind != BODY_WINDOW_MEMORY && !b->no_room)
		err = to_file(b, place, lock, ino, total);
	if (!err && b->kind == BODY_FILE && !b->no_room) {
		err = write_file(b, place, lock, total, off, data, len);
		if (!err)
			return 0;
	}
	if (err == -ENOBUFS || err == -ENOMEM)
		return err;
	if (err)
		*ret_disk_error = err;
	if (b->kind != BODY_WINDOW_MEMORY) {
		err = to_window(b, place, lock);
		if (err)
			return err;
		count(unstored);
	}
	WITH_LOCK(lock)
		err = write_window(b, off, data, len);
	return err;
}

int body_read(struct body *b, int64_t off, size_t len, struct bytes *ret)
{
	struct stat st;

	*ret = (struct bytes){ .fd = -1, .len = len };
	if (b->kind == BODY_FILE) {
		/* Cut by somebody: who hands on less than was asked for ends the file. */
		if (fstat(b->fd, &st) < 0 || st.st_size < off + (int64_t)len)
			return -EIO;
		/* Its own descriptor: the body may be stored, and this one closed,
		 * while the reply is under way. */
		ret->fd = fcntl(b->fd, F_DUPFD_CLOEXEC, 3);
		ret->own_fd = true;
		ret->pos = off;
		return ret->fd < 0 ? -errno : 0;
	}
	ret->data = malloc(len ? len : 1);
	if (!ret->data)
		return -ENOMEM;
	if (b->kind == BODY_MEMORY) {
		memcpy(ret->data, b->data + off, len);
		return 0;
	}
	/* Copied under the lock: the window moves on. */
	return read_all(b->fd, ret->data, len, off);
}

void body_settle(struct body *b, const struct body_place *place, pthread_mutex_t *lock)
{
	int64_t used, written = 0;

	if (b->kind != BODY_FILE)
		return;
	used = disk_bytes(b->fd);
	WITH_LOCK(lock)
		written = ranges_total(&b->have);
	/* Blocks not allocated yet (delayed allocation) count as written. */
	if (used < written)
		used = written;
	used = (used + BLOCK - 1) / BLOCK * BLOCK;
	if (used < b->reserved) {
		space_release(place->space, b->reserved - used);
		b->reserved = used;
		b->room = 0;
	}
}
