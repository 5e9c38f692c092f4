#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../../base/counters.h"

static void counters_count(void **state)
{
	(void)state;
	count(hits);
	count(hits);
	count_by(read_bytes, 1000);
	assert_int_equal(counter_value(COUNT_hits), 2);
	assert_int_equal(counter_value(COUNT_read_bytes), 1000);
	assert_int_equal(counter_value(COUNT_misses), 0);
}

static void reset_spares_gauges(void **state)
{
	(void)state;
	count(hits);
	count_by(parked, 5);
	count_by(parked, -2);
	counters_reset();
	assert_int_equal(counter_value(COUNT_hits), 0);
	assert_int_equal(counter_value(COUNT_parked), 3);
}

static void the_table_is_whole(void **state)
{
	(void)state;
	assert_true(counter_is_gauge(COUNT_parked));
	assert_false(counter_is_gauge(COUNT_hits));
	assert_string_equal(counter_name(COUNT_upstream_requests), "upstream_requests");
	for (int i = 0; i < COUNT_N; i++) {
		assert_true(strlen(counter_name((enum counter)i)) > 0);
		assert_true(strlen(counter_help((enum counter)i)) > 0);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(counter_name((enum counter)i),
						counter_name((enum counter)j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_count),
		cmocka_unit_test(reset_spares_gauges),
		cmocka_unit_test(the_table_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
