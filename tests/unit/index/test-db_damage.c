#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../base/log.h"
#include "../../../index/db_private.h"
#include "db_fixture.h"

/* Not another program's, nor a later one's. */
static void begins_anew_when_a_bit_of_what_it_is_flipped(void **state)
{
	static const char *const flips[] = {
		"PRAGMA user_version = 67", "PRAGMA user_version = 1", "PRAGMA user_version = 0",
		"PRAGMA application_id = 0x77636663", "PRAGMA application_id = 0",
		"UPDATE value SET data = 2 WHERE name = 'format'",
	};
	struct fixture *f = *state;
	_cleanup_(cleanup_free) char *aside = fixture_path(f, "index.db.damaged");

	log_set_level(LOG_LEVEL_ERROR);
	for (size_t i = 0; i < sizeof(flips) / sizeof(flips[0]); i++) {
		fixture_change_and_close(f, flips[i]);
		assert_int_equal(db_open(f->dir, &f->db), 0);
		assert_int_equal(unlink(aside), 0);
	}
}

/* It was moved aside, a new and empty one works, numbers go on. */
static void expect_renewed(struct fixture *f, uint64_t behind)
{
	_cleanup_(cleanup_free) char *aside = fixture_path(f, "index.db.damaged");
	struct db_sums sums;
	struct record r;
	uint64_t ino;

	log_set_level(LOG_LEVEL_ERROR);
	assert_int_equal(db_open(f->dir, &f->db), 0);
	assert_int_equal(access(aside, F_OK), 0);
	db_sums(f->db, &sums);
	assert_int_equal(sums.objects, 0);
	assert_int_equal(db_find_ino(f->db, 2, &r), -ENOENT);
	assert_int_equal(db_take_inos(f->db, 1, &ino), 0);
	assert_true(ino > behind);
	fixture_put(f->db, ino, "https://h/", 200);
	assert_int_equal(db_check(f->db), 0);
}

static void a_number_that_cannot_be_is_none(void **state)
{
	struct fixture *f = *state;
	uint64_t ino;

	fixture_put(f->db, 7, "https://h/", 200);
	fixture_change_and_close(f, "INSERT OR REPLACE INTO value (name, data)"
				    " VALUES ('inos', x'0900000000000080')");
	assert_int_equal(db_open(f->dir, &f->db), 0);
	assert_int_equal(db_take_inos(f->db, 1, &ino), 0);
	assert_true(ino > 7 && ino < UINT64_C(1) << 40);
}

static void garbage_is_moved_aside(void **state)
{
	struct fixture *f = *state;
	_cleanup_(cleanup_free) char *path = fixture_path(f, "index.db");
	uint64_t ino;

	assert_int_equal(db_take_inos(f->db, 7, &ino), 0);
	fixture_put_many(f->db, 2, 100);
	db_close(TAKE_PTR(f->db));
	fixture_overwrite(path, 0, 8192);
	expect_renewed(f, ino + 6);
}

static void a_cut_file_is_moved_aside(void **state)
{
	struct fixture *f = *state;
	_cleanup_(cleanup_free) char *path = fixture_path(f, "index.db");
	struct stat st;
	uint64_t ino;

	assert_int_equal(db_take_inos(f->db, 7, &ino), 0);
	fixture_put_many(f->db, 2, 1000);
	db_close(TAKE_PTR(f->db));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size / 2), 0);
	expect_renewed(f, ino + 6);
}

static void lost_tables_are_moved_aside(void **state)
{
	struct fixture *f = *state;

	fixture_change_and_close(f, "DROP TABLE declared");
	expect_renewed(f, 1);
}

/* What a start cannot see without reading everything is told later. */
static void damage_in_the_middle_is_told(void **state)
{
	struct fixture *f = *state;
	_cleanup_(cleanup_free) char *path = fixture_path(f, "index.db");
	struct stat st;
	struct record r;
	bool told = false;

	fixture_put_many(f->db, 2, 3000);
	db_close(TAKE_PTR(f->db));
	assert_int_equal(stat(path, &st), 0);
	fixture_overwrite(path, (st.st_size / 2) & ~4095, 16 * 4096);
	assert_int_equal(db_open(f->dir, &f->db), 0);
	for (uint64_t ino = 2; ino < 3002; ino++) {
		int err = db_find_ino(f->db, ino, &r);

		if (!err)
			record_fini(&r);
		else if (err != -ENOENT)
			assert_int_equal(err, -EBADMSG);
		told |= err == -EBADMSG;
	}
	assert_true(told);
	assert_int_equal(db_check(f->db), -EBADMSG);
	fixture_put(f->db, 5000, "https://h/still/works", 200);
}

