#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "../../../base/clock.h"
#include "../../../fs/revisit.h"
#include "../../../index/version.h"

/* Versions here are only counted. */
struct version {
	int refs;
};

struct version *version_ref(struct version *v)
{
	v->refs++;
	return v;
}

void version_unref(struct version *v)
{
	if (v)
		v->refs--;
}

#define DIR_INO 7
#define PARENT 3

static struct version page, other;

static int setup(void **state)
{
	static struct revisits r;

	revisits_init(&r);
	*state = &r;
	return 0;
}

static int teardown(void **state)
{
	revisits_fini(*state);
	return page.refs == 0 && other.refs == 0 ? 0 : -1;
}

static struct version *take(struct revisits *r, pid_t pid, const char *name)
{
	int64_t entry_ms = -1;
	bool ask;
	struct version *v = revisit_take(r, pid, PARENT, name, &entry_ms, &ask);

	version_unref(v);
	return v;
}

static void wait_ms(int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;
	struct timespec t = { 0, 1000000 };

	while (clock_mono_ms() < until)
		nanosleep(&t, NULL);
}

static void test_two_lookups_see_the_file(void **state)
{
	struct revisits *r = *state;

	assert_null(take(r, 1, "docs"));
	assert_int_equal(revisit_sent_back(r, 1, DIR_INO, PARENT, "docs", &page, revisits_era(r)), 0);
	assert_ptr_equal(take(r, 1, "docs"), &page);
	assert_ptr_equal(take(r, 1, "docs"), &page);
	assert_null(take(r, 1, "docs"));
}

static void test_only_that_thread_and_name(void **state)
{
	struct revisits *r = *state;
	int64_t ms;
	bool ask;

	revisit_sent_back(r, 1, DIR_INO, PARENT, "docs", &page, revisits_era(r));
	assert_null(take(r, 2, "docs"));
	assert_null(take(r, 1, "doc"));
	assert_null(revisit_take(r, 1, PARENT + 1, "docs", &ms, &ask));
	assert_ptr_equal(take(r, 1, "docs"), &page);
}

static void test_the_last_word_counts(void **state)
{
	struct revisits *r = *state;

	revisit_sent_back(r, 1, DIR_INO, PARENT, "docs", &page, revisits_era(r));
	revisit_sent_back(r, 1, DIR_INO, PARENT, "docs", &other, revisits_era(r));
	assert_ptr_equal(take(r, 1, "docs"), &other);
	assert_ptr_equal(take(r, 1, "docs"), &other);
	assert_null(take(r, 1, "docs"));
}

static void test_each_walker_in_between_is_worth_two_more(void **state)
{
	struct revisits *r = *state;

	revisit_sent_back(r, 1, DIR_INO, PARENT, "docs", &page, revisits_era(r));
	take(r, 1, "docs");
	assert_null(take(r, 2, "docs"));
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(take(r, 1, "docs"), &page);
	assert_null(take(r, 1, "docs"));
	/* Also when it comes after the last. */
	assert_null(take(r, 2, "docs"));
	assert_ptr_equal(take(r, 1, "docs"), &page);
}

static void test_but_only_soon(void **state)
{
	struct revisits *r = *state;

	revisit_sent_back(r, 1, DIR_INO, PARENT, "docs", &page, revisits_era(r));
	take(r, 2, "docs");
	assert_ptr_equal(take(r, 1, "docs"), &page);
	assert_ptr_equal(take(r, 1, "docs"), &page);
	wait_ms(REVISIT_NEXT_MS + 1);
	assert_null(take(r, 1, "docs"));
}

static void test_a_replaced_answer_is_given_once_more(void **state)
{
	struct revisits *r = *state;
	int64_t entry_ms = -1;
	struct version *v;
	bool ask;

	revisit_replaced(r, 1, PARENT, "a.jpg", &page, 5000, revisits_era(r));
	v = revisit_take(r, 1, PARENT, "a.jpg", &entry_ms, &ask);
	assert_ptr_equal(v, &page);
	version_unref(v);
	assert_in_range(entry_ms, 4000, 5000);
	assert_null(take(r, 1, "a.jpg"));

	revisit_replaced(r, 1, PARENT, "a.jpg", &page, 0, revisits_era(r));
	v = revisit_take(r, 1, PARENT, "a.jpg", &entry_ms, &ask);
	version_unref(v);
	assert_int_equal(entry_ms, 0);

	revisit_replaced(r, 1, PARENT, "a.jpg", &page, 5000, revisits_era(r));
	wait_ms(REVISIT_NEXT_MS + 1);
	assert_null(take(r, 1, "a.jpg"));
}

