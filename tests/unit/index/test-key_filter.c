/* The filter never says no of what is there, and seldom maybe of what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "../../../index/key_filter.h"
#include "db_fixture.h"

static void key_of(char key[64], unsigned i)
{
	snprintf(key, 64, "http://h/d%u/e%u/f%u.jpg", i % 50, i % 700, i);
}

static void what_was_added_may_be_there(void **state)
{
	enum { N = 50000 };
	struct key_filter *f = key_filter_new(N);
	unsigned wrong = 0;
	char key[64];

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		key_of(key, i);
		key_filter_add(f, key);
	}
	assert_false(key_filter_is_full(f));
	for (unsigned i = 0; i < N; i++) {
		key_of(key, i);
		assert_true(key_filter_may_hold(f, key));
		key_of(key, N + i);
		wrong += key_filter_may_hold(f, key);
	}
	assert_true(wrong < N / 100);
	assert_true(key_filter_may_hold(f, "http://h/"));
	assert_true(key_filter_may_hold(f, "http://h/d7/"));
	assert_false(key_filter_may_hold(f, "http://h/d7"));
	assert_false(key_filter_may_hold(f, "http://h/d77/"));
	key_filter_free(f);
}

static void too_many_are_too_many(void **state)
{
	struct key_filter *f = key_filter_new(1);
	char key[64];

	(void)state;
	for (unsigned i = 0; i < 100000 && !key_filter_is_full(f); i++) {
		key_of(key, i);
		key_filter_add(f, key);
		key_filter_add(f, key);
	}
	assert_true(key_filter_is_full(f));
	assert_true(key_filter_added(f) > 16384);
	key_of(key, 5);
	assert_true(key_filter_may_hold(f, key));
	key_filter_free(f);
}

/* --- of the database --- */

static void put(struct db *db, unsigned i)
{
	char key[64];

	key_of(key, i);
	fixture_put(db, i + 10, key, 200);
}

static void expect(struct db *db, unsigned i, int err)
{
	struct record r;
	char key[64];

	key_of(key, i);
	assert_int_equal(db_find_key(db, key, &r), err);
	if (!err)
		record_fini(&r);
}

static void what_is_written_meanwhile_is_in_it(void **state)
{
	struct fixture *f = *state;
	const _Atomic bool go_on = false, stop = true;

	for (unsigned i = 0; i < 3000; i++)
		put(f->db, i);
	assert_int_equal(db_declare(f->db, "http://h/old/", true), 0);
	assert_true(db_filter_wanted(f->db));
	/* One that is given up, and another. */
	assert_int_equal(db_filter_begin(f->db), 0);
	assert_false(db_filter_wanted(f->db));
	assert_int_equal(db_filter_fill(f->db, &stop), -EINTR);
	assert_int_equal(db_filter_begin(f->db), 0);
	put(f->db, 3000);
	assert_int_equal(db_filter_fill(f->db, &go_on), 0);
	assert_false(db_filter_wanted(f->db));
	put(f->db, 3001);
	assert_int_equal(db_declare(f->db, "http://h/new/", true), 0);
	for (unsigned i = 0; i <= 3001; i++)
		expect(f->db, i, 0);
	expect(f->db, 3002, -ENOENT);
	assert_int_equal(db_is_declared(f->db, "http://h/old/"), 0);
	assert_int_equal(db_is_declared(f->db, "http://h/new/"), 0);
	assert_int_equal(db_is_declared(f->db, "http://h/none/"), -ENOENT);
	assert_int_equal(db_has_below(f->db, "http://h/d49/"), 0);
	assert_int_equal(db_has_below(f->db, "http://h/"), 0);
	assert_int_equal(db_has_below(f->db, "http://h/d50/"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_may_be_there),
		cmocka_unit_test(too_many_are_too_many),
		cmocka_unit_test_setup_teardown(what_is_written_meanwhile_is_in_it, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
