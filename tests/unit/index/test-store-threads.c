/* Puts, reads and deletes side by side. */
#include "store-tools.h"

#include <pthread.h>
#include <stdatomic.h>

#define MIB (1 << 20)

struct worker {
	struct scratch *s;
	uint64_t seed;
	const char *failed;
};

static bool is_right(struct store *st, const struct blob *b, const char *data, size_t len)
{
	char *back = malloc(len);
	bool ok = store_read(st, b, 0, len, back) == 0 && memcmp(back, data, len) == 0 &&
		  store_read(st, b, len / 3, len / 2, back) == 0 &&
		  memcmp(back, data + len / 3, len / 2) == 0;

	free(back);
	return ok;
}

static bool put_any(struct worker *w, const char *data, size_t len, uint64_t ino,
		    struct blob *ret)
{
	FILE *f;
	int r;

	if (len <= STORE_SMALL)
		return store_put(w->s->store, data, len, NULL, NULL, ret) == 0;
	f = tmpfile();
	if (!f)
		return false;
	fwrite(data, 1, len, f);
	fflush(f);
	r = store_put_file(w->s->store, fileno(f), NULL, 0, len, ino, NULL, ret);
	fclose(f);
	return r == 0;
}

static void *work(void *arg)
{
	enum { N = 8, ROUNDS = 60 };
	struct worker *w = arg;
	struct blob blobs[N];
	char *data[N] = { NULL };
	size_t len[N];

	for (int i = 0; i < ROUNDS && !w->failed; i++) {
		int k = scratch_random(&w->seed) % N;

		if (data[k]) {
			if (!is_right(w->s->store, &blobs[k], data[k], len[k]))
				w->failed = "read";
			store_delete(w->s->store, &blobs[k]);
			free(data[k]);
		}
		len[k] = i % 10 == 0 ? 300000 : 2 + scratch_random(&w->seed) % 100000;
		data[k] = malloc(len[k]);
		fill_text(data[k], len[k], w->seed);
		if (i % 2)
			fill_noise(data[k], len[k], w->seed);
		if (!put_any(w, data[k], len[k], w->seed >> 8, &blobs[k]))
			w->failed = "put";
	}
	for (int k = 0; k < N; k++) {
		if (data[k] && !is_right(w->s->store, &blobs[k], data[k], len[k]))
			w->failed = "last read";
		if (data[k])
			store_delete(w->s->store, &blobs[k]);
		free(data[k]);
	}
	return NULL;
}

static void test_threads_put_read_and_delete(void **state)
{
	struct worker workers[4];
	pthread_t threads[4];
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	for (int i = 0; i < 4; i++) {
		workers[i] = (struct worker){ .s = &s, .seed = i + 77 };
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 4; i++)
		assert_string_equal(workers[i].failed ? workers[i].failed : "", "");
	assert_true(scratch_du(&s) <= space_used(&s.space));
	scratch_fini(&s);
}

struct shared {
	struct scratch *s;
	const struct victim *victims;
	int n;
	_Atomic int wrong;
};

static void *read_shared(void *arg)
{
	struct shared *sh = arg;
	uint64_t seed = (uintptr_t)&seed;
	char *back = malloc(2 * MIB);

	for (int i = 0; i < 200; i++) {
		const struct victim *v = &sh->victims[i % sh->n];

		if (!victim_is_honest(sh->s->store, v, &seed, back))
			sh->wrong++;
	}
	free(back);
	return NULL;
}

static void test_threads_read_the_same_blobs(void **state)
{
	struct victim victims[4] = {
		{ .len = 100000, .text = true }, { .len = 100000 },
		{ .len = MIB, .text = true }, { .len = MIB },
	};
	struct shared sh = { .victims = victims, .n = 4 };
	pthread_t threads[4];
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	sh.s = &s;
	for (int i = 0; i < 4; i++) {
		victims[i].data = make_body(victims[i].len, victims[i].text, i + 1);
		if (i < 2)
			scratch_put(&s, victims[i].len, victims[i].text, i + 1, &victims[i].blob);
		else
			scratch_put_file(&s, victims[i].len, victims[i].text, i + 1, &victims[i].blob);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_shared, &sh), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(sh.wrong, 0);
	for (int i = 0; i < 4; i++)
		free(victims[i].data);
	scratch_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_put_read_and_delete),
		cmocka_unit_test(test_threads_read_the_same_blobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
