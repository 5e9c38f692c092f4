/* store_small.c - small bodies: packed, or as they are to be packed later, into segments. */
#include "store_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/cleanup.h"
#include "blob_codec.h"
#include "blob_sums.h"
#include "chunk_cache.h"
#include "segment.h"

#define LOOSE_MOST (256LL << 20)	/* bytes; of a small cache, an eighth */

/* --- putting --- */

/* Among the packed, compressed if that pays. */
static int put_packed(struct store *st, const void *data, uint64_t group,
		      const char *content_type, struct blob *b)
{
	struct codec *c = codec_take(st->codecs);
	const void *bytes = data;
	int r;

	if (!c)
		return -ENOMEM;
	r = codec_pack_small(st->codecs, c, data, b->length, group, content_type, &b->stored);
	b->codec = r == 1 ? BLOB_ZSTD : BLOB_PLAIN;
	if (r == 1)
		bytes = c->packed;
	else
		b->stored = b->length;
	if (r >= 0) {
		b->sum = blob_sum(bytes, b->stored);
		r = segment_append(st->segments, SEGMENT_PACKED, bytes, b->stored, &b->id,
				   &b->offset);
	}
	codec_give(st->codecs, c);
	if (r == 0 && b->codec == BLOB_ZSTD)
		codec_learn_small(st->codecs, group, data, b->length);
	return r;
}

/* Packing it can wait, and had better. */
static bool is_for_later(struct store *st, size_t len, const char *content_type)
{
	int64_t limit = space_limit(st->space), most = limit / 8;

	if (st->when == STORE_AT_ONCE ||
	    (st->when == STORE_AS_TIME_ALLOWS && !pace_is_high(&st->pace)) ||
	    !codec_may_pack(st->codecs, content_type, (int64_t)len))
		return false;
	if (most > LOOSE_MOST)
		most = LOOSE_MOST;
	return segments_loose(st->segments) < most && space_used(st->space) < limit - limit / 4;
}

int store_put_later(struct store *st, const void *data, size_t len, const char *content_type,
		    struct blob *ret)
{
	struct blob b = { .kind = BLOB_SEGMENT, .length = len, .stored = len };
	int r;

	if (len == 0 || len > STORE_SMALL || !is_for_later(st, len, content_type))
		return -EAGAIN;
	b.sum = blob_sum(data, len);
	pace_put_off(&st->pace);
	r = segment_append(st->segments, SEGMENT_LOOSE, data, len, &b.id, &b.offset);
	if (r == 0)
		*ret = b;
	return r;
}

/* Of this thread. */
static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int store_put(struct store *st, const void *data, size_t len, const char *key,
	      const char *content_type, struct blob *ret)
{
	struct blob b = { .kind = BLOB_SEGMENT, .length = len, .stored = len };
	int64_t start;
	int r;

	if (len > STORE_SMALL)
		return -EFBIG;
	if (len == 0) {
		*ret = (struct blob){ .kind = BLOB_NONE };
		return 0;
	}
	r = store_put_later(st, data, len, content_type, ret);
	if (r != -EAGAIN)
		return r;
	start = cpu_ns();
	r = put_packed(st, data, codec_group(key, content_type), content_type, &b);
	pace_packed(&st->pace, cpu_ns() - start);
	if (r == 0)
		*ret = b;
	return r;
}

/* --- reading --- */

/* The stored bytes of a small body, verified, into buf. */
static int read_stored(struct store *st, const struct blob *b, void *buf)
{
	int r = segment_read(st->segments, b->id, b->offset, b->stored, buf);

	if (r == 0 && blob_sum(buf, b->stored) != b->sum)
		r = -EBADMSG;
	return r;
}

/* Whether the row of a small body makes sense. */
static bool is_small(const struct blob *b)
{
	return b->length > 0 && b->length <= STORE_SMALL && b->stored > 0 &&
	       b->stored <= 2 * STORE_SMALL &&
	       (b->codec == BLOB_ZSTD || (b->codec == BLOB_PLAIN && b->stored == b->length));
}

/* All of a small body into buf. */
static int read_small(struct store *st, const struct blob *b, void *buf)
{
	struct codec *c;
	int r;

	if (b->codec == BLOB_PLAIN)
		return read_stored(st, b, buf);
	c = codec_take(st->codecs);
	r = c ? codec_packed_room(c, b->stored) : -ENOMEM;
	if (r == 0)
		r = read_stored(st, b, c->packed);
	if (r == 0)
		r = codec_unpack_small(st->codecs, c, c->packed, b->stored, buf, b->length);
	codec_give(st->codecs, c);
	return r;
}

int small_read(struct store *st, const struct blob *b, int64_t off, size_t len, void *buf)
{
	struct chunk_key key = { .segment = true, .id = b->id, .at = b->offset };
	_cleanup_(chunk_unrefp) struct chunk *chunk = NULL;
	int r;

	if (!is_small(b))
		return -EBADMSG;
	if (len == b->length)
		return read_small(st, b, buf);
	chunk = chunk_cache_get(st->chunks, key);
	if (!chunk) {
		chunk = chunk_new(b->length);
		r = chunk ? read_small(st, b, chunk->data) : -ENOMEM;
		if (r < 0)
			return r;
		chunk_cache_put(st->chunks, key, chunk);
	}
	if (chunk->len != b->length)
		return -EBADMSG;
	memcpy(buf, chunk->data + off, len);
	return 0;
}

int small_check(struct store *st, const struct blob *b)
{
	_cleanup_(cleanup_free) void *body = NULL;

	if (!is_small(b))
		return -EBADMSG;
	body = malloc(b->length);
	return body ? read_small(st, b, body) : -ENOMEM;
}

/* --- moving --- */

int store_copy(struct store *st, const struct blob *from, struct blob *ret)
{
	struct blob b = *from;
	struct codec *c;
	int r;

	if (from->kind != BLOB_SEGMENT)
		return -EINVAL;
	if (!is_small(from))
		return -EBADMSG;
	c = codec_take(st->codecs);
	r = c ? codec_packed_room(c, from->stored) : -ENOMEM;
	if (r == 0)
		r = read_stored(st, from, c->packed);
	if (r == 0)
		r = segment_append(st->segments, SEGMENT_PACKED, c->packed, from->stored, &b.id,
				   &b.offset);
	codec_give(st->codecs, c);
	if (r == 0)
		*ret = b;
	return r;
}

int store_loose_take(struct store *st, uint64_t after, uint64_t *ret_segment)
{
	return segment_take_loose(st->segments, after, ret_segment);
}

int64_t store_loose(struct store *st)
{
	return segments_loose(st->segments);
}

bool store_is_calm(struct store *st)
{
	return pace_is_calm(&st->pace);
}

int store_pack(struct store *st, const struct blob *from, const char *key,
	       const char *content_type, struct blob *ret)
{
	struct blob b = { .kind = BLOB_SEGMENT, .length = from->length };
	_cleanup_(cleanup_free) void *body = NULL;
	int r;

	if (from->kind != BLOB_SEGMENT)
		return -EINVAL;
	if (!is_small(from))
		return -EBADMSG;
	body = malloc(from->length);
	r = body ? read_small(st, from, body) : -ENOMEM;
	if (r == 0)
		r = put_packed(st, body, codec_group(key, content_type), content_type, &b);
	if (r == 0)
		*ret = b;
	return r;
}
