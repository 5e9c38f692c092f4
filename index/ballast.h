/* ballast.h - a file that only takes room, to have some when the disk is full.
 *
 * SQLite needs room in its WAL also to delete rows, and to be opened at all. On a
 * disk that others filled nothing could be evicted or purged any more, nor a
 * daemon be started; so this much is thrown overboard then, and taken again when
 * the disk has plenty. It always counts against the limit.
 *
 * Any thread that may write; calls follow one another. */
#ifndef INDEX_BALLAST_H
#define INDEX_BALLAST_H

#include <stdbool.h>
#include <stdint.h>

/* Of a cache with this limit. */
int64_t ballast_bytes(int64_t limit);

/* Makes it, unless it is there or the disk has less than four times as much. dir:
 * the cache directory. */
void ballast_keep(int dir, int64_t bytes);

/* True: there was one, and now there is that much room. */
bool ballast_drop(int dir);

#endif
