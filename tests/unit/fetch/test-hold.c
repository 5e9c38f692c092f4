#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../../fetch/hold.h"

static struct holds holds;

static int empty(void **state)
{
	(void)state;
	holds_fini(&holds);
	return 0;
}

static void test_until_its_time(void **state)
{
	(void)state;
	assert_int_equal(hold_find(&holds, "http://a/", 1000), 0);
	hold_add(&holds, "http://a/", -EBUSY, 1000, 500);
	assert_int_equal(hold_find(&holds, "http://a/", 1000), -EBUSY);
	assert_int_equal(hold_find(&holds, "http://a/", 1499), -EBUSY);
	assert_int_equal(hold_find(&holds, "http://a/", 1500), 0);
	assert_int_equal(hold_find(&holds, "http://b/", 1000), 0);
}

static void test_a_clock_that_is_set_back(void **state)
{
	(void)state;
	hold_add(&holds, "http://a/", -EBUSY, 1000, 500);
	assert_int_equal(hold_find(&holds, "http://a/", 999), 0);
}

static void test_at_most_a_minute(void **state)
{
	(void)state;
	hold_add(&holds, "http://a/", -EBUSY, 0, INT64_MAX);
	assert_int_equal(hold_find(&holds, "http://a/", HOLD_MAX_MS - 1), -EBUSY);
	assert_int_equal(hold_find(&holds, "http://a/", HOLD_MAX_MS), 0);
}

static void test_no_time_is_no_hold(void **state)
{
	(void)state;
	hold_add(&holds, "http://a/", -EBUSY, 0, 0);
	hold_add(&holds, "http://a/", -EBUSY, 0, -1);
	assert_int_equal(hold_find(&holds, "http://a/", 0), 0);
}

static void test_the_latest_counts(void **state)
{
	(void)state;
	hold_add(&holds, "http://a/", -EBUSY, 0, 100);
	hold_add(&holds, "http://a/", -EBUSY, 50, 100);
	assert_int_equal(hold_find(&holds, "http://a/", 149), -EBUSY);
}

static bool ends_with_7(const char *key, void *arg)
{
	(void)arg;
	return key[strlen(key) - 1] == '7';
}

static void test_many_and_dropped(void **state)
{
	int found = 0;
	char key[32];

	(void)state;
	for (int i = 0; i < 10 * HOLDS_N; i++) {
		snprintf(key, sizeof key, "http://a/%d", i);
		hold_add(&holds, key, -EBUSY, 0, 100);
		assert_int_equal(hold_find(&holds, key, 0), -EBUSY);
	}
	hold_drop(&holds, ends_with_7, NULL);
	for (int i = 0; i < 10 * HOLDS_N; i++) {
		snprintf(key, sizeof key, "http://a/%d", i);
		found += hold_find(&holds, key, 0) != 0;
		if (i % 10 == 7)
			assert_int_equal(hold_find(&holds, key, 0), 0);
	}
	assert_in_range(found, 1, HOLDS_N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_until_its_time, empty),
		cmocka_unit_test_teardown(test_a_clock_that_is_set_back, empty),
		cmocka_unit_test_teardown(test_at_most_a_minute, empty),
		cmocka_unit_test_teardown(test_no_time_is_no_hold, empty),
		cmocka_unit_test_teardown(test_the_latest_counts, empty),
		cmocka_unit_test_teardown(test_many_and_dropped, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
