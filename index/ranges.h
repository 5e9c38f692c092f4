/* ranges.h - which bytes of a body are there: sorted, disjoint, not touching.
 * No lock of its own. */
#ifndef INDEX_RANGES_H
#define INDEX_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
	int64_t begin, end;	/* [begin, end) */
};

struct ranges {
	struct range *r;
	size_t n, cap;
};

#define RANGES_INIT { NULL, 0, 0 }

void ranges_fini(struct ranges *rs);
int ranges_add(struct ranges *rs, int64_t begin, int64_t end);	/* 0 or -ENOMEM */
void ranges_remove_below(struct ranges *rs, int64_t end);	/* forget [0, end) */
/* Forgets [begin, end); without the memory to cut a range in two, also what is behind it
 * in that one. */
void ranges_remove(struct ranges *rs, int64_t begin, int64_t end);
bool ranges_has(const struct ranges *rs, int64_t begin, int64_t end);	/* all of it */
int64_t ranges_missing(const struct ranges *rs, int64_t off);	/* first absent >= off */
int64_t ranges_begin(const struct ranges *rs, int64_t off);	/* of the range that off is in; off */
int64_t ranges_next(const struct ranges *rs, int64_t off);	/* first present >= off; INT64_MAX */
int64_t ranges_total(const struct ranges *rs);

#endif
