/* The index as fetch/ and fs/ use it: versions arrive, rest, are found again. */
#include "index-tools.h"

#include <stdatomic.h>

static void bodies_of_all_sizes_survive_a_restart(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 4096, 200000, 262144, 262145, 1500000, 9000000 };
	struct index *ix = open_index(1 << 30);
	char key[64];

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			struct version *v;

			snprintf(key, sizeof key, "http://a/%u", i);
			if (round == 0)
				v = put(ix, key, sizes[i], i);
			else
				assert_int_equal(index_find(ix, key, &v), 0);
			assert_int_equal(version_length(v), sizes[i]);
			check(v, sizes[i], i);
			version_unref(v);
		}
		index_close(ix);
		ix = open_index(1 << 30);
	}
	index_close(ix);
}

static void a_new_version_replaces_and_the_old_stays_readable(void **state)
{
	struct index *ix = open_index(1 << 30);
	struct version *old = put(ix, "http://a/x", 300000, 1), *new, *found;
	struct index_sums sums;

	(void)state;
	index_drain(ix);
	new = put(ix, "http://a/x", 300000, 2);
	index_drain(ix);
	assert_int_not_equal(version_ino(old), version_ino(new));
	check(old, 300000, 1);
	check(new, 300000, 2);
	assert_false(version_is_current(old));
	assert_int_equal(index_find(ix, "http://a/x", &found), 0);
	assert_ptr_equal(found, new);
	index_sums(ix, &sums);
	assert_int_equal(sums.objects, 1);
	version_unref(found);
	version_unref(old);
	version_unref(new);
	index_close(ix);
}

/* The row of what was to be superseded is still the one of its key. */
static void a_new_version_that_fails_leaves_the_old_one(void **state)
{
	struct index *ix = open_index(64 << 20);
	struct version *old = put(ix, "http://h/a", 5000, 1), *fresh = NULL, *found = NULL;
	struct meta *m = meta_of(-1, NULL);

	(void)state;
	index_drain(ix);
	assert_int_equal(version_begin(ix, "http://h/a", m, false, &fresh), 0);
	meta_unref(m);
	version_fail(fresh, -EIO);
	assert_int_equal(index_find(ix, "http://h/a", &found), 0);
	assert_ptr_equal(found, old);
	assert_true(version_is_current(old));
	check(found, 5000, 1);
	version_unref(found);
	version_unref(fresh);
	version_unref(old);
	index_close(ix);
}

static _Atomic int woken;

static void count_wake(struct waiter *w)
{
	(void)w;
	atomic_fetch_add(&woken, 1);
}

static void a_reader_waits_for_bytes_and_is_told_of_failure(void **state)
{
	struct index *ix = open_index(1 << 30);
	struct meta *m = meta_of(10000, NULL);
	struct waiter a = { .wake = count_wake }, b = { .wake = count_wake };
	char *body = body_of(10000, 4);
	struct version *v;
	struct bytes bytes;

	(void)state;
	atomic_store(&woken, 0);
	list_init(&a.link);
	list_init(&b.link);
	assert_int_equal(version_begin(ix, "http://a/z", m, false, &v), 0);
	assert_int_equal(version_read(v, 100, 50, &a, &bytes), -EAGAIN);
	assert_int_equal(version_read(v, 9000, 5000, &b, &bytes), -EAGAIN);
	assert_int_equal(version_write(v, 0, body, 149), 0);
	assert_int_equal(atomic_load(&woken), 0);
	assert_int_equal(version_write(v, 149, body + 149, 1), 0);
	assert_int_equal(atomic_load(&woken), 1);
	assert_int_equal(version_read(v, 100, 50, NULL, &bytes), 0);
	assert_memory_equal(bytes.data, body + 100, 50);
	bytes_fini(&bytes);
	version_fail(v, -EIO);
	assert_int_equal(atomic_load(&woken), 2);
	assert_int_equal(version_read(v, 0, 10, NULL, &bytes), -EIO);
	assert_int_equal(index_find(ix, "http://a/z", &v), -ENOENT);
	version_unref(v);
	meta_unref(m);
	free(body);
	index_close(ix);
}

static int64_t du(void)
{
	char command[128];
	long long bytes = 0;
	FILE *p;

	snprintf(command, sizeof command, "du -s -B1 %s", dir);
	p = popen(command, "r");
	if (fscanf(p, "%lld", &bytes) != 1)
		bytes = -1;
	pclose(p);
	return bytes;
}

static void the_limit_holds_and_old_ones_go(void **state)
{
	enum { LIMIT = 12 << 20 };
	struct index *ix = open_index(LIMIT);
	char key[64];
	int found = 0;

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		struct version *v;

		snprintf(key, sizeof key, "http://a/big/%u", i);
		v = put(ix, key, 1500000, i);
		check(v, 1500000, i);
		version_unref(v);
		assert_true(du() <= LIMIT);
	}
	index_drain(ix);
	for (unsigned i = 0; i < 60; i++) {
		struct version *v;

		snprintf(key, sizeof key, "http://a/big/%u", i);
		if (index_find(ix, key, &v) == 0) {
			check(v, 1500000, i);
			version_unref(v);
			found++;
		}
	}
	assert_true(found > 0);
	index_close(ix);
	assert_true(du() <= LIMIT);
}

static void two_at_once_are_refused(void **state)
{
	const struct index_config config = { .dir = dir, .size = 1 << 30 };
	struct index *ix = open_index(1 << 30), *second;
	char reason[256] = "";

	(void)state;
	assert_int_equal(index_open(&config, &second, reason, sizeof reason), -EBUSY);
	assert_non_null(strstr(reason, "in use"));
	index_close(ix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bodies_of_all_sizes_survive_a_restart),
		TEST(a_new_version_replaces_and_the_old_stays_readable),
		TEST(a_new_version_that_fails_leaves_the_old_one),
		TEST(a_reader_waits_for_bytes_and_is_told_of_failure),
		TEST(the_limit_holds_and_old_ones_go),
		TEST(two_at_once_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