static void test_a_failure_is_told_once_more(void **state)
{
	struct revisits *r = *state;

	revisit_failed(r, 1, PARENT, "a.jpg", -5, revisits_era(r));
	assert_null(take(r, 1, "a.jpg"));
	assert_int_equal(revisit_take_error(r, 2, PARENT, "a.jpg"), 0);
	assert_int_equal(revisit_take_error(r, 1, PARENT + 1, "a.jpg"), 0);
	assert_int_equal(revisit_take_error(r, 1, PARENT, "b.jpg"), 0);
	assert_int_equal(revisit_take_error(r, 1, PARENT, "a.jpg"), -5);
	assert_int_equal(revisit_take_error(r, 1, PARENT, "a.jpg"), 0);

	revisit_failed(r, 1, PARENT, "a.jpg", -5, revisits_era(r));
	wait_ms(REVISIT_NEXT_MS + 1);
	assert_int_equal(revisit_take_error(r, 1, PARENT, "a.jpg"), 0);

	/* What it shows instead takes its place. */
	revisit_failed(r, 1, PARENT, "a.jpg", -5, revisits_era(r));
	revisit_replaced(r, 1, PARENT, "a.jpg", &page, 0, revisits_era(r));
	assert_int_equal(revisit_take_error(r, 1, PARENT, "a.jpg"), 0);
	take(r, 1, "a.jpg");
}

static void test_a_purge_ends_what_was_asked_before(void **state)
{
	struct revisits *r = *state;
	unsigned before = revisits_era(r);
	int64_t entry_ms;
	bool ask;

	revisit_replaced(r, 1, PARENT, "a.jpg", &page, 5000, before);
	revisit_sent_back(r, 1, DIR_INO, PARENT, "docs", &page, before);
	revisits_purged(r);
	assert_null(revisit_take(r, 1, PARENT, "a.jpg", &entry_ms, &ask));
	assert_false(ask);
	assert_null(revisit_take(r, 1, PARENT, "docs", &entry_ms, &ask));
	assert_true(ask);
	assert_null(revisit_take(r, 1, PARENT, "docs", &entry_ms, &ask));
	assert_true(ask);
	assert_null(revisit_take(r, 1, PARENT, "docs", &entry_ms, &ask));
	assert_false(ask);
	/* The answer came behind the purge, and is from before it all the same. */
	revisit_replaced(r, 1, PARENT, "a.jpg", &page, 5000, before);
	assert_null(revisit_take(r, 1, PARENT, "a.jpg", &entry_ms, &ask));
	revisit_replaced(r, 1, PARENT, "a.jpg", &page, 5000, revisits_era(r));
	assert_ptr_equal(take(r, 1, "a.jpg"), &page);
}

static void test_who_comes_back_without_a_walk_means_the_directory(void **state)
{
	struct revisits *r = *state;

	revisit_sent_back(r, 1, DIR_INO, PARENT, "docs", &page, revisits_era(r));
	assert_false(revisit_came_back(r, 2, DIR_INO));
	assert_false(revisit_came_back(r, 1, DIR_INO + 1));
	assert_true(revisit_came_back(r, 1, DIR_INO));
	assert_false(revisit_came_back(r, 1, DIR_INO));
	assert_null(take(r, 1, "docs"));

	revisit_sent_back(r, 1, DIR_INO, PARENT, "docs", &page, revisits_era(r));
	take(r, 1, "docs");
	assert_false(revisit_came_back(r, 1, DIR_INO));
}

static void test_the_oldest_go_when_there_are_too_many(void **state)
{
	struct revisits *r = *state;

	for (pid_t pid = 1; pid <= REVISITS_MAX + 1; pid++)
		revisit_sent_back(r, pid, DIR_INO, PARENT, "docs", &page, revisits_era(r));
	assert_int_equal(page.refs, REVISITS_MAX);
	assert_null(take(r, 1, "docs"));
	assert_ptr_equal(take(r, 2, "docs"), &page);
	assert_ptr_equal(take(r, REVISITS_MAX + 1, "docs"), &page);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_two_lookups_see_the_file),
		TEST(test_only_that_thread_and_name),
		TEST(test_the_last_word_counts),
		TEST(test_each_walker_in_between_is_worth_two_more),
		TEST(test_but_only_soon),
		TEST(test_a_replaced_answer_is_given_once_more),
		TEST(test_a_failure_is_told_once_more),
		TEST(test_a_purge_ends_what_was_asked_before),
		TEST(test_who_comes_back_without_a_walk_means_the_directory),
		TEST(test_the_oldest_go_when_there_are_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
