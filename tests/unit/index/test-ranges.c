#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../index/ranges.h"

enum { SPACE = 200 };

/* Random additions and removals against one flag a byte. */
static void random_operations_agree_with_a_bitmap(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 300; round++) {
		struct ranges rs = RANGES_INIT;
		char there[SPACE + 1] = { 0 };

		for (int i = 0; i < 60; i++) {
			int64_t a = rand() % SPACE, b = a + rand() % 20;

			if (b > SPACE)
				b = SPACE;
			if (rand() % 12 == 0) {
				ranges_remove_below(&rs, a);
				memset(there, 0, (size_t)a);
			} else {
				assert_int_equal(ranges_add(&rs, a, b), 0);
				memset(there + a, 1, (size_t)(b - a));
			}
			for (size_t k = 0; k < rs.n; k++) {
				assert_true(rs.r[k].begin < rs.r[k].end);
				if (k)
					assert_true(rs.r[k - 1].end < rs.r[k].begin);
			}
			for (int64_t off = 0; off < SPACE; off++) {
				int64_t missing = off, next = off, begin = off;

				while (there[off] && begin > 0 && there[begin - 1])
					begin--;
				assert_int_equal(ranges_begin(&rs, off), begin);

				while (missing < SPACE && there[missing])
					missing++;
				while (next < SPACE && !there[next])
					next++;
				assert_int_equal(ranges_missing(&rs, off), missing);
				assert_true(ranges_next(&rs, off) ==
					    (next == SPACE ? INT64_MAX : next));
				assert_int_equal(ranges_has(&rs, off, off + 1), there[off]);
			}
		}
		ranges_fini(&rs);
	}
}

static void text_and_back(void **state)
{
	struct ranges rs = RANGES_INIT, again;
	char *text;

	(void)state;
	ranges_add(&rs, 0, 100);
	ranges_add(&rs, 4096, 8192);
	text = ranges_render(&rs);
	assert_string_equal(text, "0-99,4096-8191");
	assert_int_equal(ranges_parse(text, &again), 0);
	assert_int_equal(ranges_total(&again), 100 + 4096);
	assert_true(ranges_has(&again, 4096, 8192));
	ranges_fini(&again);
	ranges_fini(&rs);
	free(text);
}

static void damaged_text_is_refused(void **state)
{
	static const char *const bad[] = { "-", "1", "5-3", "a-b", "0-9;", "0-9,-", "-1-4",
					   "0-99999999999999999999", "0-9223372036854775807" };
	struct ranges rs;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(ranges_parse(bad[i], &rs), -EBADMSG);
	assert_int_equal(ranges_parse("", &rs), 0);
	assert_int_equal(rs.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_agree_with_a_bitmap),
		cmocka_unit_test(text_and_back),
		cmocka_unit_test(damaged_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
