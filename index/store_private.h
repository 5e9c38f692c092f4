/* store_private.h - what store.c and store_small.c share. */
#ifndef INDEX_STORE_PRIVATE_H
#define INDEX_STORE_PRIVATE_H

#include <stdatomic.h>

#include "blob_file.h"
#include "pace.h"
#include "store.h"

struct store {
	/* Constant once open and in use, but for started_ns. */
	int cache_dir;			/* borrowed */
	int dir;			/* blobs/ */
	int64_t dir_bytes;		/* what blobs/ itself is counted as */
	struct space *space;		/* borrowed */
	_Atomic int64_t started_ns;	/* what is older may be swept */
	bool nobody_puts;		/* what is younger, too */
	struct dictionaries *dictionaries;
	struct codec_pool *codecs;
	struct chunk_cache *chunks;
	struct segments *segments;
	struct blob_files files;
	struct blob_readers *readers;
	struct pace pace;
	enum store_pace when;		/* constant */
};

/* store_small.c: bodies in segments. As store_read() and store_check(). */
int small_read(struct store *st, const struct blob *b, int64_t off, size_t len, void *buf);
int small_check(struct store *st, const struct blob *b);

#endif
