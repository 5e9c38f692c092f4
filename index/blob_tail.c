/* blob_tail.c - see blob_tail.h. */
#include "blob_tail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "blob_codec.h"
#include "blob_sums.h"
#include "disk.h"

#define SKIPPABLE_SUMS 0x184D2A5Du	/* one of the 16 that readers skip */
#define SKIPPABLE_SEEK 0x184D2A5Eu
#define SKIPPABLE_HEAD 8
#define SEEK_ENTRY 8
#define SEEK_FOOTER 9
#define SEEK_MAGIC 0x8F92EAB1u
#define SEEK_FRAMES_MAX 0x8000000u

void blob_tail_fini(struct blob_tail *t)
{
	free(TAKE_PTR(t->sums));
	free(TAKE_PTR(t->starts));
}

int blob_tail_init(struct blob_tail *t, int64_t length, uint32_t chunk)
{
	*t = (struct blob_tail){ .chunk = chunk, .n = blob_chunks(length, chunk) };
	if (t->n >= SEEK_FRAMES_MAX)
		return -EFBIG;
	t->sums = calloc(t->n, sizeof(*t->sums));
	t->starts = calloc(t->n + 1, sizeof(*t->starts));
	if (t->sums && t->starts)
		return 0;
	blob_tail_fini(t);
	return -ENOMEM;
}

/* Bytes of the tail of a body in n chunks. */
static size_t tail_len(uint64_t n, enum blob_codec codec)
{
	if (codec == BLOB_PLAIN)
		return blob_sums_size(n);
	return SKIPPABLE_HEAD + blob_sums_size(n) +
	       SKIPPABLE_HEAD + (n + 1) * SEEK_ENTRY + SEEK_FOOTER;
}

static char *put_u32(char *to, uint32_t value)
{
	blob_put_u32(to, value);
	return to + 4;
}

static void encode_seek(const struct blob_tail *t, int64_t length, char *to)
{
	to = put_u32(to, SKIPPABLE_SEEK);
	to = put_u32(to, (t->n + 1) * SEEK_ENTRY + SEEK_FOOTER);
	for (uint64_t i = 0; i < t->n; i++) {
		to = put_u32(to, t->starts[i + 1] - t->starts[i]);
		to = put_u32(to, blob_chunk_len(length, t->chunk, i));
	}
	to = put_u32(to, SKIPPABLE_HEAD + blob_sums_size(t->n));
	to = put_u32(to, 0);
	to = put_u32(to, t->n + 1);
	*to++ = 0;
	put_u32(to, SEEK_MAGIC);
}

int blob_tail_encode(const struct blob_tail *t, int64_t length, enum blob_codec codec,
		     void **ret, size_t *ret_len)
{
	size_t len = tail_len(t->n, codec);
	char *data = malloc(len), *to = data;

	if (!data)
		return -ENOMEM;
	if (codec == BLOB_ZSTD) {
		to = put_u32(to, SKIPPABLE_SUMS);
		to = put_u32(to, blob_sums_size(t->n));
	}
	blob_sums_encode(t->chunk, t->sums, t->n, to);
	if (codec == BLOB_ZSTD)
		encode_seek(t, length, to + blob_sums_size(t->n));
	*ret = data;
	*ret_len = len;
	return 0;
}

/* How long the tail says it is, by its last bytes or what is behind the body. */
static int find_tail(const struct blob *b, int fd, size_t *ret_len)
{
	char footer[SEEK_FOOTER];
	uint32_t frames;
	int r;

	if (b->codec == BLOB_PLAIN) {
		if (b->stored <= b->length)
			return -EBADMSG;
		*ret_len = b->stored - b->length;
	} else {
		if (b->stored < sizeof(footer))
			return -EBADMSG;
		r = disk_read(fd, footer, sizeof(footer), b->stored - sizeof(footer));
		if (r < 0)
			return r;
		frames = blob_get_u32(footer);
		if (frames == 0 || frames > SEEK_FRAMES_MAX)
			return -EBADMSG;
		*ret_len = tail_len(frames - 1, BLOB_ZSTD);
	}
	/* Not more memory than a body of that length can need. */
	if (*ret_len > b->stored ||
	    *ret_len > tail_len(blob_chunks(b->length, BLOB_CHUNK_MIN), BLOB_ZSTD))
		return -EBADMSG;
	return 0;
}

/* The seek table: where the frames begin. They end where the tail begins. */
static int decode_seek(struct blob_tail *t, const struct blob *b, const char *seek,
		       int64_t end)
{
	int64_t at = 0;

	if (blob_get_u32(seek) != SKIPPABLE_SEEK || seek[SKIPPABLE_HEAD + (t->n + 1) * SEEK_ENTRY + 4])
		return -EBADMSG;
	seek += SKIPPABLE_HEAD;
	for (uint64_t i = 0; i < t->n; i++, seek += SEEK_ENTRY) {
		size_t raw = blob_chunk_len(b->length, t->chunk, i);
		uint32_t packed = blob_get_u32(seek);

		if (blob_get_u32(seek + 4) != raw || packed == 0 ||
		    packed > codec_bound(raw) || packed > end - at)
			return -EBADMSG;
		t->starts[i] = at;
		at += packed;
	}
	t->starts[t->n] = at;
	return at == end ? 0 : -EBADMSG;
}

static int decode(struct blob_tail *t, const struct blob *b, const char *data, size_t len)
{
	size_t head = b->codec == BLOB_ZSTD ? SKIPPABLE_HEAD : 0, sums_len = len;
	uint32_t chunk;
	uint64_t n;
	int r;

	if (b->codec == BLOB_ZSTD) {
		if (blob_get_u32(data) != SKIPPABLE_SUMS)
			return -EBADMSG;
		sums_len = blob_get_u32(data + 4);
		if (sums_len > len - head)
			return -EBADMSG;
	}
	r = blob_sums_decode(data + head, sums_len, b->length, &chunk, &n);
	if (r < 0 || tail_len(n, b->codec) != len)
		return -EBADMSG;
	r = blob_tail_init(t, b->length, chunk);
	if (r < 0)
		return r;
	for (uint64_t i = 0; i < n; i++) {
		t->sums[i] = blob_sums_get(data + head, i);
		t->starts[i] = i * chunk;
	}
	t->starts[n] = b->length;
	if (b->codec == BLOB_ZSTD)
		r = decode_seek(t, b, data + head + sums_len, b->stored - len);
	if (r < 0)
		blob_tail_fini(t);
	return r;
}

int blob_tail_load(struct blob_tail *t, const struct blob *b, int fd)
{
	_cleanup_(cleanup_free) void *data = NULL;
	struct stat st;
	size_t len;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (b->stored > INT64_MAX || b->length > INT64_MAX || b->length == 0 ||
	    (int64_t)b->stored != st.st_size)
		return -EBADMSG;
	r = find_tail(b, fd, &len);
	if (r < 0)
		return r;
	data = malloc(len);
	if (!data)
		return -ENOMEM;
	r = disk_read(fd, data, len, b->stored - len);
	if (r < 0)
		return r;
	if (blob_sum(data, len) != b->sum)
		return -EBADMSG;
	return decode(t, b, data, len);
}