static void flip(const char *path, int bit)
{
	_cleanup_(cleanup_close) int fd = open(path, O_RDWR);
	char byte;

	assert_int_equal(pread(fd, &byte, 1, bit / 8), 1);
	byte ^= (char)(1 << bit % 8);
	assert_int_equal(pwrite(fd, &byte, 1, bit / 8), 1);
}

static void copy_file(const char *from, const char *to, off_t len)
{
	_cleanup_(cleanup_free) char *data = malloc(len);
	_cleanup_(cleanup_close) int in = open(from, O_RDONLY);
	_cleanup_(cleanup_close) int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(pread(in, data, len, 0), len);
	assert_int_equal(pwrite(out, data, len, 0), len);
}

/* Of the file's own beginning, which says what kind of file it is (SQLite's file format, 1.3):
 * it is as it was, or begun anew, and takes rows either way. */
static void a_bit_of_the_beginning_flips(void **state)
{
	struct fixture *f = *state;
	_cleanup_(cleanup_free) char *path = fixture_path(f, "index.db");
	_cleanup_(cleanup_free) char *aside = fixture_path(f, "index.db.damaged");
	_cleanup_(cleanup_free) char *good = fixture_path(f, "good");
	struct stat st;
	int renewed = 0;

	fixture_put_many(f->db, 2, 100);
	db_close(TAKE_PTR(f->db));
	assert_int_equal(stat(path, &st), 0);
	copy_file(path, good, st.st_size);
	log_set_level(LOG_LEVEL_ERROR);
	for (int bit = 0; bit < 100 * 8; bit++) {
		copy_file(good, path, st.st_size);
		flip(path, bit);
		assert_int_equal(db_open(f->dir, &f->db), 0);
		fixture_put(f->db, 5000, "https://h/still/works", 200);
		db_close(TAKE_PTR(f->db));
		renewed += unlink(aside) == 0;
	}
	assert_true(renewed > 100);
	assert_int_equal(db_open(f->dir, &f->db), 0);
}

/* As after a crash: the database and a part of its WAL. What was committed before
 * the cut is there, and nothing of a transaction that is not there whole. */
static void a_cut_wal_loses_its_end(void **state)
{
	struct fixture *f = *state, crashed = { .dir = "/tmp/test-db-XXXXXX" };
	_cleanup_(cleanup_free) char *db = fixture_path(f, "index.db");
	_cleanup_(cleanup_free) char *wal = fixture_path(f, "index.db-wal");
	struct stat st, before;
	struct db_sums sums;

	assert_non_null(mkdtemp(crashed.dir));
	_cleanup_(cleanup_free) char *to_db = fixture_path(&crashed, "index.db");
	_cleanup_(cleanup_free) char *to_wal = fixture_path(&crashed, "index.db-wal");

	assert_int_equal(db_checkpoint(f->db), 0);
	fixture_put_many(f->db, 2, 100);
	assert_int_equal(stat(wal, &before), 0);
	fixture_put_many(f->db, 1002, 100);
	assert_int_equal(stat(wal, &st), 0);
	assert_true(st.st_size > before.st_size);
	copy_file(wal, to_wal, (st.st_size + before.st_size) / 2);
	assert_int_equal(stat(db, &st), 0);
	copy_file(db, to_db, st.st_size);

	assert_int_equal(db_open(crashed.dir, &crashed.db), 0);
	db_sums(crashed.db, &sums);
	assert_int_equal(sums.objects, 100);
	assert_int_equal(db_check(crashed.db), 0);
	db_close(crashed.db);
	fixture_remove_dir(crashed.dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(begins_anew_when_a_bit_of_what_it_is_flipped),
		TEST(a_number_that_cannot_be_is_none),
		TEST(garbage_is_moved_aside),
		TEST(a_cut_file_is_moved_aside),
		TEST(lost_tables_are_moved_aside),
		TEST(damage_in_the_middle_is_told),
		TEST(a_bit_of_the_beginning_flips),
		TEST(a_cut_wal_loses_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
