/* What of a body is saved, as pieces with sums, and as the text of a row. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../index/saved_map.h"

#define CHUNK (256 * 1024)

static struct saved_map some_map(void)
{
	struct ranges rs = RANGES_INIT;
	struct saved_map map;

	ranges_add(&rs, 10, 3 * CHUNK);
	ranges_add(&rs, 5 * CHUNK, 5 * CHUNK + 1);
	assert_int_equal(saved_map_cut(&rs, CHUNK, &map), 0);
	ranges_fini(&rs);
	for (size_t i = 0; i < map.n; i++)
		map.pieces[i].sum = 0xfedcba9876543210 + i;
	return map;
}

static void pieces_end_where_the_body_is_cut(void **state)
{
	struct saved_map map = some_map();

	(void)state;
	assert_int_equal(map.n, 4);
	assert_int_equal(map.pieces[0].begin, 10);
	assert_int_equal(map.pieces[0].end, CHUNK);
	assert_int_equal(map.pieces[2].end, 3 * CHUNK);
	assert_int_equal(map.pieces[3].begin, 5 * CHUNK);
	assert_int_equal(map.pieces[3].end, 5 * CHUNK + 1);
	assert_ptr_equal(saved_map_find(&map, 0), &map.pieces[0]);
	assert_ptr_equal(saved_map_find(&map, CHUNK), &map.pieces[1]);
	assert_ptr_equal(saved_map_find(&map, 4 * CHUNK), &map.pieces[3]);
	assert_null(saved_map_find(&map, 6 * CHUNK));
	saved_map_fini(&map);
}

static void doubt_is_for_pieces_nobody_looked_at(void **state)
{
	struct saved_map map = some_map();

	(void)state;
	map.pieces[1].sure = true;
	assert_ptr_equal(saved_map_doubt(&map, 0, 11), &map.pieces[0]);
	assert_null(saved_map_doubt(&map, 0, 10));
	assert_null(saved_map_doubt(&map, CHUNK, 2 * CHUNK));
	assert_ptr_equal(saved_map_doubt(&map, CHUNK, 2 * CHUNK + 1), &map.pieces[2]);
	saved_map_drop(&map, &map.pieces[2]);
	assert_null(saved_map_doubt(&map, CHUNK, 5 * CHUNK));
	assert_ptr_equal(saved_map_doubt(&map, CHUNK, 6 * CHUNK), &map.pieces[2]);
	saved_map_fini(&map);
}

static void text_and_back(void **state)
{
	struct saved_map map = some_map(), again;
	struct ranges rs;
	char *text = saved_map_render(&map);

	(void)state;
	assert_string_equal(text, "262144;10-786431:fedcba9876543210.fedcba9876543211."
			    "fedcba9876543212,1310720-1310720:fedcba9876543213");
	assert_int_equal(saved_map_parse(text, &again), 0);
	assert_int_equal(again.n, 4);
	assert_int_equal(again.chunk, CHUNK);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(again.pieces[i].begin, map.pieces[i].begin);
		assert_int_equal(again.pieces[i].end, map.pieces[i].end);
		assert_true(again.pieces[i].sum == map.pieces[i].sum);
		assert_false(again.pieces[i].sure);
	}
	assert_int_equal(saved_map_ranges(&again, &rs), 0);
	assert_int_equal(rs.n, 2);
	assert_int_equal(ranges_total(&rs), 3 * CHUNK - 10 + 1);
	ranges_fini(&rs);
	saved_map_fini(&again);
	saved_map_fini(&map);
	free(text);
}

static void damaged_text_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "0-99", "262144", "0;", "-1;", "1;0-0:0123456789abcdef", "262144;-",
		"262144;0-9", "262144;0-9:", "262144;0-9:0123456789abcde",
		"262144;0-9:0123456789abcdef0", "262144;0-9:0123456789abcdef.0123456789abcdef",
		"262144;0-9:0123456789abcdef,", "262144;9-5:0123456789abcdef",
		"262144;0-262144:0123456789abcdef", "262144;0-9:0123456789abcdeg",
		"262144;0-9223372036854775807:0123456789abcdef",
		"262144;0-9223372036854775806:0123456789abcdef",
		"262144;0-99999999999999999999:0123456789abcdef",
		"262144;9-9:0123456789abcdef,0-1:0123456789abcdef",
		"262144;0-4:0123456789abcdef,5-9:0123456789abcdef",
	};
	struct saved_map map;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (saved_map_parse(bad[i], &map) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(saved_map_parse("262144;", &map), 0);
	assert_int_equal(map.n, 0);
	saved_map_fini(&map);
}

static void rows_of_large_bodies_stay_small(void **state)
{
	(void)state;
	assert_int_equal(saved_map_chunk(-1), CHUNK);
	assert_int_equal(saved_map_chunk(INT64_C(1) << 30), CHUNK);
	assert_true((INT64_C(1) << 40) / saved_map_chunk(INT64_C(1) << 40) <= 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_end_where_the_body_is_cut),
		cmocka_unit_test(doubt_is_for_pieces_nobody_looked_at),
		cmocka_unit_test(text_and_back),
		cmocka_unit_test(damaged_text_is_refused),
		cmocka_unit_test(rows_of_large_bodies_stay_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
