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

static void removing_agrees_with_a_bitmap(void **state)
{
	unsigned draw = 7;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct ranges rs = RANGES_INIT;
		bool there[40] = { false };

		for (int i = 0; i < 8; i++) {
			int begin = (int)((draw = draw * 1103515245 + 12345) >> 16) % 40;
			int end = begin + (int)((draw = draw * 1103515245 + 12345) >> 16) % 12;

			end = end > 40 ? 40 : end;
			for (int at = begin; at < end; at++)
				there[at] = i % 2 == 0;
			if (i % 2 == 0)
				assert_int_equal(ranges_add(&rs, begin, end), 0);
			else
				ranges_remove(&rs, begin, end);
			for (int at = 0; at < 40; at++)
				assert_int_equal(ranges_has(&rs, at, at + 1), there[at]);
		}
		ranges_fini(&rs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_agree_with_a_bitmap),
		cmocka_unit_test(removing_agrees_with_a_bitmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
