/* space.h - the hard limit: bytes are reserved before they are written.
 *
 * Counts what the cache directory takes on disk (blocks, as du sees them):
 * blobs, segments, partial bodies, index. Any thread, leaf lock. */
#ifndef INDEX_SPACE_H
#define INDEX_SPACE_H

#include <pthread.h>
#include <stdint.h>

struct space {
	pthread_mutex_t lock;
	int64_t limit;			/* bytes; set once */
	int64_t used;			/* guarded by lock; reserved bytes included */
	int64_t index;			/* guarded by lock; part of used: index.db and its WAL */
	int64_t refused;		/* guarded by lock; the largest reservation that had
					 * no room, until there is */
	int64_t told;			/* guarded by lock; used when pressed was called last */
	int64_t high;			/* eviction starts above this ... */
	int64_t low;			/* ... and stops below this */
	void (*pressed)(void *arg);	/* used went above high, or a reservation was
					 * refused; no lock held; may be NULL */
	void *arg;
};

/* limit in bytes; high and low follow from it. */
void space_init(struct space *sp, int64_t limit, void (*pressed)(void *), void *arg);
void space_fini(struct space *sp);

/* 0, or -ENOSPC (then pressed was called): bytes may be written now. */
int space_reserve(struct space *sp, int64_t bytes);
void space_release(struct space *sp, int64_t bytes);

/* These bytes are on disk already (found at start): may pass the limit. */
void space_count(struct space *sp, int64_t bytes);

/* The index files take this many bytes now (may pass the limit: it is what
 * eviction then makes room for). */
void space_set_index(struct space *sp, int64_t bytes);

/* All was lost: beside the index only so many bytes are used now. */
void space_begin_anew(struct space *sp, int64_t bytes);

int64_t space_used(struct space *sp);
int64_t space_limit(const struct space *sp);	/* bytes */
/* Bytes to free until used is at low, or until what was refused would fit; 0
 * while used is not above high and nothing was refused. */
int64_t space_excess(struct space *sp);

#endif
