#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../../../base/origins.h"

static int64_t value(const char *name, enum origin_counter c)
{
	struct origin_view *list;
	int64_t found = -1;
	size_t n;

	assert_int_equal(origins_view(&list, &n), 0);
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			found = list[i].values[c];
	origins_free(list, n);
	return found;
}

static void each_is_counted_alone(void **state)
{
	(void)state;
	origins_reset();
	origin_add("https://a.example/x/y?z", ORIGIN_hits, 2);
	origin_add("https://a.example", ORIGIN_hits, 1);
	origin_add("https://a.example:8443/x", ORIGIN_hits, 5);
	origin_add("http://a.example/x", ORIGIN_errors, 7);
	origin_add(NULL, ORIGIN_hits, 1);
	assert_int_equal(value("https://a.example", ORIGIN_hits), 3);
	assert_int_equal(value("https://a.example", ORIGIN_errors), 0);
	assert_int_equal(value("https://a.example:8443", ORIGIN_hits), 5);
	assert_int_equal(value("http://a.example", ORIGIN_errors), 7);
	assert_int_equal(value(ORIGINS_OTHER, ORIGIN_hits), -1);
}

static void counting_at_an_origin_counts_for_the_mount(void **state)
{
	int64_t before = counter_value(COUNT_upstream_bytes);

	(void)state;
	origins_reset();
	count_by_at("https://a.example/x", upstream_bytes, 1000);
	count_at("https://a.example/x", upstream_bytes);
	assert_int_equal(counter_value(COUNT_upstream_bytes) - before, 1001);
	assert_int_equal(value("https://a.example", ORIGIN_upstream_bytes), 1001);
}

/* Who was silent for longest makes room, and no count is lost. */
static void there_are_not_more_than_so_many(void **state)
{
	struct origin_view *list;
	char url[64];
	int64_t sum = 0;
	size_t n;

	(void)state;
	origins_reset();
	for (int i = 0; i < ORIGINS_MAX; i++) {
		snprintf(url, sizeof url, "https://h%03d.example/", i);
		origin_add(url, ORIGIN_hits, 1);
		origin_add_ttfb(url, 5000);
	}
	assert_int_equal(value(ORIGINS_OTHER, ORIGIN_hits), -1);
	origin_add("https://h000.example/", ORIGIN_hits, 1);
	origin_add("https://new.example/", ORIGIN_hits, 1);
	assert_int_equal(value("https://h000.example", ORIGIN_hits), 2);
	assert_int_equal(value("https://h001.example", ORIGIN_hits), -1);
	assert_int_equal(value(ORIGINS_OTHER, ORIGIN_hits), 1);
	assert_int_equal(origins_view(&list, &n), 0);
	assert_int_equal(n, ORIGINS_MAX + 1);
	assert_string_equal(list[n - 1].name, ORIGINS_OTHER);
	assert_int_equal(list[n - 1].ttfb.n, 1);
	for (size_t i = 0; i < n; i++) {
		sum += list[i].values[ORIGIN_hits];
		if (i > 0 && i < n - 1)
			assert_true(strcmp(list[i - 1].name, list[i].name) < 0);
	}
	assert_int_equal(sum, ORIGINS_MAX + 2);
	origins_free(list, n);
}

static void reset_forgets_them(void **state)
{
	struct origin_view *list;
	size_t n;

	(void)state;
	origin_add("https://a.example/", ORIGIN_hits, 1);
	origins_reset();
	assert_int_equal(origins_view(&list, &n), 0);
	assert_int_equal(n, 0);
	origins_free(list, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_counted_alone),
		cmocka_unit_test(counting_at_an_origin_counts_for_the_mount),
		cmocka_unit_test(there_are_not_more_than_so_many),
		cmocka_unit_test(reset_forgets_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
