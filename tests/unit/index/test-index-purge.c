/* Purges: what they take, and what they leave to whom. */
#include "index-tools.h"

/* It has no row then, by which it could be evicted: nothing of it may stay. */
static void what_is_purged_while_it_is_stored_leaves_nothing(void **state)
{
	enum { N = 40, LEN = 250000 };
	const struct target all = { .kind = TARGET_ALL };
	struct index *ix = open_index(64 << 20);
	struct version *v[N];
	struct index_sums before, after;
	uint32_t random = 1;
	int64_t removed;

	(void)state;
	index_drain(ix);
	index_sums(ix, &before);
	for (unsigned i = 0; i < N; i++) {
		struct meta *m = meta_of(LEN, NULL);
		char *body = malloc(LEN), key[32];

		for (size_t at = 0; at < LEN; at++)	/* does not compress */
			body[at] = (char)((random = random * 1664525 + 1013904223) >> 24);
		snprintf(key, sizeof key, "http://a/%u", i);
		assert_int_equal(version_begin(ix, key, m, false, &v[i]), 0);
		assert_int_equal(version_write(v[i], 0, body, LEN), 0);
		version_complete(v[i]);
		version_record(v[i], NULL, NULL);
		meta_unref(m);
		free(body);
	}
	assert_int_equal(index_purge(ix, &all, 1, &removed), 0);
	for (unsigned i = 0; i < N; i++)
		version_unref(v[i]);
	index_drain(ix);
	index_sums(ix, &after);
	assert_true(after.bytes_used < before.bytes_used + (N * LEN) / 4);
	index_close(ix);
}

static void purge_is_exact(void **state)
{
	struct index *ix = open_index(1 << 30);
	struct version *held = put(ix, "http://a/d/held", 5000, 3), *v;
	const struct target prefix = { TARGET_PREFIX, (char *)"http://a/d/" };
	const struct target all = { TARGET_ALL, NULL };
	int64_t removed = -1;
	char key[64];

	(void)state;
	for (int i = 0; i < 50; i++) {
		snprintf(key, sizeof key, "http://a/d/%d", i);
		version_unref(put(ix, key, 1000, 1));
	}
	version_unref(put(ix, "http://a/other", 1000, 1));
	index_drain(ix);
	assert_int_equal(index_purge(ix, &prefix, 1, &removed), 0);
	assert_int_equal(removed, 51);
	assert_int_equal(index_find(ix, "http://a/d/7", &v), -ENOENT);
	assert_int_equal(index_find(ix, "http://a/d/held", &v), -ENOENT);
	check(held, 5000, 3);		/* its readers read on */
	assert_int_equal(index_find(ix, "http://a/other", &v), 0);
	version_unref(v);
	version_unref(held);
	assert_int_equal(index_purge(ix, &all, 1, &removed), 0);
	assert_int_equal(removed, 1);
	assert_false(index_has_below(ix, "http://a/"));
	index_close(ix);
}

static void what_arrives_while_it_is_purged_does_not_come_back(void **state)
{
	struct index *ix = open_index(1 << 30);
	const struct target all = { TARGET_ALL, NULL };
	struct meta *m = meta_of(1000, NULL);
	struct version *v, *found;
	char *body = body_of(1000, 9);
	int64_t removed;

	(void)state;
	assert_int_equal(version_begin(ix, "http://a/y", m, false, &v), 0);
	assert_int_equal(version_write(v, 0, body, 500), 0);
	record(v);
	assert_int_equal(index_purge(ix, &all, 1, &removed), 0);
	assert_int_equal(removed, 1);
	assert_int_equal(version_write(v, 500, body + 500, 500), 0);
	version_complete(v);
	index_drain(ix);
	check(v, 1000, 9);
	assert_int_equal(index_find(ix, "http://a/y", &found), -ENOENT);
	version_unref(v);
	index_drain(ix);
	assert_int_equal(index_find(ix, "http://a/y", &found), -ENOENT);
	meta_unref(m);
	free(body);
	index_close(ix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_purged_while_it_is_stored_leaves_nothing),
		TEST(purge_is_exact),
		TEST(what_arrives_while_it_is_purged_does_not_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
