/* blob_reader.c - see blob_reader.h. */
#include "blob_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "blob_sums.h"
#include "blob_tail.h"
#include "disk.h"

#define BUCKETS 64
#define OPEN_MAX_FDS 128
#define TAILS_MAX (32 << 20)		/* bytes of all tails kept */
#define VERIFY_MAX 16			/* chunks looked at before a splice */

struct blob_reader {
	/* constant */
	uint64_t ino;
	int fd;
	enum blob_codec codec;
	int64_t length;
	uint64_t stored, sum;
	struct blob_tail tail;
	size_t memory;
	_Atomic uint64_t *verified;	/* a bit a chunk; plain only */

	/* guarded by the lock of blob_readers */
	struct list link;		/* in order of use; empty: not kept */
	struct list bucket;
	int users;
};

struct blob_readers {
	int dir;
	struct codec_pool *codecs;
	struct chunk_cache *chunks;

	pthread_mutex_t lock;		/* leaf; guards all below */
	struct list recent;		/* least recently used first */
	struct list buckets[BUCKETS];
	size_t n, memory;
};

void blob_file_name(uint64_t ino, char name[BLOB_NAME_MAX])
{
	snprintf(name, BLOB_NAME_MAX, "%02x/%" PRIu64, (unsigned)(ino % 256), ino);
}

int blob_readers_new(int dir, struct codec_pool *codecs, struct chunk_cache *chunks,
		     struct blob_readers **ret)
{
	struct blob_readers *rs = calloc(1, sizeof(*rs));

	if (!rs)
		return -ENOMEM;
	rs->dir = dir;
	rs->codecs = codecs;
	rs->chunks = chunks;
	pthread_mutex_init(&rs->lock, NULL);
	list_init(&rs->recent);
	for (size_t i = 0; i < BUCKETS; i++)
		list_init(&rs->buckets[i]);
	*ret = rs;
	return 0;
}

static void free_reader(struct blob_reader *rd)
{
	cleanup_close(&rd->fd);
	blob_tail_fini(&rd->tail);
	free((void *)rd->verified);
	free(rd);
}

void blob_readers_free(struct blob_readers *rs)
{
	struct list *l;

	if (!rs)
		return;
	while ((l = list_pop(&rs->recent)))
		free_reader(list_entry(l, struct blob_reader, link));
	pthread_mutex_destroy(&rs->lock);
	free(rs);
}

/* With the lock held. */
static struct blob_reader *find(struct blob_readers *rs, uint64_t ino)
{
	struct blob_reader *rd;

	list_for_each(rd, &rs->buckets[ino % BUCKETS], bucket) {
		if (rd->ino == ino)
			return rd;
	}
	return NULL;
}

/* Takes it off what is kept; whoever uses it last frees it. With the lock held;
 * true: that is the caller, now. */
static bool unkeep(struct blob_readers *rs, struct blob_reader *rd)
{
	list_remove(&rd->link);
	list_remove(&rd->bucket);
	rs->n--;
	rs->memory -= rd->memory;
	return rd->users == 0;
}

static bool is_of(const struct blob_reader *rd, const struct blob *b)
{
	return rd->codec == b->codec && rd->sum == b->sum && rd->stored == b->stored &&
	       (uint64_t)rd->length == b->length;
}

static int open_reader(struct blob_readers *rs, const struct blob *b,
		       struct blob_reader **ret)
{
	struct blob_reader *rd = calloc(1, sizeof(*rd));
	char name[BLOB_NAME_MAX];
	int r;

