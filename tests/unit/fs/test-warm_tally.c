#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../../fs/warm_tally.h"

static struct warm_tally tally;

static int set_up(void **state)
{
	(void)state;
	tally = (struct warm_tally){ .n_lists = 0 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	warm_tally_fini(&tally);
	return 0;
}

static struct warm_count *find(int i)
{
	char name[WARM_NAME_MAX];

	snprintf(name, sizeof name, "l%d", i);
	return warm_tally_find(&tally, name);
}

static void test_the_oldest_that_ended_goes(void **state)
{
	(void)state;
	for (int i = 0; i < WARM_LISTS_MAX; i++)
		find(i)->done = i + 1;
	find(0)->queued = 1;
	assert_non_null(find(100));
	assert_int_equal(find(0)->done, 1);
	assert_int_equal(find(2)->done, 3);
	assert_int_equal(tally.n_lists, WARM_LISTS_MAX);
	assert_string_equal(tally.lists[1].name, "l2");
}

static void test_those_under_way_stay(void **state)
{
	(void)state;
	for (int i = 0; i < WARM_LISTS_MAX; i++)
		find(i)->active = 1;
	assert_null(find(100));
	find(7)->active = 0;
	assert_non_null(find(100));
}

static void test_the_latest_failures(void **state)
{
	struct warm_item *item = calloc(1, sizeof *item + 32);
	struct buf text = BUF_INIT;

	(void)state;
	assert_non_null(item);
	for (int i = 0; i < WARM_FAILURES_MAX + 3; i++) {
		snprintf(item->key, 32, "https://a.example/%d", i);
		warm_tally_failed(&tally, item, "why \"so\"");
	}
	warm_tally_render(&tally, &text);
	assert_null(strstr(buf_str(&text), "example/2\""));
	assert_non_null(strstr(buf_str(&text), "example/3\", \"why\": \"why \\\"so\\\"\" }\n  ]"));
	buf_fini(&text);
	free(item);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_oldest_that_ended_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_those_under_way_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_latest_failures, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
