/* blob.h - where the stored bytes of a version are. A plain value: it is a few
 * columns of the version's row. Private to index/. */
#ifndef INDEX_BLOB_H
#define INDEX_BLOB_H

#include <stdint.h>

/* Written to the index: never renumber. */
enum blob_kind {
	BLOB_NONE = 0,		/* no body: negative answers, bodies of length 0 */
	BLOB_ARRIVING = 1,	/* row of a version whose body is not whole yet */
	BLOB_PARTIAL = 2,	/* partial/INO holds some ranges of it */
	BLOB_SEGMENT = 3,	/* packed into blobs/SEGMENT at offset */
	BLOB_FILE = 4,		/* a file of its own: blobs/XX/INO */
};

enum blob_codec {
	BLOB_PLAIN = 0,
	BLOB_ZSTD = 1,		/* seekable format, independent frames */
};

struct blob {
	enum blob_kind kind;
	enum blob_codec codec;
	uint64_t id;		/* SEGMENT: its number; FILE, PARTIAL: the inode number */
	uint64_t offset;	/* SEGMENT: first byte */
	uint64_t stored;	/* bytes it takes on disk, as encoded */
	uint64_t length;	/* bytes of the body */
	uint64_t sum;		/* XXH3-64 of the stored bytes' table of sums, or of the
				 * stored bytes when they have no table */
};

#endif
