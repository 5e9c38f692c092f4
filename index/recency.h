/* recency.h - which inodes were looked up since eviction's hand passed them.
 *
 * One bit per inode number, in pages that exist only where a bit was set (numbers
 * are given out densely, so a million objects take 128 KiB). Any thread may mark
 * and take, without a lock (but for the mark that first needs a page); the rest is
 * for thread I. */
#ifndef INDEX_RECENCY_H
#define INDEX_RECENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recency;

struct recency *recency_new(void);
void recency_free(struct recency *r);

void recency_mark(struct recency *r, uint64_t ino);		/* any thread */
bool recency_take(struct recency *r, uint64_t ino);		/* clears, says what it was */
/* Takes out the pages of numbers below ino, and those without any mark. Marks that
 * are made meanwhile in such a page may be lost. */
void recency_forget_below(struct recency *r, uint64_t ino);

/* For restarts: bytes to keep, and back (ignored when they make no sense). */
int recency_save(struct recency *r, void **ret, size_t *ret_len);
void recency_load(struct recency *r, const void *data, size_t len);

#endif