	if (!rd)
		return -ENOMEM;
	rd->ino = b->id;
	rd->codec = b->codec;
	rd->length = b->length;
	rd->stored = b->stored;
	rd->sum = b->sum;
	rd->users = 1;
	list_init(&rd->link);
	list_init(&rd->bucket);
	blob_file_name(b->id, name);
	rd->fd = openat(rs->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	r = rd->fd < 0 ? -errno : blob_tail_load(&rd->tail, b, rd->fd);
	if (r == 0 && b->codec == BLOB_PLAIN) {
		rd->verified = calloc(rd->tail.n / 64 + 1, sizeof(*rd->verified));
		r = rd->verified ? 0 : -ENOMEM;
	}
	if (r < 0) {
		free_reader(rd);
		return r;
	}
	rd->memory = rd->tail.n * 16;
	*ret = rd;
	return 0;
}

/* Keeps rd, unless another thread was faster: then that one's is used. */
static struct blob_reader *keep(struct blob_readers *rs, struct blob_reader *rd)
{
	struct list out = LIST_INIT(out);
	struct list *l;

	WITH_LOCK(&rs->lock) {
		struct blob_reader *other = find(rs, rd->ino);

		if (other && other->sum == rd->sum && other->stored == rd->stored) {
			other->users++;
			rd->users = 0;
			list_append(&out, &rd->link);
			rd = other;
			break;
		}
		if (other && unkeep(rs, other))
			list_append(&out, &other->link);
		list_append(&rs->recent, &rd->link);
		list_append(&rs->buckets[rd->ino % BUCKETS], &rd->bucket);
		rs->n++;
		rs->memory += rd->memory;
		while (rs->n > 1 && (rs->n > OPEN_MAX_FDS || rs->memory > TAILS_MAX)) {
			other = list_entry(rs->recent.next, struct blob_reader, link);
			if (unkeep(rs, other))
				list_append(&out, &other->link);
		}
	}
	while ((l = list_pop(&out)))
		free_reader(list_entry(l, struct blob_reader, link));
	return rd;
}

int blob_reader_get(struct blob_readers *rs, const struct blob *b, struct blob_reader **ret)
{
	struct blob_reader *rd = NULL;
	int r;

	WITH_LOCK(&rs->lock) {
		rd = find(rs, b->id);
		if (rd && !is_of(rd, b))
			rd = NULL;
		if (!rd)
			break;
		rd->users++;
		list_remove(&rd->link);
		list_append(&rs->recent, &rd->link);
	}
	if (!rd) {
		r = open_reader(rs, b, &rd);
		if (r < 0)
			return r;
		rd = keep(rs, rd);
	}
	*ret = rd;
	return 0;
}

void blob_reader_put(struct blob_readers *rs, struct blob_reader *rd)
{
	bool last = false;

	WITH_LOCK(&rs->lock)
		last = --rd->users == 0 && list_empty(&rd->link);
	if (last)
		free_reader(rd);
}

void blob_readers_forget(struct blob_readers *rs, uint64_t ino)
{
	struct blob_reader *rd = NULL;

	WITH_LOCK(&rs->lock) {
		rd = find(rs, ino);
		if (rd && !unkeep(rs, rd))
			rd = NULL;
	}
	if (rd)
		free_reader(rd);
}

static bool is_verified(struct blob_reader *rd, uint64_t i)
{
	return rd->verified && (rd->verified[i / 64] >> (i % 64) & 1);
}

/* Bytes of chunk i as stored. */
static size_t stored_len(const struct blob_reader *rd, uint64_t i)
{
	return rd->tail.starts[i + 1] - rd->tail.starts[i];
}

/* Chunk i as stored, verified, into buf. */
static int read_stored(struct blob_reader *rd, uint64_t i, void *buf)
{
	size_t len = stored_len(rd, i);
	int r = disk_read(rd->fd, buf, len, rd->tail.starts[i]);

	if (r < 0)
		return r;
	if (blob_sum(buf, len) != rd->tail.sums[i])
		return -EBADMSG;
	if (rd->verified)
		atomic_fetch_or(&rd->verified[i / 64], UINT64_C(1) << (i % 64));
	return 0;
}

/* All of chunk i of the body, which has len bytes, into buf. */
static int read_chunk(struct blob_reader *rd, struct codec *c, uint64_t i, void *buf,
		      size_t len)
{
	int r;

	if (rd->codec == BLOB_PLAIN)
		return read_stored(rd, i, buf);
	r = codec_packed_room(c, stored_len(rd, i));
	if (r == 0)
		r = read_stored(rd, i, c->packed);
	if (r == 0)
		r = codec_unpack(c, c->packed, stored_len(rd, i), buf, len);
	return r;
}

/* Bytes [from, from + part) of chunk i. */
static int read_part(struct blob_readers *rs, struct blob_reader *rd, struct codec *c,
		     uint64_t i, size_t from, size_t part, char *buf)
{
	struct chunk_key key = { .segment = false, .id = rd->ino, .at = i };
	size_t len = blob_chunk_len(rd->length, rd->tail.chunk, i);
	_cleanup_(chunk_unrefp) struct chunk *chunk = NULL;
	int r;

	if (is_verified(rd, i))
		return disk_read(rd->fd, buf, part, rd->tail.starts[i] + from);
	chunk = chunk_cache_get(rs->chunks, key);
	if (!chunk && part == len)
		return read_chunk(rd, c, i, buf, len);
	if (!chunk) {
		chunk = chunk_new(len);
		if (!chunk)
			return -ENOMEM;
		r = read_chunk(rd, c, i, chunk->data, len);
		if (r < 0)
			return r;
		if (rd->codec != BLOB_PLAIN)
			chunk_cache_put(rs->chunks, key, chunk);
	}
	if (part > chunk->len || from > chunk->len - part)
		return -EBADMSG;
	memcpy(buf, chunk->data + from, part);
	return 0;
}

int blob_reader_read(struct blob_readers *rs, struct blob_reader *rd, int64_t off,
		     size_t len, void *buf)
{
	struct codec *c = codec_take(rs->codecs);
	char *to = buf;
	int r = c ? 0 : -ENOMEM;

	while (r == 0 && len > 0) {
		uint64_t i = off / rd->tail.chunk;
		size_t from = off % rd->tail.chunk;
		size_t part = blob_chunk_len(rd->length, rd->tail.chunk, i) - from;

		if (part > len)
			part = len;
		r = read_part(rs, rd, c, i, from, part, to);
		to += part;
		off += part;
		len -= part;
	}
	codec_give(rs->codecs, c);
	return r;
}

int blob_reader_fd(struct blob_readers *rs, struct blob_reader *rd, int64_t off, size_t len)
{
	uint64_t first = off / rd->tail.chunk, last = (off + len - 1) / rd->tail.chunk;
	struct codec *c;
	struct stat st;
	int fd, r = 0;

	if (rd->codec != BLOB_PLAIN || last - first >= VERIFY_MAX)
		return -ENOTSUP;
	c = codec_take(rs->codecs);
	if (!c)
		return -ENOMEM;
	for (uint64_t i = first; r == 0 && i <= last; i++) {
		if (is_verified(rd, i))
			continue;
		r = codec_raw_room(c, rd->tail.chunk);
		if (r == 0)
			r = read_stored(rd, i, c->raw);
	}
	codec_give(rs->codecs, c);
	if (r < 0)
		return r;
	/* Cut since it was verified: who hands on less than was asked for ends the file. */
	if (fstat(rd->fd, &st) < 0)
		return -errno;
	if (st.st_size < off + (int64_t)len)
		return -EBADMSG;
	fd = fcntl(rd->fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

int blob_reader_check(struct blob_readers *rs, struct blob_reader *rd)
{
	struct codec *c = codec_take(rs->codecs);
	int r = c ? codec_raw_room(c, rd->tail.chunk) : -ENOMEM;

	for (uint64_t i = 0; r == 0 && i < rd->tail.n; i++)
		r = read_chunk(rd, c, i, c->raw, blob_chunk_len(rd->length, rd->tail.chunk, i));
	codec_give(rs->codecs, c);
	return r;
}
