/* blob_file.c - see blob_file.h. */
#include "blob_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/log.h"
#include "../base/step.h"
#include "blob_reader.h"
#include "blob_sums.h"
#include "blob_tail.h"
#include "disk.h"

/* What a new name may cost its directory: a block, and one for itself if new. */
#define DIR_SLACK (2 * DISK_BLOCK)

/* Compression is given up where this much of a file did not get smaller. */
#define PROBATION (4 << 20)

/* A file on its way. */
struct writing {
	struct blob_files *fs;
	int fd;				/* -1: not open */
	char name[BLOB_NAME_MAX];
	char aside[BLOB_NAME_MAX + 8];
	int64_t pos;			/* bytes written */
	int64_t reserved;		/* bytes of it in space; without DIR_SLACK */
};

static void dir_name(int i, char name[3])
{
	snprintf(name, 3, "%02x", i);
}

int blob_files_init(struct blob_files *fs, int cache_dir, int dir, struct space *space,
		    struct codec_pool *codecs)
{
	*fs = (struct blob_files){ .dir = dir, .cache_dir = cache_dir, .space = space,
				   .codecs = codecs, .chunk = BLOB_CHUNK };
	pthread_mutex_init(&fs->lock, NULL);
	for (int i = 0; i < BLOB_DIRS; i++) {
		char name[3];

		dir_name(i, name);
		fs->dirs[i] = disk_bytes(dir, name);
		space_count(space, fs->dirs[i]);
	}
	return 0;
}

void blob_files_fini(struct blob_files *fs)
{
	pthread_mutex_destroy(&fs->lock);
}

void blob_files_forget_dirs(struct blob_files *fs)
{
	WITH_LOCK(&fs->lock)
		for (int i = 0; i < BLOB_DIRS; i++)
			fs->dirs[i] = 0;
}

int64_t blob_files_counted(struct blob_files *fs)
{
	int64_t bytes = 0;

	WITH_LOCK(&fs->lock)
		for (int i = 0; i < BLOB_DIRS; i++)
			bytes += fs->dirs[i];
	return bytes;
}

int64_t blob_file_disk(uint64_t stored)
{
	int64_t bytes = disk_round_up(stored);

	/* A file in many pieces needs a block to say where they are. */
	return stored > (1 << 20) ? bytes + DISK_BLOCK : bytes;
}

/* Of the DIR_SLACK that was reserved, keep what the directory of ino has grown. */
static void settle_dir(struct blob_files *fs, uint64_t ino)
{
	int i = ino % BLOB_DIRS;
	int64_t now, grown = 0;
	char name[3];

	dir_name(i, name);
	now = disk_bytes(fs->dir, name);
	WITH_LOCK(&fs->lock) {
		if (now > fs->dirs[i]) {
			grown = now - fs->dirs[i];
			fs->dirs[i] = now;
		}
	}
	if (grown > DIR_SLACK)
		space_count(fs->space, grown - DIR_SLACK);
	else
		space_release(fs->space, DIR_SLACK - grown);
}

