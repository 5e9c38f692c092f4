/* The index as fetch/ and fs/ use it: versions arrive, rest, are found again. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../../base/buf.h"
#include "../../../base/cleanup.h"
#include "../../../base/clock.h"
#include "../../../index/index.h"

static char dir[64];

static struct index *open_index(int64_t size)
{
	const struct index_config config = { .dir = dir, .size = size, .compress = true,
					     .level = 3 };
	struct index *ix = NULL;
	char reason[256] = "";

	if (index_open(&config, &ix, reason, sizeof reason) != 0 || index_start(ix) != 0)
		fail_msg("%s", reason);
	return ix;
}

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/test-index-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static struct meta *meta_of(int64_t length, const char *etag)
{
	struct meta *m = meta_new();

	m->status = 200;
	m->flags = META_STORE | META_RANGES;
	m->length = length;
	m->response_ms = clock_wall_ms();
	m->fresh_until_ms = m->response_ms + 3600000;
	m->usable_until_ms = INT64_MAX;
	m->content_type = strdup("text/plain");
	if (etag)
		m->etag = strdup(etag);
	return m;
}

/* --- waiting for thread I --- */

struct record_wait {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done;
};

static void record_done(void *arg, int err)
{
	struct record_wait *w = arg;

	(void)err;
	WITH_LOCK(&w->lock) {
		w->done = true;
		pthread_cond_signal(&w->cond);
	}
}

static void record(struct version *v)
{
	struct record_wait w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };

	version_record(v, record_done, &w);
	WITH_LOCK(&w.lock)
		while (!w.done)
			pthread_cond_wait(&w.cond, &w.lock);
}

/* A body that compresses, different for each seed. */
static char *body_of(size_t len, unsigned seed)
{
	char *body = malloc(len + 32);

	for (size_t i = 0; i < len; i += 16)
		snprintf(body + i, 32, "%08x %06zx\n", seed, i & 0xffffff);
	return body;
}

static struct version *put(struct index *ix, const char *key, size_t len, unsigned seed)
{
	struct meta *m = meta_of((int64_t)len, "\"strong\"");
	char *body = body_of(len, seed);
	struct version *v;

	assert_int_equal(version_begin(ix, key, m, false, &v), 0);
	for (size_t off = 0; off < len;) {
		size_t n = len - off < 100000 ? len - off : 100000;
		int err = version_write(v, (int64_t)off, body + off, n);

		if (err == -ENOBUFS) {
			index_drain(ix);	/* lets it evict */
			version_on_room(v, NULL, NULL);
			continue;
		}
		assert_int_equal(err, 0);
		off += n;
	}
	if (len)
		version_complete(v);
	record(v);
	meta_unref(m);
	free(body);
	return v;
}

static void check(struct version *v, size_t len, unsigned seed)
{
	char *body = body_of(len, seed);

	for (size_t off = 0; off < len; off += 65536) {
		struct bytes b;
		size_t n = len - off < 65536 ? len - off : 65536;
		_cleanup_(cleanup_free) char *copy = malloc(n);

		assert_int_equal(version_read(v, (int64_t)off, 65536, NULL, &b), 0);
		assert_int_equal(b.len, n);
		if (b.data)
			memcpy(copy, b.data, n);
		else
			assert_int_equal(pread(b.fd, copy, n, b.pos), n);
		assert_memory_equal(copy, body + off, n);
		bytes_fini(&b);
	}
	free(body);
}

/* --- tests --- */

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

static void a_partial_body_is_taken_up_after_a_restart(void **state)
{
	struct index *ix = open_index(1 << 30);
	struct meta *m = meta_of(3000000, "\"strong\"");
	char *body = body_of(3000000, 5);
	struct version *v;
	struct bytes bytes;

	(void)state;
	assert_int_equal(version_begin(ix, "http://a/part", m, false, &v), 0);
	assert_int_equal(version_write(v, 0, body, 1000000), 0);
	record(v);
	version_pause(v);
	index_drain(ix);
	version_unref(v);
	index_close(ix);
	ix = open_index(1 << 30);
	assert_int_equal(index_find(ix, "http://a/part", &v), 0);
	assert_int_equal(version_missing(v, 0), 1000000);
	assert_int_equal(version_read(v, 999000, 1000, NULL, &bytes), 0);
	bytes_fini(&bytes);
	assert_int_equal(version_read(v, 1000000, 1000, NULL, &bytes), -EAGAIN);
	assert_int_equal(version_write(v, 1000000, body + 1000000, 2000000), 0);
	version_complete(v);
	index_drain(ix);
	check(v, 3000000, 5);
	version_unref(v);
	index_close(ix);
	ix = open_index(1 << 30);
	assert_int_equal(index_find(ix, "http://a/part", &v), 0);
	check(v, 3000000, 5);
	version_unref(v);
	meta_unref(m);
	free(body);
	index_close(ix);
}

