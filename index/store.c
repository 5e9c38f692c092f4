/* store.c - opens the parts, and sends each blob to the one that has it. */
#include "store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "blob_codec.h"
#include "blob_reader.h"
#include "blob_sums.h"
#include "chunk_cache.h"
#include "disk.h"
#include "segment.h"
#include "sweep.h"

#define CHUNKS_CACHED (16 << 20)	/* bytes */

static int open_dir(struct store *st)
{
	struct stat s;

	if (mkdirat(st->cache_dir, "blobs", 0700) < 0 && errno != EEXIST)
		return -errno;
	st->dir = openat(st->cache_dir, "blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (st->dir < 0 || fstat(st->dir, &s) < 0)
		return -errno;
	/* Grows with 256 directories and the segments: so much is enough for
	 * hundreds of gigabytes. */
	st->dir_bytes = (int64_t)s.st_blocks * 512;
	if (st->dir_bytes < 4 * DISK_BLOCK)
		st->dir_bytes = 4 * DISK_BLOCK;
	space_count(st->space, st->dir_bytes);
	return 0;
}

/* By the clock that files get their times from. */
static void note_start(struct store *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	st->started_ns = now.tv_sec * 1000000000LL + now.tv_nsec;
}

int store_open(const struct store_config *config, struct store **ret)
{
	struct store *st = calloc(1, sizeof(*st));
	int r;

	if (!st)
		return -ENOMEM;
	st->cache_dir = config->dir;
	st->dir = -1;
	st->space = config->space;
	st->when = config->pace;
	note_start(st);
	r = open_dir(st);
	if (r < 0)
		goto fail_dir;
	r = dictionaries_new(config->level, config->keep, config->arg, &st->dictionaries);
	if (r < 0)
		goto fail_dir;
	r = codec_pool_new(config->compress, config->level, st->dictionaries, &st->codecs);
	if (r < 0)
		goto fail_dictionaries;
	st->chunks = chunk_cache_new(CHUNKS_CACHED);
	r = st->chunks ? 0 : -ENOMEM;
	if (r < 0)
		goto fail_codecs;
	r = segments_open(st->dir, st->space, &st->segments);
	if (r < 0)
		goto fail_chunks;
	r = blob_readers_new(st->dir, st->codecs, st->chunks, &st->readers);
	if (r < 0)
		goto fail_segments;
	blob_files_init(&st->files, st->cache_dir, st->dir, st->space, st->codecs);
	pace_init(&st->pace);
	*ret = st;
	return 0;

fail_segments:
	segments_close(st->segments);
fail_chunks:
	chunk_cache_free(st->chunks);
fail_codecs:
	codec_pool_free(st->codecs);
fail_dictionaries:
	dictionaries_free(st->dictionaries);
fail_dir:
	cleanup_close(&st->dir);
	free(st);
	return r;
}

void store_close(struct store *st)
{
	if (!st)
		return;
	pace_fini(&st->pace);
	blob_files_fini(&st->files);
	blob_readers_free(st->readers);
	segments_close(st->segments);
	chunk_cache_free(st->chunks);
	codec_pool_free(st->codecs);
	dictionaries_free(st->dictionaries);
	cleanup_close(&st->dir);
	free(st);
}

int store_load_dictionary(struct store *st, const void *value, size_t len)
{
	return dictionaries_load(st->dictionaries, value, len);
}

int store_each_dictionary(struct store *st, dictionary_keep *each, void *arg)
{
	return dictionaries_each(st->dictionaries, each, arg);
}

int store_put_file(struct store *st, int fd, const char *path, int64_t reserved,
		   int64_t len, uint64_t ino, const char *content_type,
		   struct blob *ret)
{
	return blob_file_put(&st->files, fd, path, reserved, len, ino, content_type, ret);
}

static bool is_within(const struct blob *b, int64_t off, size_t len)
{
	return off >= 0 && (uint64_t)off <= b->length && len <= b->length - off;
}

static bool is_file(const struct blob *b)
{
	return b->kind == BLOB_FILE && (b->codec == BLOB_PLAIN || b->codec == BLOB_ZSTD);
}

int store_read(struct store *st, const struct blob *b, int64_t off, size_t len,
	       void *buf)
{
	struct blob_reader *rd;
	int r;

	if (!is_within(b, off, len))
		return -EINVAL;
	if (len == 0)
		return 0;
	if (b->kind == BLOB_SEGMENT)
		return small_read(st, b, off, len, buf);
	if (!is_file(b))
		return -EBADMSG;
	r = blob_reader_get(st->readers, b, &rd);
	if (r < 0)
		return r;
	r = blob_reader_read(st->readers, rd, off, len, buf);
	blob_reader_put(st->readers, rd);
	return r;
}

int store_fd(struct store *st, const struct blob *b, int64_t off, size_t len,
	     int64_t *ret_pos)
{
	struct blob_reader *rd;
	int r;

	if (!is_within(b, off, len) || len == 0)
		return -EINVAL;
	/* A place in a segment may be given back before it is spliced. */
	if (!is_file(b) || b->codec != BLOB_PLAIN)
		return -ENOTSUP;
	r = blob_reader_get(st->readers, b, &rd);
	if (r < 0)
		return r;
	r = blob_reader_fd(st->readers, rd, off, len);
	blob_reader_put(st->readers, rd);
	if (r >= 0)
		*ret_pos = 0;
	return r;
}

void store_delete(struct store *st, const struct blob *b)
{
	switch (b->kind) {
	case BLOB_SEGMENT:
		segment_release(st->segments, b->id, b->offset, b->stored);
		break;
	case BLOB_FILE:
		blob_readers_forget(st->readers, b->id);
		blob_file_delete(&st->files, b);
		break;
	case BLOB_NONE:
	case BLOB_ARRIVING:
	case BLOB_PARTIAL:
		break;
	}
}

int store_check(struct store *st, const struct blob *b)
{
	struct blob_reader *rd;
	int r;

	if (b->kind == BLOB_SEGMENT)
		return small_check(st, b);
	if (!is_file(b))
		return b->length == 0 ? 0 : -EBADMSG;
	r = blob_reader_get(st->readers, b, &rd);
	if (r < 0)
		return r;
	r = blob_reader_check(st->readers, rd);
	blob_reader_put(st->readers, rd);
	return r;
}

int store_reopen(struct store *st, int dir)
{
	_cleanup_(cleanup_close) int blobs = -1;

	if (mkdirat(dir, "blobs", 0700) < 0 && errno != EEXIST)
		return -errno;
	blobs = openat(dir, "blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Behind the same number: others have it, and use it meanwhile. */
	if (blobs < 0 || dup3(blobs, st->dir, O_CLOEXEC) < 0)
		return -errno;
	blob_files_forget_dirs(&st->files);
	return 0;
}

int64_t store_counted(struct store *st)
{
	return st->dir_bytes + segments_counted(st->segments) + blob_files_counted(&st->files);
}

bool store_is_there(struct store *st)
{
	struct stat s;

	return fstat(st->dir, &s) == 0 && s.st_nlink > 0;
}

int64_t store_disk_bytes(const struct blob *b)
{
	return b->kind == BLOB_FILE ? blob_file_disk(b->stored) : 0;
}

void store_segment_live(struct store *st, uint64_t segment, uint64_t bytes)
{
	segment_set_live(st->segments, segment, bytes);
}

int store_segment_pick(struct store *st, uint64_t *ret_segment)
{
	return segment_pick(st->segments, ret_segment);
}

bool store_train(struct store *st)
{
	return dictionaries_train(st->dictionaries);
}

bool store_may_train(struct store *st)
{
	return dictionaries_due(st->dictionaries);
}

void store_segment_drop(struct store *st, uint64_t segment)
{
	segment_drop(st->segments, segment);
}

void store_forget_segments(struct store *st)
{
	note_start(st);
	segments_drop_all(st->segments);
}

void store_nobody_puts(struct store *st)
{
	st->nobody_puts = true;
}

int store_sweep(struct store *st, bool (*known)(void *arg, uint64_t ino),
		bool (*segment_known)(void *arg, uint64_t segment), void *arg,
		const _Atomic bool *stop, int64_t *removed)
{
	struct timespec started = { .tv_sec = st->started_ns / 1000000000,
				    .tv_nsec = st->started_ns % 1000000000 };
	uint64_t segment = 0;

	while (!*stop && segment_next_old(st->segments, segment, &segment) == 0)
		if (!segment_known(arg, segment))
			*removed += segment_drop(st->segments, segment);
	return sweep_files(st->dir, st->space, st->nobody_puts ? NULL : &started, known, arg, stop,
			   removed);
}
