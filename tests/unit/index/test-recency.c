#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../../../index/recency.h"

static const uint64_t number[] = {
	0, 1, 2, 63, 64, 4095, 4096, 4097, 65536, 2097151, 2097152, 1 << 30,
	UINT64_C(1) << 40, (UINT64_C(1) << 57) - 1, UINT64_C(1) << 57, INT64_MAX, UINT64_MAX,
};
#define N (sizeof(number) / sizeof(number[0]))

static void marks_are_taken_once(void **state)
{
	struct recency *r = recency_new();

	(void)state;
	for (size_t i = 0; i < N; i++) {
		assert_false(recency_take(r, number[i]));
		recency_mark(r, number[i]);
		recency_mark(r, number[i]);
		assert_true(recency_take(r, number[i]));
		assert_false(recency_take(r, number[i]));
	}
	recency_free(r);
	recency_free(NULL);
}

static void marks_do_not_touch_each_other(void **state)
{
	struct recency *r = recency_new();

	(void)state;
	for (size_t i = 0; i < N; i += 2)
		recency_mark(r, number[i]);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(recency_take(r, number[i]), i % 2 == 0);
	recency_free(r);
}

static void forgets_below(void **state)
{
	struct recency *r = recency_new();

	(void)state;
	recency_mark(r, 5);
	recency_mark(r, 4095);
	recency_mark(r, 8192 + 3);
	recency_mark(r, 8192 + 7);
	recency_mark(r, UINT64_MAX);
	/* In the middle of a page: it stays, and all behind it. */
	recency_forget_below(r, 8192 + 5);
	assert_false(recency_take(r, 5));
	assert_false(recency_take(r, 4095));
	assert_true(recency_take(r, 8192 + 3));
	assert_true(recency_take(r, 8192 + 7));
	assert_true(recency_take(r, UINT64_MAX));
	recency_free(r);
}

/* A page that was taken out and comes back has no marks of its former life. */
static void pages_are_used_again(void **state)
{
	struct recency *r = recency_new();

	(void)state;
	for (uint64_t round = 0; round < 100; round++) {
		uint64_t first = round * 4096;

		for (uint64_t i = 0; i < 4096; i += 3)
			recency_mark(r, first + i);
		for (uint64_t i = 0; i < 4096; i++)
			if (i % 2)
				assert_int_equal(recency_take(r, first + i), i % 3 == 0);
		recency_forget_below(r, first + 4096);
		assert_false(recency_take(r, first));
	}
	recency_free(r);
}

static void survives_a_restart(void **state)
{
	struct recency *r = recency_new();
	void *data;
	size_t len;

	(void)state;
	for (size_t i = 0; i < N; i += 2)
		recency_mark(r, number[i]);
	recency_mark(r, 99999);
	recency_take(r, 99999);
	assert_int_equal(recency_save(r, &data, &len), 0);
	recency_free(r);
	r = recency_new();
	recency_mark(r, 7);
	recency_load(r, data, len);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(recency_take(r, number[i]), i % 2 == 0);
	assert_true(recency_take(r, 7));
	assert_false(recency_take(r, 99999));
	free(data);
	recency_free(r);
}

static void a_million_take_128_kib(void **state)
{
	struct recency *r = recency_new();
	void *data;
	size_t len;

	(void)state;
	for (uint64_t i = 0; i < 1 << 20; i++)
		recency_mark(r, i);
	assert_int_equal(recency_save(r, &data, &len), 0);
	assert_in_range(len, 128 * 1024, 132 * 1024);
	free(data);
	recency_free(r);
}

static void senseless_bytes_are_ignored(void **state)
{
	struct recency *r = recency_new(), *empty = recency_new();
	size_t len, empty_len;
	void *data, *none;
	char *bad;

	(void)state;
	recency_mark(r, 5);
	assert_int_equal(recency_save(r, &data, &len), 0);
	for (size_t n = 0; n < len; n++)
		recency_load(empty, data, n);
	bad = malloc(len);
	memcpy(bad, data, len);
	bad[0] ^= 1;
	recency_load(empty, bad, len);
	memcpy(bad, data, len);
	memset(bad + 8, 0xff, 8);	/* the number of a page that cannot be */
	recency_load(empty, bad, len);
	assert_int_equal(recency_save(empty, &none, &empty_len), 0);
	assert_int_equal(empty_len, 8);
	free(none);
	free(bad);
	free(data);
	recency_free(empty);
	recency_free(r);
}

#define THREADS 4
#define SPAN 40000

struct share {
	struct recency *r;
	unsigned nth;
};

static void *mark_share(void *arg)
{
	struct share *s = arg;

	for (uint64_t i = s->nth; i < SPAN; i += THREADS)
		recency_mark(s->r, 1000000 + i);
	return NULL;
}

static void no_mark_is_lost_between_threads(void **state)
{
	struct recency *r = recency_new();
	struct share share[THREADS];
	pthread_t thread[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++) {
		share[i] = (struct share){ .r = r, .nth = i };
		pthread_create(&thread[i], NULL, mark_share, &share[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (uint64_t i = 0; i < SPAN; i++)
		assert_true(recency_take(r, 1000000 + i));
	recency_free(r);
}

/* Marks may be lost, memory may not: for the sanitizers. */
static void forgetting_beside_marking(void **state)
{
	struct recency *r = recency_new();
	struct share share[THREADS];
	pthread_t thread[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++) {
		share[i] = (struct share){ .r = r, .nth = i };
		pthread_create(&thread[i], NULL, mark_share, &share[i]);
	}
	for (int i = 0; i < 200; i++) {
		recency_forget_below(r, 1000000 + i * (SPAN / 200));
		recency_take(r, 1000000 + i);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	recency_mark(r, 1000000 + SPAN);
	assert_true(recency_take(r, 1000000 + SPAN));
	recency_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_are_taken_once),
		cmocka_unit_test(marks_do_not_touch_each_other),
		cmocka_unit_test(forgets_below),
		cmocka_unit_test(pages_are_used_again),
		cmocka_unit_test(survives_a_restart),
		cmocka_unit_test(a_million_take_128_kib),
		cmocka_unit_test(senseless_bytes_are_ignored),
		cmocka_unit_test(no_mark_is_lost_between_threads),
		cmocka_unit_test(forgetting_beside_marking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
