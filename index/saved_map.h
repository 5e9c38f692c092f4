/* saved_map.h - what of a body that is there in part is safely on disk, and the
 * checksums of it. Private to index/.
 *
 * The body is cut at multiples of `chunk`; what is there between two cuts is a piece,
 * with a sum (XXH3-64) of its own. The map is a column of the body's row (which has a
 * sum, too), so a bit that flips in partial/INO is noticed by whoever reads the piece
 * first after a restart. A piece that was read and found right, or written by this
 * process, is `sure`: nobody looks again.
 *
 * Not thread safe, pure. */
#ifndef INDEX_SAVED_MAP_H
#define INDEX_SAVED_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ranges.h"

struct saved_piece {
	int64_t begin, end;	/* [begin, end) of the body */
	uint64_t sum;
	bool sure;
};

struct saved_map {
	int64_t chunk;			/* bytes; 0: nothing is saved */
	struct saved_piece *pieces;	/* owned; ascending */
	size_t n;
	bool warned;			/* of damage */
};

#define SAVED_MAP_INIT { 0, NULL, 0, false }

/* So many bytes between two cuts of a body of that length (-1: unknown): a piece is read
 * whole before a part of it is believed, and a row should stay small. */
int64_t saved_map_chunk(int64_t length);

void saved_map_fini(struct saved_map *map);

/* The pieces of these ranges, without sums and not sure. 0 or -ENOMEM. */
int saved_map_cut(const struct ranges *rs, int64_t chunk, struct saved_map *ret);

/* The first piece that ends behind off; NULL: none. */
struct saved_piece *saved_map_find(const struct saved_map *map, int64_t off);
/* The first piece in [off, end) that nobody has looked at; NULL: none. */
struct saved_piece *saved_map_doubt(const struct saved_map *map, int64_t off, int64_t end);
void saved_map_drop(struct saved_map *map, struct saved_piece *piece);

/* What it covers. 0 or -ENOMEM. */
int saved_map_ranges(const struct saved_map *map, struct ranges *ret);

/* "CHUNK;BEGIN-LAST:SUM.SUM,..." with a sum, in hex, for each piece of a range; NULL:
 * no memory. And back: 0, -ENOMEM, or -EBADMSG. */
char *saved_map_render(const struct saved_map *map);
int saved_map_parse(const char *text, struct saved_map *ret);

#endif
