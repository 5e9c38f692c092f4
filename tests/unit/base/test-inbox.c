#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "../../../base/clock.h"
#include "../../../base/inbox.h"

#define POSTERS 4
#define EACH 5000

struct message {
	int poster, number;
	struct list link;
};

static void count_wakes(void *arg)
{
	++*(int *)arg;
}

static void take_gets_all_in_order(void **state)
{
	struct list got = LIST_INIT(got);
	struct message m[3] = { 0 };
	struct inbox in;
	int wakes = 0;

	(void)state;
	inbox_init(&in, count_wakes, &wakes);
	for (int i = 0; i < 3; i++)
		inbox_post(&in, &m[i].link);
	assert_int_equal(wakes, 1);
	inbox_take(&in, &got);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(list_pop(&got), &m[i].link);
	assert_true(list_empty(&got));

	/* Emptied, it wakes again. */
	inbox_post(&in, &m[0].link);
	assert_int_equal(wakes, 2);
	inbox_take(&in, &got);
	inbox_fini(&in);
}

static void waiting_ends_at_its_time(void **state)
{
	struct list got = LIST_INIT(got);
	struct inbox in;
	int64_t until = clock_mono_ms() + 30;

	(void)state;
	inbox_init(&in, NULL, NULL);
	inbox_wait(&in, until, &got);
	assert_true(clock_mono_ms() >= until);
	assert_true(list_empty(&got));
	inbox_wait(&in, 0, &got);
	assert_true(list_empty(&got));
	inbox_fini(&in);
}

static struct inbox shared;

static void *post_many(void *arg)
{
	struct message *m = arg;

	for (int i = 0; i < EACH; i++)
		inbox_post(&shared, &m[i].link);
	return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
	struct message *m = calloc(POSTERS * EACH, sizeof(*m));
	struct list got = LIST_INIT(got), *link;
	int next[POSTERS] = { 0 }, total = 0;
	pthread_t threads[POSTERS];

	(void)state;
	inbox_init(&shared, NULL, NULL);
	for (int i = 0; i < POSTERS * EACH; i++) {
		m[i].poster = i / EACH;
		m[i].number = i % EACH;
	}
	for (int i = 0; i < POSTERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_many, &m[i * EACH]), 0);
	while (total < POSTERS * EACH) {
		inbox_wait(&shared, -1, &got);
		assert_false(list_empty(&got));
		while ((link = list_pop(&got))) {
			struct message *one = list_entry(link, struct message, link);

			assert_int_equal(one->number, next[one->poster]++);
			total++;
		}
	}
	for (int i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	inbox_fini(&shared);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(take_gets_all_in_order),
		cmocka_unit_test(waiting_ends_at_its_time),
		cmocka_unit_test(nothing_is_lost_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
