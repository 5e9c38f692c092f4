#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../../fetch/lane.h"

static void test_one_lane_for_each_host_and_group(void **state)
{
	struct lanes l;
	struct lane *a, *b, *c, *d;

	(void)state;
	lanes_init(&l);
	a = lanes_get(&l, "https://a.example/x", NULL, 0, 0);
	b = lanes_get(&l, "http://a.example/y?z", NULL, 0, 0);
	c = lanes_get(&l, "https://a.example:444/", NULL, 0, 0);
	d = lanes_get(&l, "https://a.example/x", &l, 1000, 0);
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_ptr_not_equal(a, d);
	assert_true(lane_is_open(a, 5));
	lane_take(a, 1 << 30, 5);
	assert_true(lane_is_open(a, 5));
	lane_unref(&l, a);
	lane_unref(&l, b);
	lane_unref(&l, c);
	lane_unref(&l, d);
	lane_unref(&l, NULL);
	assert_int_equal(l.map.n, 1);
	lanes_fini(&l);
}

/* However it is asked, in all no more than the rate and a quarter second of it comes. */
static void test_rate_over_time(void **state)
{
	static const int64_t rates[] = { 1024, 3000, 65536, 1 << 30 };

	(void)state;
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		struct lanes l;
		struct lane *lane;
		int64_t came = 0, now, piece = rates[i] / 50;

		lanes_init(&l);
		lane = lanes_get(&l, "https://a.example/", &l, rates[i], 1000);
		for (now = 1000; now < 21000; now++)
			while (lane_is_open(lane, now)) {
				lane_take(lane, piece, now);
				came += piece;
			}
		assert_true(came >= rates[i] * 20 * 99 / 100);
		assert_true(came <= rates[i] * 20 + rates[i] / 4 + 2 * piece);
		lane_unref(&l, lane);
		lanes_fini(&l);
	}
}

/* Who ends and begins again does not begin with a fresh quarter second each time. */
static void test_debt_outlives_its_holders(void **state)
{
	struct lanes l;
	struct lane *lane;

	(void)state;
	lanes_init(&l);
	lane = lanes_get(&l, "https://a.example/", &l, 1000, 1000);
	lane_take(lane, 5000, 1000);
	lane_unref(&l, lane);
	for (int i = 0; i < 10; i++) {
		struct lane *other = lanes_get(&l, "https://b.example/", NULL, 0, 1100);

		lane_unref(&l, other);
	}
	lane = lanes_get(&l, "https://a.example/", &l, 1000, 1200);
	assert_false(lane_is_open(lane, 1200));
	assert_false(lane_is_open(lane, 5000));
	assert_true(lane_is_open(lane, 6000));
	lane_unref(&l, lane);
	/* Nothing is owed: it goes when the next one comes. */
	lane = lanes_get(&l, "https://b.example/", NULL, 0, 9000);
	assert_int_equal(l.map.n, 1);
	lane_unref(&l, lane);
	lanes_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_lane_for_each_host_and_group),
		cmocka_unit_test(test_rate_over_time),
		cmocka_unit_test(test_debt_outlives_its_holders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