/* Flips a bit of the one file in partial/. */
static void damage_partial(int64_t at)
{
	char path[512];
	DIR *d;
	struct dirent *entry;
	int fd = -1;
	char byte;

	snprintf(path, sizeof path, "%s/partial", dir);
	d = opendir(path);
	assert_non_null(d);
	while (fd < 0 && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			fd = openat(dirfd(d), entry->d_name, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 4;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
	closedir(d);
}

/* [0, 1000000) and [2000000, 2500000) of 3000000 bytes, saved by a former run. */
static struct index *with_partial(const char *body, struct version **ret)
{
	struct index *ix = open_index(1 << 30);
	struct meta *m = meta_of(3000000, "\"strong\"");
	struct version *v;

	assert_int_equal(version_begin(ix, "http://a/part", m, false, &v), 0);
	assert_int_equal(version_write(v, 0, body, 900000), 0);
	record(v);
	version_pause(v);
	index_drain(ix);
	/* What was saved is saved again, and more. */
	assert_int_equal(version_write(v, 900000, body + 900000, 100000), 0);
	assert_int_equal(version_write(v, 2000000, body + 2000000, 500000), 0);
	version_pause(v);
	index_drain(ix);
	version_unref(v);
	meta_unref(m);
	index_close(ix);
	damage_partial(300000);
	ix = open_index(1 << 30);
	assert_int_equal(index_find(ix, "http://a/part", ret), 0);
	assert_int_equal(version_missing(*ret, 0), 1000000);
	return ix;
}

static void read_right(struct version *v, const char *body, int64_t off, size_t len)
{
	struct bytes bytes;
	char got[100000];

	assert_int_equal(version_read(v, off, len, NULL, &bytes), 0);
	assert_int_equal(bytes.len, len);
	if (bytes.fd >= 0)
		assert_int_equal(pread(bytes.fd, got, len, bytes.pos), len);
	assert_memory_equal(bytes.fd >= 0 ? got : bytes.data, body + off, len);
	bytes_fini(&bytes);
}

static void a_damaged_piece_of_a_partial_body_is_missing(void **state)
{
	char *body = body_of(3000000, 5);
	struct bytes bytes;
	struct version *v;
	struct index *ix = with_partial(body, &v);

	(void)state;
	read_right(v, body, 0, 1000);
	read_right(v, body, 950000, 50000);
	read_right(v, body, 2000000, 1000);
	assert_int_equal(version_read(v, 290000, 1000, NULL, &bytes), -EAGAIN);
	assert_int_equal(version_missing(v, 0), 262144);
	assert_int_equal(version_hole_end(v, 262144), 2 * 262144);
	assert_int_equal(version_write(v, 262144, body + 262144, 262144), 0);
	read_right(v, body, 290000, 100000);
	version_unref(v);
	free(body);
	index_close(ix);
}

/* Nobody reads the damaged piece before the rest has come. */
static void a_damaged_piece_is_not_stored(void **state)
{
	char *body = body_of(3000000, 5);
	struct bytes bytes;
	struct version *v;
	struct index *ix = with_partial(body, &v);

	(void)state;
	assert_int_equal(version_write(v, 1000000, body + 1000000, 1000000), 0);
	version_pause(v);
	assert_int_equal(version_write(v, 2500000, body + 2500000, 500000), 0);
	version_complete(v);
	index_drain(ix);
	read_right(v, body, 0, 1000);
	assert_int_equal(version_read(v, 290000, 1000, NULL, &bytes), -EAGAIN);
	assert_int_equal(version_write(v, 262144, body + 262144, 262144), 0);
	version_complete(v);
	index_drain(ix);
	check(v, 3000000, 5);
	version_unref(v);
	index_close(ix);
	ix = open_index(1 << 30);
	assert_int_equal(index_find(ix, "http://a/part", &v), 0);
	check(v, 3000000, 5);
	version_unref(v);
	free(body);
	index_close(ix);
}

/* The damaged piece is the last one of its range, which goes on growing. */
static void a_damaged_piece_that_grows_gets_no_right_sum(void **state)
{
	char *body = body_of(3000000, 5);
	struct version *v;
	struct index *ix = with_partial(body, &v);

	(void)state;
	version_unref(v);
	index_close(ix);
	damage_partial(300000);
	damage_partial(990000);
	ix = open_index(1 << 30);
	assert_int_equal(index_find(ix, "http://a/part", &v), 0);
	assert_int_equal(version_write(v, 1000000, body + 1000000, 30000), 0);
	version_pause(v);
	index_drain(ix);
	version_unref(v);
	index_close(ix);
	ix = open_index(1 << 30);
	assert_int_equal(index_find(ix, "http://a/part", &v), 0);
	assert_int_equal(version_missing(v, 0), 3 * 262144);
	read_right(v, body, 290000, 100000);
	version_unref(v);
	free(body);
	index_close(ix);
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
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		TEST(bodies_of_all_sizes_survive_a_restart),
		TEST(a_new_version_replaces_and_the_old_stays_readable),
		TEST(a_new_version_that_fails_leaves_the_old_one),
		TEST(what_is_purged_while_it_is_stored_leaves_nothing),
		TEST(purge_is_exact),
		TEST(what_arrives_while_it_is_purged_does_not_come_back),
		TEST(a_reader_waits_for_bytes_and_is_told_of_failure),
		TEST(the_limit_holds_and_old_ones_go),
		TEST(a_partial_body_is_taken_up_after_a_restart),
		TEST(a_damaged_piece_of_a_partial_body_is_missing),
		TEST(a_damaged_piece_is_not_stored),
		TEST(a_damaged_piece_that_grows_gets_no_right_sum),
		TEST(two_at_once_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
