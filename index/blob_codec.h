/* blob_codec.h - compression: whether, and how.
 *
 * The bytes of a compressed body are zstd frames that decode alone, each of one
 * chunk. In a file two skippable frames follow: our table of sums, and the seek
 * table of the "Zstandard Seekable Format" (zstd, contrib/seekable_format), so
 * `zstd -dc` restores the body and other readers of that format can seek in it.
 * In a segment the frames are all there is.
 *
 * Whether: a sample is compressed. What came of it is remembered by content
 * type, so that after a few bodies most need none.
 *
 *
 * The size of a chunk, by bench/blob-store.c (192 MiB of catalogue pages on a
 * tmpfs, level 3, time of one of two CPUs that others used as well; one run, and
 * speeds differ by a quarter from run to run):
 *
 *   chunk   stored   put        128 KiB in order   64 KiB at random
 *    64 K   18.4 %   258 MB/s   1207 MB/s            47 us
 *   128 K   17.9 %   306 MB/s   1291 MB/s            91 us
 *   256 K   18.0 %   297 MB/s   1212 MB/s           176 us
 *     1 M   17.4 %   240 MB/s   1226 MB/s           739 us
 *
 * So 128 KiB: what larger ones save in space is little, while each doubling
 * doubles the price of a random read; the kernel reads ahead in 128 KiB, which
 * then are one chunk. In further runs with 128 KiB, reading in order made 988 to
 * 1521 MB/s, and zstd alone on such frames, between them, 1185 to 1500; putting
 * 15 kB took 55 to 70 us, zstd alone 51 to 67.
 *
 * Any thread; contexts are kept in a pool, for making one costs as much as a
 * small body. Errors: -errno; -EBADMSG: bytes that are no frame of that size. */
#ifndef INDEX_BLOB_CODEC_H
#define INDEX_BLOB_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/list.h"

#define BLOB_CHUNK (128 * 1024)		/* bytes of a body in a frame, when we write */
#define BLOB_CHUNK_MIN 4096		/* what readers accept; powers of two */
#define BLOB_CHUNK_MAX (8 << 20)
#define BLOB_SAMPLE (16 * 1024)		/* bytes */

struct codec_pool;
struct dictionaries;

/* What one thread compresses or decodes with, for a while. */
struct codec {
	struct list link;		/* the pool's */
	struct ZSTD_CCtx_s *cctx;	/* NULL until needed, as all below */
	struct ZSTD_DCtx_s *dctx;
	char *raw, *packed;		/* room for bodies and frames */
	size_t raw_cap, packed_cap;
};

/* ds: for small bodies; borrowed for the pool's life. */
int codec_pool_new(bool compress, int level, struct dictionaries *ds, struct codec_pool **ret);
void codec_pool_free(struct codec_pool *pool);

/* NULL: no memory. */
struct codec *codec_take(struct codec_pool *pool);
void codec_give(struct codec_pool *pool, struct codec *c);

/* At least so much room; what was in it is lost. 0 or -ENOMEM. */
int codec_raw_room(struct codec *c, size_t len);
int codec_packed_room(struct codec *c, size_t len);

/* Bytes a frame of len bytes can take at most. */
size_t codec_bound(size_t len);

/* One frame. */
int codec_pack(struct codec_pool *pool, struct codec *c, const void *src, size_t len,
	       void *dst, size_t cap, size_t *ret_len);

/* Frames that hold exactly len bytes. Trusts nothing in src. */
int codec_unpack(struct codec *c, const void *src, size_t src_len, void *dst, size_t len);

/* What to do with a body of this type; type may be NULL. */
enum codec_guess { CODEC_LEAVE, CODEC_SAMPLE, CODEC_TRY };
enum codec_guess codec_guess(struct codec_pool *pool, const char *type, int64_t len);

/* Whether the guess may be anything but to leave it; asks for nothing. */
bool codec_may_pack(struct codec_pool *pool, const char *type, int64_t len);

/* Whether the sample compresses well enough. */
bool codec_sample(struct codec_pool *pool, struct codec *c, const void *sample, size_t len);

/* Whether it was worth it: below nine tenths. */
bool codec_pays(int64_t len, int64_t packed);

/* So it came out. */
void codec_learn(struct codec_pool *pool, const char *type, bool paid);

/* Bodies of the origin of key, with this type (either may be NULL), resemble each
 * other (dictionary.h). */
uint64_t codec_group(const char *key, const char *type);

/* A small body into c->packed, if that pays: 1 and its size; 0: store it plain. */
int codec_pack_small(struct codec_pool *pool, struct codec *c, const void *data,
		     size_t len, uint64_t group, const char *type, size_t *ret_len);

/* A small body that was packed may help to pack others. */
void codec_learn_small(struct codec_pool *pool, uint64_t group, const void *data, size_t len);

/* Its frames; as codec_unpack(). */
int codec_unpack_small(struct codec_pool *pool, struct codec *c, const void *src,
		       size_t src_len, void *dst, size_t len);

#endif
