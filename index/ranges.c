#include "ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ranges_fini(struct ranges *rs)
{
	free(rs->r);
	*rs = (struct ranges)RANGES_INIT;
}

/* Index of the first range that ends at or behind off. */
static size_t find(const struct ranges *rs, int64_t off)
{
	size_t low = 0, high = rs->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (rs->r[mid].end < off)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int ranges_add(struct ranges *rs, int64_t begin, int64_t end)
{
	size_t first = find(rs, begin), last = first;

	if (begin >= end)
		return 0;
	/* [first, last) touch the new one and melt into it. */
	while (last < rs->n && rs->r[last].begin <= end)
		last++;
	if (first < last) {
		if (rs->r[first].begin < begin)
			begin = rs->r[first].begin;
		if (rs->r[last - 1].end > end)
			end = rs->r[last - 1].end;
	} else if (rs->n == rs->cap) {
		size_t cap = rs->cap ? rs->cap * 2 : 4;
		struct range *r = realloc(rs->r, cap * sizeof *r);

		if (!r)
			return -ENOMEM;
		rs->r = r;
		rs->cap = cap;
	}
	memmove(&rs->r[first + 1], &rs->r[last], (rs->n - last) * sizeof *rs->r);
	rs->n = rs->n - (last - first) + 1;
	rs->r[first] = (struct range){ begin, end };
	return 0;
}

void ranges_remove_below(struct ranges *rs, int64_t end)
{
	size_t keep = 0;

	while (keep < rs->n && rs->r[keep].end <= end)
		keep++;
	rs->n -= keep;
	if (rs->n)
		memmove(rs->r, rs->r + keep, rs->n * sizeof *rs->r);
	if (rs->n && rs->r[0].begin < end)
		rs->r[0].begin = end;
}

void ranges_remove(struct ranges *rs, int64_t begin, int64_t end)
{
	size_t i = 0;

	while (i < rs->n && begin < end) {
		struct range *r = &rs->r[i];
		struct range rest = { end, r->end };

		if (r->end <= begin || r->begin >= end) {
			i++;
		} else if (r->begin < begin) {
			r->end = begin;
			if (rest.begin < rest.end)
				(void)ranges_add(rs, rest.begin, rest.end);
			i++;
		} else if (r->end > end) {
			r->begin = end;
			i++;
		} else {
			rs->n--;
			memmove(r, r + 1, (rs->n - i) * sizeof *r);
		}
	}
}

bool ranges_has(const struct ranges *rs, int64_t begin, int64_t end)
{
	return begin >= end || ranges_missing(rs, begin) >= end;
}

int64_t ranges_missing(const struct ranges *rs, int64_t off)
{
	size_t i = find(rs, off);

	/* A range that ends right at off does not hold byte off, but the next
	 * cannot begin there: they would have melted. */
	if (i < rs->n && rs->r[i].begin <= off && rs->r[i].end > off)
		return rs->r[i].end;
	return off;
}

int64_t ranges_begin(const struct ranges *rs, int64_t off)
{
	size_t i = find(rs, off);

	return i < rs->n && rs->r[i].begin <= off && rs->r[i].end > off ? rs->r[i].begin : off;
}

int64_t ranges_next(const struct ranges *rs, int64_t off)
{
	size_t i = find(rs, off);

	if (i < rs->n && rs->r[i].end == off)
		i++;
	if (i == rs->n)
		return INT64_MAX;
	return rs->r[i].begin > off ? rs->r[i].begin : off;
}

int64_t ranges_total(const struct ranges *rs)
{
	int64_t total = 0;

	for (size_t i = 0; i < rs->n; i++)
		total += rs->r[i].end - rs->r[i].begin;
	return total;
}
