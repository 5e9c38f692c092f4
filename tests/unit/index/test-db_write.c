#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../../../index/db_private.h"
#include "db_fixture.h"

static void replace(char **s, const char *with)
{
	free(*s);
	*s = strdup(with);
	assert_non_null(*s);
}

/* Every column has a value of its own, most at the end of its range. */
static struct record full_record(void)
{
	struct record r = fixture_record(77, "https://h/a?b=\xff\xc3\xa9");
	struct meta *m = r.meta;

	m->status = 203;
	m->flags = META_STORE | META_IMMUTABLE;
	m->length = -1;
	m->mtime_s = -12345;
	m->request_ms = INT64_C(1790000000001);
	m->response_ms = INT64_C(1790000000002);
	m->fresh_until_ms = INT64_MAX;
	m->swr_until_ms = INT64_MAX - 1;
	m->sie_until_ms = INT64_MIN;
	m->usable_until_ms = INT64_MAX - 2;
	m->vary_sum = UINT64_MAX - 3;
	replace(&m->etag, "W/\"x\"");
	replace(&m->last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
	replace(&m->content_type, "text/html; charset=\"\xe9\"");
	replace(&m->headers, "A: b\nC: \xff\n");
	replace(&m->url, "https://other/");
	replace(&m->reason, "max-age=1");
	r.blob = (struct blob){
		.kind = BLOB_SEGMENT, .codec = BLOB_ZSTD, .id = UINT64_C(1) << 60,
		.offset = UINT64_C(1) << 41, .stored = 123, .length = 456,
		.sum = UINT64_C(0xfedcba9876543210),
	};
	r.ranges = strdup("0-9,20-29");
	return r;
}

static void same_string(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void same_meta(const struct meta *a, const struct meta *b)
{
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->length, b->length);
	assert_int_equal(a->mtime_s, b->mtime_s);
	assert_int_equal(a->request_ms, b->request_ms);
	assert_int_equal(a->response_ms, b->response_ms);
	assert_int_equal(a->fresh_until_ms, b->fresh_until_ms);
	assert_int_equal(a->swr_until_ms, b->swr_until_ms);
	assert_int_equal(a->sie_until_ms, b->sie_until_ms);
	assert_int_equal(a->usable_until_ms, b->usable_until_ms);
	same_string(a->etag, b->etag);
	same_string(a->last_modified, b->last_modified);
	same_string(a->content_type, b->content_type);
	same_string(a->headers, b->headers);
	same_string(a->url, b->url);
	same_string(a->reason, b->reason);
}

static void same_record(const struct record *a, const struct record *b)
{
	assert_int_equal(a->ino, b->ino);
	assert_int_equal(a->current, b->current);
	same_string(a->key, b->key);
	same_string(a->ranges, b->ranges);
	assert_int_equal(a->blob.kind, b->blob.kind);
	assert_int_equal(a->blob.codec, b->blob.codec);
	assert_int_equal(a->blob.id, b->blob.id);
	assert_int_equal(a->blob.offset, b->blob.offset);
	assert_int_equal(a->blob.stored, b->blob.stored);
	assert_int_equal(a->blob.length, b->blob.length);
	assert_true(a->blob.sum == b->blob.sum);
	same_meta(a->meta, b->meta);
	assert_true(a->meta->vary_sum == b->meta->vary_sum);
}

static void expect_row(struct db *db, const struct record *want)
{
	struct record got;

	assert_int_equal(db_find_ino(db, want->ino, &got), 0);
	same_record(&got, want);
	record_fini(&got);
	if (!want->current)
		return;
	assert_int_equal(db_find_key(db, want->key, &got), 0);
	same_record(&got, want);
	record_fini(&got);
}

static void every_column_survives(void **state)
{
	struct fixture *f = *state;
	struct record r = full_record(), plain = fixture_record(78, "https://h/plain");

	assert_int_equal(db_put(f->db, &r), 0);
	assert_int_equal(db_put(f->db, &plain), 0);
	expect_row(f->db, &r);
	expect_row(f->db, &plain);
	fixture_reopen(f);
	expect_row(f->db, &r);
	expect_row(f->db, &plain);
	record_fini(&r);
	record_fini(&plain);
}

/* A time that equals fresh_until_ms is not stored again. */
static void equal_times_survive(void **state)
{
	static const int64_t time[][3] = {
		{ 5, 5, 5 }, { 5, 6, 5 }, { 5, 5, 7 }, { 0, 0, 1 }, { -1, 0, 0 },
		{ INT64_MAX, INT64_MAX, INT64_MAX },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(time) / sizeof(time[0]); i++) {
		struct record r = fixture_record(3, "https://h/a");

		r.meta->fresh_until_ms = time[i][0];
		r.meta->swr_until_ms = time[i][1];
		r.meta->sie_until_ms = time[i][2];
		assert_int_equal(db_put(f->db, &r), 0);
		expect_row(f->db, &r);
		record_fini(&r);
	}
}

static void put_replaces_every_column(void **state)
{
	struct fixture *f = *state;
	struct record full = full_record(), plain = fixture_record(77, "https://h/plain");
	struct record got;

	assert_int_equal(db_put(f->db, &plain), 0);
	assert_int_equal(db_put(f->db, &full), 0);
	expect_row(f->db, &full);
	assert_int_equal(db_find_key(f->db, "https://h/plain", &got), -ENOENT);
	assert_int_equal(db_put(f->db, &plain), 0);
	expect_row(f->db, &plain);
	record_fini(&full);
	record_fini(&plain);
}

static void parts_of_a_row_change(void **state)
{
	struct fixture *f = *state;
	struct record full = full_record(), r = fixture_record(5, "https://h/r");

	assert_int_equal(db_put(f->db, &r), 0);
	assert_int_equal(db_set_meta(f->db, 5, full.meta), 0);
	meta_unref(r.meta);
	r.meta = meta_ref(full.meta);
	expect_row(f->db, &r);
	assert_int_equal(db_set_blob(f->db, 5, &full.blob, full.ranges), 0);
	r.blob = full.blob;
	r.ranges = strdup(full.ranges);
	expect_row(f->db, &r);
	assert_int_equal(db_set_blob(f->db, 5, &full.blob, NULL), 0);
	free(TAKE_PTR(r.ranges));
	expect_row(f->db, &r);
	assert_int_equal(db_set_current(f->db, 5, false), 0);
	r.current = false;
	expect_row(f->db, &r);
	record_fini(&r);
	record_fini(&full);
}

static void missing_rows(void **state)
{
	struct fixture *f = *state;
	struct record r = full_record();

	assert_int_equal(db_find_ino(f->db, 9, &r), -ENOENT);
	assert_int_equal(db_find_key(f->db, "https://h/", &r), -ENOENT);
	assert_int_equal(db_set_meta(f->db, 9, r.meta), -ENOENT);
	assert_int_equal(db_set_blob(f->db, 9, &r.blob, NULL), -ENOENT);
	assert_int_equal(db_set_current(f->db, 9, true), -ENOENT);
	assert_int_equal(db_delete(f->db, 9), 0);
	record_fini(&r);
}

static void a_key_has_one_current_row(void **state)
{
	struct fixture *f = *state;
	struct record r, second = fixture_record(2, "https://h/a");

	fixture_put(f->db, 1, "https://h/a", 200);
	assert_int_equal(db_put(f->db, &second), -EEXIST);
	assert_int_equal(db_find_key(f->db, "https://h/a", &r), 0);
	assert_int_equal(r.ino, 1);
	record_fini(&r);

	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(db_put(f->db, &second), -EEXIST);
	/* The transaction goes on. */
	assert_int_equal(db_set_current(f->db, 1, false), 0);
	assert_int_equal(db_put(f->db, &second), 0);
	assert_int_equal(db_commit(f->db), 0);
	assert_int_equal(db_find_key(f->db, "https://h/a", &r), 0);
	assert_int_equal(r.ino, 2);
	record_fini(&r);
	assert_int_equal(db_set_current(f->db, 1, true), -EEXIST);
	/* Any number of retired ones. */
	assert_int_equal(db_set_current(f->db, 2, false), 0);
	assert_int_equal(db_find_key(f->db, "https://h/a", &r), -ENOENT);
	assert_int_equal(db_find_ino(f->db, 1, &r), 0);
	record_fini(&r);
	record_fini(&second);
}

static void expect_sums(struct db *db, int64_t objects, int64_t logical, int64_t stored)
{
	struct db_sums sums;

	db_sums(db, &sums);
	assert_int_equal(sums.objects, objects);
	assert_int_equal(sums.bytes_logical, logical);
	assert_int_equal(sums.bytes_stored, stored);
}

static void sums_follow_the_rows(void **state)
{
	struct fixture *f = *state;
	struct blob b = { .kind = BLOB_SEGMENT, .stored = 7, .length = 9 };
	struct record r;

	expect_sums(f->db, 0, 0, 0);
	fixture_put(f->db, 1, "https://h/a", 200);
	expect_sums(f->db, 1, 1000, 500);
	fixture_put(f->db, 1, "https://h/a", 200);
	expect_sums(f->db, 1, 1000, 500);
	fixture_put(f->db, 2, "https://h/b", 404);
	expect_sums(f->db, 1, 2000, 1000);
	assert_int_equal(db_set_blob(f->db, 2, &b, NULL), 0);
	expect_sums(f->db, 1, 1009, 507);
	b = (struct blob){ .kind = BLOB_PARTIAL, .stored = 7, .length = 900 };
	assert_int_equal(db_set_blob(f->db, 2, &b, "0-6"), 0);
	expect_sums(f->db, 1, 1007, 507);
	b.kind = BLOB_ARRIVING;
	assert_int_equal(db_set_blob(f->db, 2, &b, NULL), 0);
	expect_sums(f->db, 1, 1000, 500);
	assert_int_equal(db_set_current(f->db, 1, false), 0);
	expect_sums(f->db, 0, 1000, 500);
	assert_int_equal(db_find_ino(f->db, 1, &r), 0);
	assert_int_equal(db_set_meta(f->db, 2, r.meta), 0);
	record_fini(&r);
	expect_sums(f->db, 1, 1000, 500);
	fixture_reopen(f);
	expect_sums(f->db, 1, 1000, 500);
	assert_int_equal(db_delete(f->db, 1), 0);
	assert_int_equal(db_delete(f->db, 1), 0);
	expect_sums(f->db, 1, 0, 0);
}

static void sums_are_of_the_last_commit(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(db_begin(f->db), 0);
	fixture_put(f->db, 1, "https://h/a", 200);
	expect_sums(f->db, 0, 0, 0);
	db_rollback(f->db);
	expect_sums(f->db, 0, 0, 0);
	assert_int_equal(db_begin(f->db), 0);
	fixture_put(f->db, 2, "https://h/b", 200);
	assert_int_equal(db_commit(f->db), 0);
	expect_sums(f->db, 1, 1000, 500);
}

static void senseless_sums_are_counted_again(void **state)
{
	const struct db_sums negative = { -1, 5, 5 };
	struct fixture *f = *state;

	fixture_put(f->db, 1, "https://h/a", 200);
	fixture_put(f->db, 2, "https://h/b", 404);
	assert_int_equal(db_set_value(f->db, "sums", &negative, sizeof(negative)), 0);
	fixture_reopen(f);
	expect_sums(f->db, 1, 2000, 1000);
	assert_int_equal(db_set_value(f->db, "sums", "short", 5), 0);
	fixture_reopen(f);
	expect_sums(f->db, 1, 2000, 1000);
}

static void rollback_undoes(void **state)
{
	struct fixture *f = *state;
	struct record r;

	fixture_put(f->db, 1, "https://h/a", 200);
	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(db_delete(f->db, 1), 0);
	fixture_put(f->db, 2, "https://h/b", 200);
	assert_int_equal(db_declare(f->db, "https://h/d/", true), 0);
	/* Not seen by others before the commit. */
	assert_int_equal(db_find_ino(f->db, 2, &r), -ENOENT);
	assert_int_equal(db_is_declared(f->db, "https://h/d/"), -ENOENT);
	db_rollback(f->db);
	assert_int_equal(db_find_ino(f->db, 2, &r), -ENOENT);
	assert_int_equal(db_find_ino(f->db, 1, &r), 0);
	record_fini(&r);
}

static void declared_directories(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(db_declare(f->db, "https://h/d/", true), 0);
	assert_int_equal(db_declare(f->db, "https://h/d/", true), 0);
	assert_int_equal(db_is_declared(f->db, "https://h/d/"), 0);
	assert_int_equal(db_is_declared(f->db, "https://h/"), -ENOENT);
	fixture_reopen(f);
	assert_int_equal(db_is_declared(f->db, "https://h/d/"), 0);
	assert_int_equal(db_declare(f->db, "https://h/d/", false), 0);
	assert_int_equal(db_declare(f->db, "https://h/d/", false), 0);
	assert_int_equal(db_is_declared(f->db, "https://h/d/"), -ENOENT);
}

static void values(void **state)
{
	struct fixture *f = *state;
	char *big = calloc(1, 300000);
	void *data;
	size_t len;

	assert_int_equal(db_get_value(f->db, "x", &data, &len), -ENOENT);
	assert_int_equal(db_set_value(f->db, "x", "a\0b", 3), 0);
	assert_int_equal(db_get_value(f->db, "x", &data, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "a\0b", 3);
	free(data);
	assert_int_equal(db_set_value(f->db, "x", NULL, 0), 0);
	assert_int_equal(db_get_value(f->db, "x", &data, &len), 0);
	assert_int_equal(len, 0);
	free(data);
	big[299999] = 7;
	assert_int_equal(db_set_value(f->db, "x", big, 300000), 0);
	fixture_reopen(f);
	assert_int_equal(db_get_value(f->db, "x", &data, &len), 0);
	assert_int_equal(len, 300000);
	assert_memory_equal(data, big, len);
	free(data);
	free(big);
}

/* Puts rows until one fails; what put and commit say. */
static int fill(struct db *db, uint64_t from)
{
	char *headers = malloc(3001);
	int err = 0;

	memset(headers, 'x', 3000);
	headers[3000] = 0;
	assert_int_equal(db_begin(db), 0);
	for (uint64_t i = 0; i < 4000 && !err; i++) {
		char key[64];
		struct record r;

		snprintf(key, sizeof(key), "https://h/%llu", (unsigned long long)(from + i));
		r = fixture_record(from + i, key);
		replace(&r.meta->headers, headers);
		err = db_put(db, &r);
		record_fini(&r);
	}
	free(headers);
	/* What comes after must not be committed by itself. */
	if (err) {
		struct record r = fixture_record(from + 100000, "https://h/after");

		db_put(db, &r);
		record_fini(&r);
		assert_int_equal(db_commit(db), err);
		return err;
	}
	return db_commit(db);
}

static void expect_only_the_first(struct fixture *f)
{
	struct record r;

	expect_sums(f->db, 1, 1000, 500);
	assert_int_equal(db_find_ino(f->db, 1, &r), 0);
	record_fini(&r);
	assert_int_equal(db_find_key(f->db, "https://h/after", &r), -ENOENT);
	assert_int_equal(db_find_ino(f->db, 1000, &r), -ENOENT);
	fixture_put(f->db, 2, "https://h/b", 200);
	expect_sums(f->db, 2, 2000, 1000);
	assert_int_equal(db_check(f->db), 0);
}

static void a_full_disk_undoes_the_transaction(void **state)
{
	struct fixture *f = *state;

	fixture_put(f->db, 1, "https://h/a", 200);
	assert_int_equal(conn_exec(f->db->writer, "PRAGMA max_page_count = 200"), 0);
	assert_int_equal(fill(f->db, 1000), -ENOSPC);
	expect_only_the_first(f);
}

/* No file may pass 4 MiB: a write in the middle of the transaction, when the
 * cache spills into the WAL, fails. */
static void an_io_error_undoes_the_transaction(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, low;

	fixture_put(f->db, 1, "https://h/a", 200);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = (struct rlimit){ .rlim_cur = 4 << 20, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	assert_int_equal(fill(f->db, 1000), -EIO);
	expect_only_the_first(f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(fill(f->db, 10000), 0);
}

static void checkpoint_empties_the_wal(void **state)
{
	struct fixture *f = *state;
	int64_t before;

	assert_int_equal(fill(f->db, 1000), 0);
	before = db_disk_bytes(f->db);
	assert_true(before > 4000 * 3000);
	assert_int_equal(db_checkpoint(f->db), 0);
	assert_true(db_disk_bytes(f->db) < before);
	assert_int_equal(db_begin(f->db), 0);
	fixture_put(f->db, 1, "https://h/a", 200);
	assert_int_equal(db_checkpoint(f->db), -EBUSY);
	assert_int_equal(db_commit(f->db), 0);
	expect_sums(f->db, 4001, 4001000, 4001 * 500);
}

static void deleted_rows_give_room_back(void **state)
{
	struct fixture *f = *state;
	int64_t full;

	fixture_put(f->db, 1, "https://h/a", 200);
	assert_int_equal(fill(f->db, 1000), 0);
	assert_int_equal(db_checkpoint(f->db), 0);
	full = db_disk_bytes(f->db);
	assert_int_equal(db_begin(f->db), 0);
	for (uint64_t ino = 1000; ino < 5000; ino++)
		assert_int_equal(db_delete(f->db, ino), 0);
	assert_int_equal(db_commit(f->db), 0);
	assert_int_equal(db_checkpoint(f->db), 0);
	assert_true(db_disk_bytes(f->db) < full / 2);
	expect_only_the_first(f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_column_survives),
		TEST(equal_times_survive),
		TEST(put_replaces_every_column),
		TEST(parts_of_a_row_change),
		TEST(missing_rows),
		TEST(a_key_has_one_current_row),
		TEST(sums_follow_the_rows),
		TEST(sums_are_of_the_last_commit),
		TEST(senseless_sums_are_counted_again),
		TEST(rollback_undoes),
		TEST(declared_directories),
		TEST(values),
		TEST(a_full_disk_undoes_the_transaction),
		TEST(an_io_error_undoes_the_transaction),
		TEST(checkpoint_empties_the_wal),
		TEST(deleted_rows_give_room_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
