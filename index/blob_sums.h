/* blob_sums.h - the checksums of a file's chunks: XXH3-64 of each as stored.
 *
 *   "WCFSUMS1"  u32 bytes of the body in a chunk  u32 chunks  u64 sum ...
 *
 * little endian. In a plain file the table stands behind the body, in a
 * compressed one within a skippable frame; its own sum is in the row. Pure. */
#ifndef INDEX_BLOB_SUMS_H
#define INDEX_BLOB_SUMS_H

#include <stddef.h>
#include <stdint.h>

#define BLOB_SUMS_HEAD 16	/* bytes */

uint64_t blob_sum(const void *data, size_t len);

/* Little endian, wherever it stands. */
void blob_put_u32(void *to, uint32_t value);
uint32_t blob_get_u32(const void *from);

/* Chunks of a body, and bytes of one of them. */
uint64_t blob_chunks(int64_t length, uint32_t chunk);
size_t blob_chunk_len(int64_t length, uint32_t chunk, uint64_t i);

size_t blob_sums_size(uint64_t n);	/* bytes of a table of n */
void blob_sums_encode(uint32_t chunk, const uint64_t *sums, uint32_t n, void *dst);

/* The head of a table that is len bytes long, for a body of that length: the size
 * of its chunks. -EBADMSG unless all of it agrees. */
int blob_sums_decode(const void *src, size_t len, int64_t length, uint32_t *ret_chunk,
		     uint64_t *ret_n);
uint64_t blob_sums_get(const void *src, uint64_t i);

#endif
