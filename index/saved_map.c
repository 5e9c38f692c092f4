/* saved_map.c - see saved_map.h. */
#include "saved_map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"

/* At most so many whole pieces, each of which is 17 bytes of a row. */
enum { CHUNK_LEAST = 256 * 1024, PIECES_MOST = 4096 };

int64_t saved_map_chunk(int64_t length)
{
	int64_t chunk = CHUNK_LEAST;

	while (chunk < length / PIECES_MOST)
		chunk *= 2;
	return chunk;
}

void saved_map_fini(struct saved_map *map)
{
	free(map->pieces);
	*map = (struct saved_map)SAVED_MAP_INIT;
}

/* Where the piece ends that begins there, in a range up to end. */
static int64_t piece_end(int64_t begin, int64_t end, int64_t chunk)
{
	int64_t cut = begin / chunk;

	return cut < (end - 1) / chunk ? (cut + 1) * chunk : end;
}

static size_t count_pieces(const struct ranges *rs, int64_t chunk)
{
	size_t n = 0;

	for (size_t i = 0; i < rs->n; i++)
		n += (size_t)((rs->r[i].end - 1) / chunk - rs->r[i].begin / chunk + 1);
	return n;
}

int saved_map_cut(const struct ranges *rs, int64_t chunk, struct saved_map *ret)
{
	size_t n = count_pieces(rs, chunk);
	struct saved_map map = { .chunk = chunk };

	map.pieces = reallocarray(NULL, n ? n : 1, sizeof *map.pieces);
	if (!map.pieces)
		return -ENOMEM;
	for (size_t i = 0; i < rs->n; i++) {
		int64_t at = rs->r[i].begin;

		while (at < rs->r[i].end) {
			int64_t end = piece_end(at, rs->r[i].end, chunk);

			map.pieces[map.n++] = (struct saved_piece){ .begin = at, .end = end };
			at = end;
		}
	}
	*ret = map;
	return 0;
}

struct saved_piece *saved_map_find(const struct saved_map *map, int64_t off)
{
	size_t low = 0, high = map->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (map->pieces[mid].end <= off)
			low = mid + 1;
		else
			high = mid;
	}
	return low < map->n ? &map->pieces[low] : NULL;
}

struct saved_piece *saved_map_doubt(const struct saved_map *map, int64_t off, int64_t end)
{
	struct saved_piece *p = saved_map_find(map, off);

	for (; p && p < map->pieces + map->n && p->begin < end; p++)
		if (!p->sure)
			return p;
	return NULL;
}

void saved_map_drop(struct saved_map *map, struct saved_piece *piece)
{
	size_t behind = (size_t)(map->pieces + map->n - (piece + 1));

	memmove(piece, piece + 1, behind * sizeof *piece);
	map->n--;
}

int saved_map_ranges(const struct saved_map *map, struct ranges *ret)
{
	struct ranges rs = RANGES_INIT;

	for (size_t i = 0; i < map->n; i++)
		if (ranges_add(&rs, map->pieces[i].begin, map->pieces[i].end) < 0) {
			ranges_fini(&rs);
			return -ENOMEM;
		}
	*ret = rs;
	return 0;
}

/* --- as text --- */

char *saved_map_render(const struct saved_map *map)
{
	_cleanup_(ranges_fini) struct ranges rs = RANGES_INIT;
	struct buf text = BUF_INIT;
	size_t next = 0;

	if (saved_map_ranges(map, &rs) < 0)
		return NULL;
	buf_printf(&text, "%" PRId64 ";", map->chunk);
	for (size_t i = 0; i < rs.n; i++) {
		char mark = ':';

		buf_printf(&text, "%s%" PRId64 "-%" PRId64, i ? "," : "", rs.r[i].begin,
			   rs.r[i].end - 1);
		for (; next < map->n && map->pieces[next].begin < rs.r[i].end; next++) {
			buf_printf(&text, "%c%016" PRIx64, mark, map->pieces[next].sum);
			mark = '.';
		}
	}
	return buf_take(&text);
}

/* A number that is followed by `mark`; *text moves behind it. */
static bool parse_number(const char **text, char mark, int64_t *ret)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*ret = strtoll(*text, &end, 10);
	if (errno || *end != mark)
		return false;
	*text = end + 1;
	return true;
}

/* ":SUM" or ".SUM". */
static bool parse_sum(const char **text, char mark, uint64_t *ret)
{
	const char *digits = *text + 1;

	if (**text != mark || strspn(digits, "0123456789abcdef") != 16)
		return false;
	*ret = strtoull(digits, NULL, 16);
	*text = digits + 16;
	return true;
}

/* The ranges alone, without their sums. */
static int parse_ranges(const char *text, struct ranges *rs)
{
	int64_t begin, last, before = -1;

	while (*text) {
		if (!parse_number(&text, '-', &begin) || !parse_number(&text, ':', &last) ||
		    begin <= before || last < begin || last == INT64_MAX)
			return -EBADMSG;
		if (ranges_add(rs, begin, last + 1) < 0)
			return -ENOMEM;
		before = last;
		text += strcspn(text, ",");
		if (*text && !*++text)
			return -EBADMSG;
	}
	return 0;
}

/* The sums, in the order of the pieces that the ranges were cut into. */
static int parse_sums(const char *text, const struct ranges *rs, struct saved_map *map)
{
	size_t next = 0;

	for (size_t i = 0; i < rs->n; i++) {
		char mark = ':';

		text += strcspn(text, ":");
		for (; next < map->n && map->pieces[next].begin < rs->r[i].end; next++) {
			if (!parse_sum(&text, mark, &map->pieces[next].sum))
				return -EBADMSG;
			mark = '.';
		}
		if (*text && *text != ',')
			return -EBADMSG;
	}
	return *text ? -EBADMSG : 0;
}

int saved_map_parse(const char *text, struct saved_map *ret)
{
	_cleanup_(ranges_fini) struct ranges rs = RANGES_INIT;
	struct saved_map map = SAVED_MAP_INIT;
	int64_t chunk;
	int err;

	if (!parse_number(&text, ';', &chunk) || chunk < CHUNK_LEAST)
		return -EBADMSG;
	err = parse_ranges(text, &rs);
	/* Not more memory than the text can have sums for. */
	if (!err && count_pieces(&rs, chunk) > strlen(text) / 16)
		err = -EBADMSG;
	if (!err)
		err = saved_map_cut(&rs, chunk, &map);
	if (!err)
		err = parse_sums(text, &rs, &map);
	if (err) {
		saved_map_fini(&map);
		return err;
	}
	*ret = map;
	return 0;
}
