/* segment.h - small bodies, packed one behind the other into files of up to
 * SEGMENT_SIZE: blobs/seg-NNNNNNNN.
 *
 * Appending takes a place under a lock and writes without it, so puts run side
 * by side. A place is never written twice: after a restart appending goes on in
 * a new file, and numbers are not used again. What is in a place nobody here
 * knows or checks.
 *
 * There are two kinds, each with a file that is appended to. LOOSE ones (raw-NNNNNNNN)
 * take bodies that wait to be packed (pack.c), and go when these have moved.
 *
 * Live bytes say how much of a segment rows still name. A segment without any is
 * deleted; in others the whole blocks of dead places are given back to the disk
 * (holes).
 *
 * Any thread. Errors: -errno; -ENOENT: no such segment; -EBADMSG: it is shorter
 * than that; -ENOSPC also when the limit leaves no room. */
#ifndef INDEX_SEGMENT_H
#define INDEX_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "space.h"

#define SEGMENT_SIZE (64 << 20)		/* bytes */
#define SEGMENT_ALIGN 8			/* bytes; where places begin */

struct segments;

/* dir: blobs/, borrowed. Counts what is there into space. */
int segments_open(int dir, struct space *space, struct segments **ret);
void segments_close(struct segments *ss);

enum segment_kind { SEGMENT_PACKED, SEGMENT_LOOSE };

int segment_append(struct segments *ss, enum segment_kind kind, const void *data, size_t len,
		   uint64_t *ret_segment, uint64_t *ret_offset);
int segment_read(struct segments *ss, uint64_t segment, uint64_t offset, size_t len,
		 void *buf);

/* The place is dead: its row is gone. */
void segment_release(struct segments *ss, uint64_t segment, uint64_t offset, size_t len);

/* What rows said was live when this run began, once, for a segment of an earlier run
 * (of this run's segments more is known here). Until then it is neither picked nor
 * deleted. */
void segment_set_live(struct segments *ss, uint64_t segment, uint64_t bytes);

/* A packed segment that takes no more, and is so empty, or one of so many short ones,
 * that moving the rest elsewhere pays. Walks on from call to call. -ENOENT. */
int segment_pick(struct segments *ss, uint64_t *ret_segment);

/* The lowest loose segment above `after` that holds something; it takes no more from now on.
 * -ENOENT. */
int segment_take_loose(struct segments *ss, uint64_t after, uint64_t *ret_segment);

/* Live bytes in loose segments. */
int64_t segments_loose(struct segments *ss);

/* Whether it was still there. */
bool segment_drop(struct segments *ss, uint64_t segment);

/* No row knows any place any more. */
void segments_drop_all(struct segments *ss);

/* Bytes counted into space. */
int64_t segments_counted(struct segments *ss);

/* The first segment of an earlier run with a number above `after`. -ENOENT. */
int segment_next_old(struct segments *ss, uint64_t after, uint64_t *ret_segment);

#endif
