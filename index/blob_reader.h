/* blob_reader.h - reading the files of large bodies.
 *
 * A reader is an open file and its tail; the last ones used stay open. Of a
 * plain file it remembers which chunks were verified since it was opened, so
 * that they can be spliced or read without a look at them.
 *
 * Any thread. Errors: -errno; -EBADMSG: damaged; -ENOENT: no such file. */
#ifndef INDEX_BLOB_READER_H
#define INDEX_BLOB_READER_H

#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "blob_codec.h"
#include "chunk_cache.h"

#define BLOB_NAME_MAX 40

/* "XX/INO", below blobs/. */
void blob_file_name(uint64_t ino, char name[BLOB_NAME_MAX]);

struct blob_readers;
struct blob_reader;

/* dir: blobs/; all borrowed. */
int blob_readers_new(int dir, struct codec_pool *codecs, struct chunk_cache *chunks,
		     struct blob_readers **ret);
void blob_readers_free(struct blob_readers *rs);

int blob_reader_get(struct blob_readers *rs, const struct blob *b, struct blob_reader **ret);
void blob_reader_put(struct blob_readers *rs, struct blob_reader *rd);

/* The file was deleted: closed when nobody reads it any more. */
void blob_readers_forget(struct blob_readers *rs, uint64_t ino);

/* Bytes [off, off + len) of the body, which lie within it. */
int blob_reader_read(struct blob_readers *rs, struct blob_reader *rd, int64_t off,
		     size_t len, void *buf);

/* A duplicate of the descriptor of a plain file, once the chunks touched are
 * verified. -ENOTSUP: compressed, or too much to verify now. */
int blob_reader_fd(struct blob_readers *rs, struct blob_reader *rd, int64_t off, size_t len);

/* Verifies and decodes all of it, whatever is remembered. */
int blob_reader_check(struct blob_readers *rs, struct blob_reader *rd);

#endif
