#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../base/log_limit.h"

static struct log_limit limit;
static char places[LOG_LIMIT_PLACES + 1];

static void a_burst_is_said_and_the_rest_is_counted(void **state)
{
	unsigned kept_back = 9;

	(void)state;
	for (int i = 0; i < LOG_LIMIT_BURST; i++) {
		assert_true(log_limit_allow(&limit, &places[0], 1000 + i, &kept_back));
		assert_int_equal(kept_back, 0);
	}
	for (int i = 0; i < 7; i++)
		assert_false(log_limit_allow(&limit, &places[0], 2000, &kept_back));
	/* Others are not concerned. */
	assert_true(log_limit_allow(&limit, &places[1], 2000, &kept_back));
	assert_int_equal(kept_back, 0);
	assert_true(log_limit_allow(&limit, &places[0], 1000 + LOG_LIMIT_MS, &kept_back));
	assert_int_equal(kept_back, 7);
	assert_true(log_limit_allow(&limit, &places[0], 1000 + LOG_LIMIT_MS, &kept_back));
	assert_int_equal(kept_back, 0);
}

/* Who was silent for longest makes room for one more. */
static void places_are_not_more_than_so_many(void **state)
{
	unsigned kept_back;

	(void)state;
	limit = (struct log_limit){ 0 };
	for (int i = 0; i < LOG_LIMIT_PLACES; i++)
		for (int j = 0; j < LOG_LIMIT_BURST; j++)
			assert_true(log_limit_allow(&limit, &places[i], 1000 + i, &kept_back));
	assert_true(log_limit_allow(&limit, &places[LOG_LIMIT_PLACES], 2000, &kept_back));
	assert_false(log_limit_allow(&limit, &places[1], 2000, &kept_back));
	assert_true(log_limit_allow(&limit, &places[0], 2001, &kept_back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_said_and_the_rest_is_counted),
		cmocka_unit_test(places_are_not_more_than_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
