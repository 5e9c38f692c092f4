/* test-space.c - the limit is never passed, and who evicts is told in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>

#include "../../../index/space.h"

static _Atomic int pressed;

static void press(void *arg)
{
	struct space *sp = arg;

	/* No lock is held: this may ask. */
	space_used(sp);
	pressed++;
}

static void test_reserves_up_to_the_limit(void **state)
{
	struct space sp;

	(void)state;
	pressed = 0;
	space_init(&sp, 16000, press, &sp);
	assert_int_equal(space_reserve(&sp, 15000), 0);
	assert_int_equal(pressed, 0);
	assert_int_equal(space_excess(&sp), 0);
	assert_int_equal(space_reserve(&sp, 1000), 0);
	assert_int_equal(pressed, 1);
	assert_int_equal(space_excess(&sp), 16000 - sp.low);
	assert_int_equal(space_reserve(&sp, 1), -ENOSPC);
	assert_int_equal(pressed, 2);
	assert_int_equal(space_used(&sp), 16000);
	space_release(&sp, 16000);
	assert_int_equal(space_used(&sp), 0);
	assert_int_equal(space_excess(&sp), 0);
	space_fini(&sp);
}

static void test_presses_again_while_it_grows(void **state)
{
	struct space sp;

	(void)state;
	pressed = 0;
	space_init(&sp, 64000, press, &sp);
	assert_int_equal(space_reserve(&sp, 60001), 0);
	assert_int_equal(pressed, 1);
	assert_int_equal(space_reserve(&sp, 10), 0);
	assert_int_equal(pressed, 1);
	assert_int_equal(space_reserve(&sp, 1000), 0);
	assert_int_equal(pressed, 2);
	space_release(&sp, 2000);
	assert_int_equal(space_reserve(&sp, 1500), 0);
	assert_int_equal(pressed, 3);
	space_fini(&sp);
}

static void test_what_was_refused_is_excess_until_it_would_fit(void **state)
{
	struct space sp;

	(void)state;
	space_init(&sp, 16000, NULL, NULL);
	assert_int_equal(space_reserve(&sp, 10000), 0);
	assert_int_equal(space_excess(&sp), 0);
	assert_int_equal(space_reserve(&sp, 9000), -ENOSPC);
	assert_int_equal(space_excess(&sp), 3000);
	space_release(&sp, 3000);
	assert_int_equal(space_excess(&sp), 0);
	assert_int_equal(space_reserve(&sp, 9000), 0);
	/* What can never fit asks for nothing. */
	assert_int_equal(space_reserve(&sp, 17000), -ENOSPC);
	assert_int_equal(space_excess(&sp), sp.used - sp.low);
	space_fini(&sp);
}

static void test_index_and_found_bytes_may_pass_the_limit(void **state)
{
	struct space sp;

	(void)state;
	pressed = 0;
	space_init(&sp, 16000, press, &sp);
	space_set_index(&sp, 20000);
	assert_int_equal(pressed, 1);
	assert_int_equal(space_used(&sp), 20000);
	assert_int_equal(space_reserve(&sp, 1), -ENOSPC);
	space_set_index(&sp, 1000);
	assert_int_equal(space_used(&sp), 1000);
	space_count(&sp, 16000);
	assert_int_equal(space_used(&sp), 17000);
	assert_int_equal(space_reserve(&sp, 1), -ENOSPC);
	/* Never below what the index takes. */
	space_release(&sp, 50000);
	assert_int_equal(space_used(&sp), 1000);
	space_fini(&sp);
}

static void *reserve_and_release(void *arg)
{
	struct space *sp = arg;

	for (int i = 0; i < 20000; i++) {
		if (space_reserve(sp, 700) < 0)
			continue;
		if (space_used(sp) > sp->limit)
			return arg;
		space_release(sp, 700);
	}
	return NULL;
}

static void test_threads_never_pass_the_limit(void **state)
{
	pthread_t threads[4];
	struct space sp;

	(void)state;
	space_init(&sp, 2000, press, &sp);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reserve_and_release, &sp), 0);
	for (int i = 0; i < 4; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(space_used(&sp), 0);
	space_fini(&sp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserves_up_to_the_limit),
		cmocka_unit_test(test_presses_again_while_it_grows),
		cmocka_unit_test(test_what_was_refused_is_excess_until_it_would_fit),
		cmocka_unit_test(test_index_and_found_bytes_may_pass_the_limit),
		cmocka_unit_test(test_threads_never_pass_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
