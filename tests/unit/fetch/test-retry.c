#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>

#include "../../../fetch/retry.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void test_the_window_doubles_to_its_cap(void **state)
{
	static const int64_t windows[] = { 200, 400, 800, 1600, 3200, 6400, 10000, 10000 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(windows); i++) {
		assert_int_equal(retry_delay_ms(i, -1, 0), 0);
		assert_int_equal(retry_delay_ms(i, -1, UINT32_MAX), windows[i] - 1);
		assert_int_equal(retry_delay_ms(i, -1, UINT32_C(1) << 31), windows[i] / 2);
		assert_int_equal(retry_delay_ms(i, -1, UINT32_C(1) << 30), windows[i] / 4);
	}
	assert_int_equal(retry_delay_ms(INT_MAX, -1, UINT32_MAX), 9999);
}

static void test_retry_after_is_honoured(void **state)
{
	(void)state;
	assert_int_equal(retry_delay_ms(0, 0, 0), 0);
	assert_int_equal(retry_delay_ms(0, 3000, UINT32_MAX), 3000);
	assert_int_equal(retry_delay_ms(9, 3000, 0), 3000);
	assert_int_equal(retry_delay_ms(9, 3000, UINT32_MAX), 9999);
	assert_int_equal(retry_delay_ms(0, 60000, 0), 60000);
	assert_int_equal(retry_delay_ms(0, 60001, 0), -1);
	assert_int_equal(retry_delay_ms(0, INT64_MAX, 0), -1);
}

/* 2026-01-02 03:04:05 UTC and a bit */
#define NOW_MS (INT64_C(1767323045) * 1000 + 250)

static void test_retry_after_is_parsed(void **state)
{
	static const struct {
		const char *value;
		int64_t ms;
	} cases[] = {
		{ "0", 0 },
		{ "1", 1000 },
		{ "120", 120000 },
		{ "007", 7000 },
		{ "9223372036854775", INT64_C(9223372036854775000) },
		{ "9223372036854776", INT64_MAX },
		{ "99999999999999999999999999", INT64_MAX },
		{ "Fri, 02 Jan 2026 03:04:06 GMT", 750 },
		{ "Fri, 02 Jan 2026 03:05:05 GMT", 59750 },
		{ "Fri, 02 Jan 2026 03:04:05 GMT", 0 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
		{ "", -1 },
		{ NULL, -1 },
		{ "-1", -1 },
		{ "+1", -1 },
		{ "1.5", -1 },
		{ "1s", -1 },
		{ " 1", -1 },
		{ "soon", -1 },
		{ "Fri, 02 Jan 2026", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t got = retry_after_parse(cases[i].value, NOW_MS);

		if (got != cases[i].ms)
			fail_msg("%s: %jd", cases[i].value, (intmax_t)got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_window_doubles_to_its_cap),
		cmocka_unit_test(test_retry_after_is_honoured),
		cmocka_unit_test(test_retry_after_is_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
