/* blob_sums.c - see blob_sums.h. */
#include "blob_sums.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "blob_codec.h"

static const char magic[8] = { 'W', 'C', 'F', 'S', 'U', 'M', 'S', '1' };

uint64_t blob_sum(const void *data, size_t len)
{
	return XXH3_64bits(data, len);
}

void blob_put_u32(void *to, uint32_t value)
{
	value = htole32(value);
	memcpy(to, &value, sizeof(value));
}

uint32_t blob_get_u32(const void *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return le32toh(value);
}

uint64_t blob_chunks(int64_t length, uint32_t chunk)
{
	return length / chunk + (length % chunk != 0);
}

size_t blob_chunk_len(int64_t length, uint32_t chunk, uint64_t i)
{
	int64_t rest = length - (int64_t)(i * chunk);

	return rest < chunk ? rest : chunk;
}

size_t blob_sums_size(uint64_t n)
{
	return BLOB_SUMS_HEAD + n * sizeof(uint64_t);
}

void blob_sums_encode(uint32_t chunk, const uint64_t *sums, uint32_t n, void *dst)
{
	char *to = dst;

	memcpy(to, magic, sizeof(magic));
	blob_put_u32(to + 8, chunk);
	blob_put_u32(to + 12, n);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t sum = htole64(sums[i]);

		memcpy(to + blob_sums_size(i), &sum, sizeof(sum));
	}
}

int blob_sums_decode(const void *src, size_t len, int64_t length, uint32_t *ret_chunk,
		     uint64_t *ret_n)
{
	const char *from = src;
	uint32_t chunk;

	if (len < BLOB_SUMS_HEAD || memcmp(from, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	chunk = blob_get_u32(from + 8);
	if (chunk < BLOB_CHUNK_MIN || chunk > BLOB_CHUNK_MAX || (chunk & (chunk - 1)))
		return -EBADMSG;
	if (blob_chunks(length, chunk) != blob_get_u32(from + 12) ||
	    blob_sums_size(blob_get_u32(from + 12)) != len)
		return -EBADMSG;
	*ret_chunk = chunk;
	*ret_n = blob_get_u32(from + 12);
	return 0;
}

uint64_t blob_sums_get(const void *src, uint64_t i)
{
	uint64_t sum;

	memcpy(&sum, (const char *)src + blob_sums_size(i), sizeof(sum));
	return le64toh(sum);
}