/* With its directory; the slack for that is reserved. */
static int make_dir(struct blob_files *fs, uint64_t ino)
{
	char name[3];

	dir_name(ino % BLOB_DIRS, name);
	return mkdirat(fs->dir, name, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int writing_begin(struct writing *w, struct blob_files *fs, uint64_t ino)
{
	int r;

	*w = (struct writing){ .fs = fs, .fd = -1 };
	blob_file_name(ino, w->name);
	snprintf(w->aside, sizeof(w->aside), "%s.tmp", w->name);
	for (int i = 0; i < 2; i++) {
		w->fd = openat(fs->dir, w->aside,
			       O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (w->fd >= 0)
			return 0;
		if (errno != ENOENT)
			return -errno;
		r = make_dir(fs, ino);
		if (r < 0)
			return r;
	}
	return -ENOENT;
}

static int reserve_up_to(struct writing *w, int64_t bytes)
{
	int r;

	if (bytes <= w->reserved)
		return 0;
	r = space_reserve(w->fs->space, bytes - w->reserved);
	if (r == 0)
		w->reserved = bytes;
	return r;
}

static int writing_append(struct writing *w, const void *data, size_t len)
{
	int r = reserve_up_to(w, blob_file_disk(w->pos + len));

	if (r == 0)
		r = disk_write(w->fd, data, len, w->pos);
	if (r == 0)
		w->pos += len;
	return r;
}

static int writing_finish(struct writing *w)
{
	step("rename");
	if (renameat(w->fs->dir, w->aside, w->fs->dir, w->name) < 0)
		return -errno;
	step("renamed");
	cleanup_close(&w->fd);
	return 0;
}

static void writing_abort(struct writing *w)
{
	if (w->fd < 0)
		return;
	cleanup_close(&w->fd);
	unlinkat(w->fs->dir, w->aside, 0);
	space_release(w->fs->space, w->reserved);
}

/* Writes the tail and tells what the row must know. */
static int append_tail(struct writing *w, const struct blob_tail *t, int64_t len,
		       enum blob_codec codec, struct blob *ret)
{
	_cleanup_(cleanup_free) void *data = NULL;
	size_t data_len = 0;
	int r = blob_tail_encode(t, len, codec, &data, &data_len);

	if (r == 0)
		r = writing_append(w, data, data_len);
	if (r < 0)
		return r;
	ret->codec = codec;
	ret->length = len;
	ret->stored = w->pos;
	ret->sum = blob_sum(data, data_len);
	return 0;
}

/* Each chunk of the body in fd, summed and, if `w` is not the file itself,
 * appended, packed or not. 1: it does not get smaller. */
static int put_chunks(struct writing *w, int fd, int64_t len, enum blob_codec codec,
		      bool copy, struct codec *c, struct blob_tail *t)
{
	for (uint64_t i = 0; i < t->n; i++) {
		size_t raw = blob_chunk_len(len, t->chunk, i), n = raw;
		const char *data = c->raw;
		int r = disk_read(fd, c->raw, raw, i * t->chunk);

		if (r == 0 && codec == BLOB_ZSTD) {
			data = c->packed;
			r = codec_pack(w->fs->codecs, c, c->raw, raw, c->packed,
				       c->packed_cap, &n);
		}
		if (r < 0)
			return r;
		t->sums[i] = blob_sum(data, n);
		t->starts[i + 1] = t->starts[i] + n;
		if (codec == BLOB_ZSTD && t->starts[i + 1] >= PROBATION &&
		    !codec_pays((i + 1) * t->chunk, t->starts[i + 1]))
			return 1;
		r = copy ? writing_append(w, data, n) : 0;
		if (r < 0)
			return r;
		step("compress");
	}
	return codec == BLOB_ZSTD && !codec_pays(len, t->starts[t->n]);
}

/* A new file. 1: compressing does not pay, nothing was kept. */
static int put_new(struct blob_files *fs, int fd, int64_t len, uint64_t ino,
		   enum blob_codec codec, struct codec *c, struct blob *ret)
{
	_cleanup_(blob_tail_fini) struct blob_tail t = { 0 };
	struct writing w;
	int r = writing_begin(&w, fs, ino);

	if (r == 0)
		r = blob_tail_init(&t, len, fs->chunk);
	if (r == 0)
		r = put_chunks(&w, fd, len, codec, true, c, &t);
	if (r == 0)
		r = append_tail(&w, &t, len, codec, ret);
	if (r == 0)
		r = writing_finish(&w);
	if (r != 0)
		writing_abort(&w);
	return r;
}

/* The file at path becomes the blob's; its space goes over. */
static int put_in_place(struct blob_files *fs, const char *path, int64_t reserved,
			int64_t len, uint64_t ino, struct codec *c, struct blob *ret)
{
	_cleanup_(blob_tail_fini) struct blob_tail t = { 0 };
	_cleanup_(cleanup_close) int fd = -1;
	struct writing w = { .fs = fs, .pos = len, .reserved = reserved };
	int r;

	blob_file_name(ino, w.name);
	fd = openat(fs->cache_dir, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	w.fd = fd;
	r = blob_tail_init(&t, len, fs->chunk);
	if (r == 0)
		r = put_chunks(&w, fd, len, BLOB_PLAIN, false, c, &t);
	if (r == 0 && ftruncate(fd, len) < 0)
		r = -errno;
	if (r == 0)
		r = append_tail(&w, &t, len, BLOB_PLAIN, ret);
	if (r == 0)
		r = make_dir(fs, ino);
	step("rename-in-place");
	if (r == 0 && renameat(fs->cache_dir, path, fs->dir, w.name) < 0)
		r = -errno;
	step("renamed-in-place");
	if (r < 0) {
		/* It stays the caller's, as it was. */
		if (ftruncate(fd, len) == 0)
			space_release(fs->space, w.reserved - reserved);
		return r;
	}
	if (w.reserved > blob_file_disk(w.pos))
		space_release(fs->space, w.reserved - blob_file_disk(w.pos));
	return 0;
}

/* Bytes from four places of the body: the first tell little about the rest. */
static int gather_sample(int fd, int64_t len, char *sample)
{
	const size_t part = BLOB_SAMPLE / 4;

	if (len <= BLOB_SAMPLE)
		return disk_read(fd, sample, len, 0);
	for (int i = 0; i < 4; i++) {
		int r = disk_read(fd, sample + i * part, part, (len - part) / 3 * i);

		if (r < 0)
			return r;
	}
	return 0;
}

/* 1: yes; 0: no. */
static int should_pack(struct blob_files *fs, int fd, int64_t len, const char *type,
		       struct codec *c)
{
	enum codec_guess guess = codec_guess(fs->codecs, type, len);
	int r;

	if (guess != CODEC_SAMPLE)
		return guess == CODEC_TRY;
	r = gather_sample(fd, len, c->raw);
	if (r < 0)
		return r;
	if (codec_sample(fs->codecs, c, c->raw, len < BLOB_SAMPLE ? len : BLOB_SAMPLE))
		return 1;
	codec_learn(fs->codecs, type, false);
	return 0;
}

static int put(struct blob_files *fs, int fd, const char *path, int64_t reserved,
	       int64_t len, uint64_t ino, const char *type, struct codec *c,
	       struct blob *ret)
{
	int r = should_pack(fs, fd, len, type, c);

	if (r < 0)
		return r;
	if (r == 1) {
		r = put_new(fs, fd, len, ino, BLOB_ZSTD, c, ret);
		if (r >= 0)
			codec_learn(fs->codecs, type, r == 0);
		/* No room for two of it: as it is it needs no more than it has. */
		if (r <= 0 && !(r == -ENOSPC && path))
			return r;
	}
	if (path)
		return put_in_place(fs, path, reserved, len, ino, c, ret);
	return put_new(fs, fd, len, ino, BLOB_PLAIN, c, ret);
}

int blob_file_put(struct blob_files *fs, int fd, const char *path, int64_t reserved,
		  int64_t len, uint64_t ino, const char *content_type, struct blob *ret)
{
	struct blob b = { .kind = BLOB_FILE, .id = ino };
	struct codec *c;
	int r;

	if (len <= 0)
		return -EINVAL;
	r = space_reserve(fs->space, DIR_SLACK);
	if (r < 0)
		return r;
	c = codec_take(fs->codecs);
	r = c ? codec_raw_room(c, fs->chunk) : -ENOMEM;
	if (r == 0)
		r = codec_packed_room(c, codec_bound(fs->chunk));
	if (r == 0)
		r = put(fs, fd, path, reserved, len, ino, content_type, c, &b);
	codec_give(fs->codecs, c);
	settle_dir(fs, ino);
	if (r == 0)
		*ret = b;
	return r;
}

void blob_file_delete(struct blob_files *fs, const struct blob *b)
{
	int64_t counted = blob_file_disk(b->stored);
	char name[BLOB_NAME_MAX];
	struct stat st;

	blob_file_name(b->id, name);
	/* One that was cut was counted as what was left of it. */
	if (fstatat(fs->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size < (int64_t)b->stored)
		counted = blob_file_disk((uint64_t)st.st_size);
	if (unlinkat(fs->dir, name, 0) == 0)
		space_release(fs->space, counted);
	else if (errno != ENOENT)
		log_warn("blob %s cannot be deleted: %s", name, strerror(errno));
}
