/* chunk_cache.h - chunks that were just decoded, so that a reader who takes them
 * piece by piece pays one decode a chunk. Any thread; a leaf lock inside.
 *
 * Nothing is ever invalidated: inode numbers and places in segments are not used
 * again while the daemon runs. */
#ifndef INDEX_CHUNK_CACHE_H
#define INDEX_CHUNK_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/list.h"

struct chunk_cache;

struct chunk_key {
	bool segment;		/* else a file of its own */
	uint64_t id;		/* segment number, or inode number */
	uint64_t at;		/* offset in the segment, or number of the chunk */
};

/* Immutable once it was put. */
struct chunk {
	struct list link;	/* the cache's: guarded by its lock */
	struct list bucket;	/* likewise */
	struct chunk_key key;
	_Atomic int refs;
	size_t len;
	char data[];
};

/* At most `limit` bytes of chunks that nobody holds. NULL: no memory. */
struct chunk_cache *chunk_cache_new(size_t limit);
void chunk_cache_free(struct chunk_cache *cc);

/* A new reference, NULL if it is not there. */
struct chunk *chunk_cache_get(struct chunk_cache *cc, struct chunk_key key);

/* Remembers c, with a reference of its own; not if the key is there already. */
void chunk_cache_put(struct chunk_cache *cc, struct chunk_key key, struct chunk *c);

struct chunk *chunk_new(size_t len);	/* one reference; NULL: no memory */
void chunk_unref(struct chunk *c);	/* NULL does nothing */
void chunk_unrefp(struct chunk **c);	/* for _cleanup_ */

#endif
