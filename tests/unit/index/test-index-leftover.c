/* What nobody can find any more takes no room: neither counted nor on the disk. And what was not
 * to go stays. */
#include "index-tools.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../../../index/index_private.h"

enum { MIB = 1 << 20 };

/* Bytes of blobs and partial bodies, as they are counted. */
static int64_t used(struct index *ix)
{
	index_drain(ix);
	return space_used(&ix->space) - ix->space.index;
}

static char *random_body(size_t len)
{
	char *body = malloc(len);

	for (size_t i = 0; i < len; i++)
		body[i] = (char)rand();
	return body;
}

static void purge_all(struct index *ix)
{
	const struct target all = { .kind = TARGET_ALL };
	int64_t removed;

	assert_int_equal(index_purge(ix, &all, 1, &removed), 0);
	index_drain(ix);
}

static void evict_all(struct index *ix)
{
	struct op *op = op_new(OP_EVICT);

	op->bytes = 1LL << 30;
	assert_int_equal(writer_call(ix, op), 0);
}

static struct version *begin(struct index *ix, const char *key, int64_t length)
{
	struct meta *m = meta_of(length, "\"strong\"");
	struct version *v;

	assert_int_equal(version_begin(ix, key, m, false, &v), 0);
	meta_unref(m);
	return v;
}

static void keep(struct index *ix, const char *key, const char *body, size_t len)
{
	struct version *v = begin(ix, key, (int64_t)len);

	assert_int_equal(version_write(v, 0, body, len), 0);
	version_complete(v);
	record(v);
	version_unref(v);
}

/* It was saved while it waited for the rest; later it is whole, evicted and fetched once more
 * for somebody who holds it. */
static void once_saved(void **state)
{
	struct index *ix = open_index(64 * MIB);
	char *body = body_of(3 * MIB, 5);
	int64_t before = used(ix);
	struct bytes bytes;

	(void)state;
	for (int i = 0; i < 3; i++) {
		char key[64];
		struct version *v;

		snprintf(key, sizeof key, "http://a/%d", i);
		v = begin(ix, key, 3 * MIB);
		assert_int_equal(version_write(v, 0, body, MIB), 0);
		record(v);
		version_pause(v);
		index_drain(ix);
		assert_int_equal(version_write(v, MIB, body + MIB, 2 * MIB), 0);
		version_complete(v);
		index_drain(ix);
		evict_all(ix);
		assert_int_equal(version_read(v, 0, 1000, NULL, &bytes), -EAGAIN);
		assert_int_equal(version_write(v, 0, body, 3 * MIB), 0);
		version_complete(v);
		index_drain(ix);
		version_unref(v);
	}
	purge_all(ix);
	assert_in_range(used(ix), before, before + MIB);	/* directories stay */
	free(body);
	index_close(ix);
}

