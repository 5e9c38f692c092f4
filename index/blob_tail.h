/* blob_tail.h - what stands in a blob's file behind its chunks: their sums and,
 * when compressed, where they are.
 *
 *   plain:  body | table of sums
 *   zstd:   frame ... | skippable frame: table of sums | skippable frame: seek table
 *
 * The seek table is that of the Zstandard Seekable Format 0.1.0 (zstd,
 * contrib/seekable_format/zstd_seekable_compression_format.md): u32 packed and
 * u32 raw size for each frame, that of our sums included, then u32 frames, u8
 * flags (0), u32 0x8F92EAB1. blob.sum is over the whole tail, so that is all
 * there is to verify before it is believed; its numbers are checked all the same.
 *
 * Pure, but for blob_tail_load() which reads fd. Errors: -EBADMSG, -ENOMEM, what
 * the disk says. */
#ifndef INDEX_BLOB_TAIL_H
#define INDEX_BLOB_TAIL_H

#include <stddef.h>
#include <stdint.h>

#include "blob.h"

struct blob_tail {
	uint32_t chunk;		/* bytes of the body in a chunk */
	uint64_t n;		/* chunks */
	uint64_t *sums;		/* owned; n */
	int64_t *starts;	/* owned; n + 1: where they begin in the file */
};

void blob_tail_fini(struct blob_tail *t);

/* For a writer: room for the chunks of a body; the caller fills sums and starts. */
int blob_tail_init(struct blob_tail *t, int64_t length, uint32_t chunk);

/* Its bytes, which the caller frees, and how many. */
int blob_tail_encode(const struct blob_tail *t, int64_t length, enum blob_codec codec,
		     void **ret, size_t *ret_len);

/* That of the blob whose file is fd. */
int blob_tail_load(struct blob_tail *t, const struct blob *b, int fd);

#endif
