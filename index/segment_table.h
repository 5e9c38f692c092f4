/* segment_table.h - which segment files there are, and their open descriptors.
 * Private to segment.c and segment_table.c.
 *
 * Numbers only grow, also over restarts: the file with the highest number is
 * emptied, not deleted, until there is a higher one. So a row that a crash left
 * behind can never name a place that somebody else got since. */
#ifndef INDEX_SEGMENT_TABLE_H
#define INDEX_SEGMENT_TABLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "segment.h"
#include "space.h"

#define SEGMENT_NAME_MAX 32

struct segment {
	uint64_t id;		/* constant */
	enum segment_kind kind;	/* constant */

	/* Guarded by the table's lock. */
	int fd;			/* -1: not open now */
	int users;		/* who have it from segment_table_get() */
	bool known;		/* live is right (else: rows have not been counted) */
	bool gone;		/* deleted: the last user frees it */
	int64_t end;		/* bytes appended; the next place is behind */
	int64_t live;		/* bytes of places that rows name or will name; until known
				 * minus those that this run gave back */
	int64_t disk;		/* bytes reserved for it */
	int64_t punched;	/* bytes given back in holes */
};

struct segments {
	int dir;		/* constant */
	struct space *space;	/* constant */
	uint64_t first;		/* constant: lowest number of this run */

	pthread_mutex_t roll;	/* held while the next file is made; before lock */
	pthread_mutex_t lock;	/* leaf; guards all below, and the segments */
	struct segment **all;	/* ascending numbers */
	size_t n, cap;
	struct segment *current[2];	/* by kind: appended to; in use by the table; NULL: none */
	uint64_t next;		/* number of the next file */
	uint64_t picked;	/* number that segment_pick() named last */
	int open;		/* descriptors */
	size_t hand;		/* where to look for one to close */
	_Atomic bool no_holes;	/* the filesystem cannot punch */
};

/* Fills the table from the directory. */
int segment_table_load(struct segments *ss);

/* The segment, open, in use until put back. */
int segment_table_get(struct segments *ss, uint64_t id, struct segment **ret);
void segment_table_put(struct segments *ss, struct segment *seg);

/* Makes the next file the current one of that kind, unless that is not `full` any more. */
int segment_table_roll(struct segments *ss, enum segment_kind kind, struct segment *full);

/* With the lock held. */
struct segment *segment_table_find(struct segments *ss, uint64_t id);
void segment_table_remove(struct segments *ss, struct segment *seg);

/* Deletes the file of a segment that was just removed, and gives its space back;
 * no lock held. */
void segment_table_unlink(struct segments *ss, struct segment *seg);

#endif