/* The new one gets no row for long, or never. */
static void superseded_while_it_is_stored(void **state)
{
	struct index *ix = open_index(64 * MIB);
	int64_t before = used(ix);

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct version *v = begin(ix, "http://a/x", 9000000), *next;
		char *body = body_of(9000000, 5);

		record(v);
		assert_int_equal(version_write(v, 0, body, 9000000), 0);
		version_complete(v);
		next = begin(ix, "http://a/x", -1);
		version_unref(v);
		index_drain(ix);
		assert_int_equal(version_write(next, 0, body, 1000), 0);
		if (i % 2) {
			version_fail(next, -EIO);
		} else {
			version_complete(next);
			record(next);
		}
		version_unref(next);
		free(body);
	}
	purge_all(ix);
	/* Directories stay. */
	assert_in_range(used(ix), before, before + MIB);
	index_close(ix);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit r = { bytes, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* Somebody else holds the database for long: the row goes on saying that it is arriving. */
static void the_row_cannot_be_written(void **state)
{
	struct index *ix = open_index(64 * MIB);
	char *body = random_body(6 * MIB), path[128];
	int64_t before = used(ix);
	struct version *v = begin(ix, "http://a/x", 6 * MIB);
	sqlite3 *other;

	(void)state;
	record(v);
	assert_int_equal(version_write(v, 0, body, 6 * MIB), 0);
	snprintf(path, sizeof path, "%s/index.db", dir);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	version_complete(v);
	index_drain(ix);
	assert_true(v->stored);
	sqlite3_close(other);
	version_unref(v);
	purge_all(ix);
	evict_all(ix);
	assert_in_range(used(ix), before, before + MIB);
	free(body);
	index_close(ix);
}

/* Rows that stay are rows of bodies that stay. */
static void a_purge_that_fails_takes_nothing(void **state)
{
	enum { N = 40, LEN = 100000 };
	const struct target p = { .kind = TARGET_PREFIX, .key = (char *)"http://a/p" };
	struct index *ix = open_index(64 * MIB);
	struct version *held[N];
	int64_t removed;

	(void)state;
	for (int i = 0; i < N; i++) {
		char *body = random_body(LEN), key[64];

		snprintf(key, sizeof key, "http://a/%c%d", i < N / 2 ? 'p' : 'q', i);
		keep(ix, key, body, LEN);
		assert_int_equal(index_find(ix, key, &held[i]), 0);
		free(body);
	}
	index_drain(ix);
	limit_files(1);
	assert_true(index_purge(ix, &p, 1, &removed) < 0);
	limit_files(RLIM_INFINITY);
	for (int i = 0; i < N; i++)
		version_unref(held[i]);
	index_drain(ix);
	assert_int_equal(index_purge(ix, &p, 1, &removed), 0);
	for (int i = N / 2; i < N; i++) {
		char key[64];
		struct version *v;
		struct bytes bytes;

		snprintf(key, sizeof key, "http://a/q%d", i);
		assert_int_equal(index_find(ix, key, &v), 0);
		assert_int_equal(version_read(v, 0, 1000, NULL, &bytes), 0);
		bytes_fini(&bytes);
		version_unref(v);
	}
	index_close(ix);
}

/* What is given back when they go is what was counted at the start. */
static void counted_at_the_start(void **state)
{
	enum { N = 20, LEN = 1500000 };
	struct index *ix = open_index(1LL << 30);
	int64_t before;

	(void)state;
	for (int i = 0; i < N; i++) {
		char *body = random_body(LEN), key[64];

		snprintf(key, sizeof key, "http://a/%d", i);
		keep(ix, key, body, LEN);
		free(body);
	}
	index_close(ix);
	ix = open_index(1LL << 30);
	purge_all(ix);
	before = used(ix);
	index_close(ix);
	ix = open_index(1LL << 30);
	assert_int_equal(used(ix), before);
	index_close(ix);
}

/* Its meta goes while it is compressed: nobody uses what is not there any more. */
static void confirmed_while_it_is_stored(void **state)
{
	enum { LEN = 30 * MIB };
	struct index *ix = open_index(1LL << 30);
	struct version *v = begin(ix, "http://a/x", LEN);
	char *body = body_of(LEN, 5);

	(void)state;
	record(v);
	assert_int_equal(version_write(v, 0, body, LEN), 0);
	version_complete(v);
	for (int i = 0; i < 50; i++) {
		struct meta *m = meta_of(LEN, "\"strong\"");

		version_set_meta(v, m);
		meta_unref(m);
		usleep(1000);
	}
	index_drain(ix);
	version_unref(v);
	free(body);
	index_close(ix);
}

/* A second copy of it has no room: it is kept as it came. */
static void too_large_to_be_there_twice(void **state)
{
	enum { LEN = 40 * MIB };
	struct index *ix = open_index(64 * MIB);
	struct version *v = begin(ix, "http://a/x", LEN);
	char *body = malloc(LEN);

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		body[i] = (char)(rand() % 64 + 32);	/* packs to three quarters */
	record(v);
	for (int64_t off = 0; off < LEN; off += MIB)
		assert_int_equal(version_write(v, off, body + off, MIB), 0);
	version_complete(v);
	version_unref(v);
	index_drain(ix);
	assert_int_equal(index_find(ix, "http://a/x", &v), 0);
	assert_true(v->stored);
	version_unref(v);
	free(body);
	index_close(ix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(once_saved),
		TEST(superseded_while_it_is_stored),
		TEST(the_row_cannot_be_written),
		TEST(a_purge_that_fails_takes_nothing),
		TEST(counted_at_the_start),
		TEST(confirmed_while_it_is_stored),
		TEST(too_large_to_be_there_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
