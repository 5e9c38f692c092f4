#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../base/histogram.h"

static void each_goes_into_its_bucket(void **state)
{
	struct histogram h = { 0 };
	struct histogram_view v;

	(void)state;
	histogram_add(&h, -5);
	histogram_add(&h, 1000);	/* a bound is in the bucket that it ends */
	histogram_add(&h, 1001);
	histogram_add(&h, INT32_MAX);
	histogram_view(&h, &v);
	assert_int_equal(v.buckets[0], 2);
	assert_int_equal(v.buckets[1], 1);
	assert_int_equal(v.buckets[HISTOGRAM_BOUNDS], 1);
	assert_int_equal(v.n, 4);
	assert_int_equal(v.sum_us, 2001 + (int64_t)INT32_MAX);
}

static void bounds_grow(void **state)
{
	(void)state;
	for (int i = 1; i < HISTOGRAM_BOUNDS; i++)
		assert_true(histogram_bounds_us[i] > histogram_bounds_us[i - 1]);
}

static int64_t quantile(const struct histogram *h, double q)
{
	struct histogram_view v;

	histogram_view(h, &v);
	return (int64_t)(histogram_quantile_us(&v, q) + 0.5);
}

static void quantiles(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	assert_int_equal(quantile(&h, 0.5), 0);
	for (int i = 0; i < 90; i++)
		histogram_add(&h, 8000);	/* 5 to 10 ms */
	for (int i = 0; i < 10; i++)
		histogram_add(&h, 200000);	/* 100 to 250 ms */
	assert_int_equal(quantile(&h, 0.45), 7500);
	assert_int_equal(quantile(&h, 0.9), 10000);
	assert_int_equal(quantile(&h, 0.95), 175000);
	assert_int_equal(quantile(&h, 1), 250000);
	histogram_reset(&h);
	histogram_add(&h, INT32_MAX);
	assert_int_equal(quantile(&h, 0.5), 60 * 1000 * 1000);
}

static void merging_adds_up(void **state)
{
	struct histogram a = { 0 }, b = { 0 };
	struct histogram_view v;

	(void)state;
	histogram_add(&a, 1);
	histogram_add(&b, 1);
	histogram_add(&b, 5000);
	histogram_merge(&a, &b);
	histogram_view(&a, &v);
	assert_int_equal(v.n, 3);
	assert_int_equal(v.buckets[0], 2);
	assert_int_equal(v.sum_us, 5002);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_goes_into_its_bucket),
		cmocka_unit_test(bounds_grow),
		cmocka_unit_test(quantiles),
		cmocka_unit_test(merging_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
