#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../base/log.h"
#include "../../../index/db_private.h"
#include "db_fixture.h"

/* --- the directory and the file --- */

static void opens_only_directories(void **state)
{
	struct fixture *f = *state;
	_cleanup_(cleanup_free) char *missing = fixture_path(f, "missing");
	_cleanup_(cleanup_free) char *file = fixture_path(f, "index.db");
	struct db *db = NULL;

	assert_int_equal(db_open(missing, &db), -ENOENT);
	assert_int_equal(db_open(file, &db), -ENOTDIR);
	assert_null(db);
	db_close(NULL);
}

/* Root may write anywhere: become somebody else for a moment. */
static int open_as_nobody(const char *dir, struct db **ret)
{
	bool root = geteuid() == 0;
	int err;

	if (root)
		assert_int_equal(seteuid(65534), 0);
	err = db_open(dir, ret);
	if (root)
		assert_int_equal(seteuid(0), 0);
	return err;
}

static void read_only_directories(void **state)
{
	struct fixture *f = *state;
	_cleanup_(cleanup_free) char *path = fixture_path(f, "index.db");
	struct db *db = NULL;

	db_close(TAKE_PTR(f->db));
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(chmod(f->dir, 0777), 0);
	assert_int_equal(open_as_nobody(f->dir, &db), -EROFS);
	assert_int_equal(chmod(f->dir, 0555), 0);
	assert_int_equal(open_as_nobody(f->dir, &db), -EACCES);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(open_as_nobody(f->dir, &db), -EACCES);
	assert_null(db);
	assert_int_equal(chmod(f->dir, 0755), 0);
}

static void refuses_later_versions(void **state)
{
	struct fixture *f = *state;
	_cleanup_(cleanup_free) char *aside = fixture_path(f, "index.db.damaged");
	struct db *db = NULL;

	fixture_change_and_close(f, "PRAGMA user_version = 99; UPDATE value SET data = 99 WHERE name = 'format'");
	log_set_level(LOG_LEVEL_ERROR - 1);
	assert_int_equal(db_open(f->dir, &db), -EPROTO);
	log_set_level(LOG_LEVEL_ERROR);
	assert_int_not_equal(access(aside, F_OK), 0);
}

static void an_older_version_is_brought_up_to_date(void **state)
{
	struct fixture *f = *state;
	struct record r = fixture_record(5, "https://h/a"), got;

	assert_int_equal(db_put(f->db, &r), 0);
	fixture_change_and_close(f, "ALTER TABLE version DROP COLUMN vary_sum; PRAGMA user_version = 1;"
				    " DELETE FROM value WHERE name = 'format'");
	assert_int_equal(db_open(f->dir, &f->db), 0);
	assert_int_equal(db_find_key(f->db, "https://h/a", &got), 0);
	assert_int_equal(got.ino, 5);
	assert_int_equal(got.meta->vary_sum, 0);
	record_fini(&got);
	r.meta->vary_sum = 7;
	assert_int_equal(db_set_meta(f->db, 5, r.meta), 0);
	assert_int_equal(db_find_ino(f->db, 5, &got), 0);
	assert_int_equal(got.meta->vary_sum, 7);
	record_fini(&got);
	record_fini(&r);
}

static void refuses_other_programs(void **state)
{
	struct fixture *f = *state;
	struct db *db = NULL;

	fixture_change_and_close(f, "PRAGMA application_id = 17; DROP TABLE value; DROP TABLE version");
	log_set_level(LOG_LEVEL_ERROR - 1);
	assert_int_equal(db_open(f->dir, &db), -EPROTO);
	log_set_level(LOG_LEVEL_ERROR);
}

/* --- two connections and many threads --- */

static void locked_by_another_process_is_busy(void **state)
{
	struct fixture *f = *state;
	_cleanup_(cleanup_free) char *path = fixture_path(f, "index.db");
	struct record r = fixture_record(9, "https://h/b");
	struct conn *other;

	fixture_put(f->db, 2, "https://h/a", 200);
	assert_int_equal(conn_open(path, true, &other), 0);
	assert_int_equal(conn_exec(other, "BEGIN IMMEDIATE"), 0);
	sqlite3_busy_timeout(f->db->writer->sqlite, 10);
	assert_int_equal(db_begin(f->db), -EBUSY);
	assert_int_equal(db_put(f->db, &r), -EBUSY);
	record_fini(&r);
	/* Readers do not mind. */
	assert_int_equal(db_find_ino(f->db, 2, &r), 0);
	record_fini(&r);
	assert_int_equal(conn_exec(other, "ROLLBACK"), 0);
	fixture_put(f->db, 3, "https://h/b", 200);
	conn_close(other);
}

#define READERS 4
#define BATCHES 40
#define BATCH 25

struct shared {
	struct db *db;
	_Atomic uint64_t committed;	/* all numbers below it have rows */
	_Atomic bool stop;
};

static bool count_name(void *arg, const struct db_name *name)
{
	assert_true(name->file);
	++*(uint64_t *)arg;
	return true;
}

/* Transactions are seen whole: names come BATCH by BATCH. */
static void *read_along(void *arg)
{
	struct shared *sh = arg;
	uint64_t n, ino, taken, last = 0;
	struct db_sums sums;
	struct record r;

	while (!atomic_load(&sh->stop)) {
		uint64_t below = atomic_load(&sh->committed);

		n = 0;
		assert_int_equal(db_list(sh->db, "https://h/", "", count_name, &n), 0);
		assert_int_equal(n % BATCH, 0);
		assert_true(n >= below - 2);
		for (ino = below - 1; ino >= 2 && ino + 10 > below; ino--) {
			assert_int_equal(db_find_ino(sh->db, ino, &r), 0);
			assert_int_equal(r.ino, ino);
			record_fini(&r);
		}
		assert_int_equal(db_has_below(sh->db, "https://h/"), below > 2 ? 0 : -ENOENT);
		db_sums(sh->db, &sums);
		assert_int_equal(sums.objects % BATCH, 0);
		assert_int_equal(db_take_inos(sh->db, 1000, &taken), 0);
		assert_true(taken > last);
		last = taken;
	}
	return NULL;
}

static void readers_beside_the_writer(void **state)
{
	struct fixture *f = *state;
	struct shared sh = { .db = f->db, .committed = 2 };
	pthread_t thread[READERS];

	/* So that has_below is the same before and after the first row. */
	fixture_put_many(f->db, 2, BATCH);
	atomic_store(&sh.committed, 2 + BATCH);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, read_along, &sh), 0);
	for (int i = 1; i < BATCHES; i++) {
		fixture_put_many(f->db, 2 + i * BATCH, BATCH);
		atomic_store(&sh.committed, 2 + (i + 1) * BATCH);
		if (i % 10 == 0)
			db_checkpoint(f->db);
	}
	atomic_store(&sh.stop, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	assert_true(f->db->n_idle >= 1);
}

/* --- one writer's long transaction, and others who need numbers --- */

static void inode_numbers_do_not_wait_for_a_transaction(void **state)
{
	struct fixture *f = *state;
	uint64_t first, second;

	assert_int_equal(db_begin(f->db), 0);
	fixture_put(f->db, 2, "https://h/a", 200);
	assert_int_equal(db_take_inos(f->db, 60000, &first), 0);
	assert_int_equal(db_take_inos(f->db, 60000, &second), 0);
	assert_true(second >= first + 60000);
	assert_int_equal(db_commit(f->db), 0);
}

static void inode_numbers_are_never_given_twice(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 1, ino;

	for (int i = 0; i < 5; i++) {
		assert_int_equal(db_take_inos(f->db, 10, &ino), 0);
		assert_true(ino > last);
		last = ino + 9;
		assert_int_equal(db_take_inos(f->db, 200000, &ino), 0);
		assert_int_equal(ino, last + 1);
		last = ino + 199999;
		fixture_reopen(f);
	}
}

/* Without index.inos, or with a damaged one: rows and the note tell. */
static void inode_numbers_without_their_file(void **state)
{
	struct fixture *f = *state;
	_cleanup_(cleanup_free) char *path = fixture_path(f, "index.inos");
	uint64_t ino, last;

	fixture_put(f->db, 1000000, "https://h/a", 200);
	db_close(TAKE_PTR(f->db));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(db_open(f->dir, &f->db), 0);
	assert_int_equal(db_take_inos(f->db, 500000, &ino), 0);
	assert_true(ino > 1000000);
	fixture_put(f->db, ino, "https://h/b", 200);
	/* Nothing in the database tells of these. */
	assert_int_equal(db_take_inos(f->db, 1000000, &ino), 0);
	last = ino + 999999;
	db_close(TAKE_PTR(f->db));
	fixture_overwrite(path, 4, 8);
	assert_int_equal(db_open(f->dir, &f->db), 0);
	assert_int_equal(db_take_inos(f->db, 1, &ino), 0);
	assert_true(ino > last);
}

static void codes_of_sqlite(void **state)
{
	static const struct { int rc, err; } cases[] = {
		{ SQLITE_OK, 0 }, { SQLITE_ROW, 0 }, { SQLITE_DONE, 0 },
		{ SQLITE_BUSY, -EBUSY }, { SQLITE_BUSY_SNAPSHOT, -EBUSY },
		{ SQLITE_FULL, -ENOSPC }, { SQLITE_CORRUPT, -EBADMSG },
		{ SQLITE_CORRUPT_INDEX, -EBADMSG }, { SQLITE_NOTADB, -EBADMSG },
		{ SQLITE_IOERR, -EIO }, { SQLITE_IOERR_WRITE, -EIO },
		{ SQLITE_IOERR_NOMEM, -ENOMEM }, { SQLITE_READONLY, -EROFS },
		{ SQLITE_READONLY_DBMOVED, -EROFS }, { SQLITE_NOMEM, -ENOMEM },
		{ SQLITE_CONSTRAINT_UNIQUE, -EEXIST }, { SQLITE_CANTOPEN, -EIO },
		{ SQLITE_TOOBIG, -EFBIG }, { SQLITE_ERROR, -EIO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(db_errno(NULL, cases[i].rc), cases[i].err);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_only_directories),
		TEST(read_only_directories),
		TEST(refuses_later_versions),
		TEST(an_older_version_is_brought_up_to_date),
		TEST(refuses_other_programs),
		TEST(locked_by_another_process_is_busy),
		TEST(readers_beside_the_writer),
		TEST(inode_numbers_do_not_wait_for_a_transaction),
		TEST(inode_numbers_are_never_given_twice),
		TEST(inode_numbers_without_their_file),
		cmocka_unit_test(codes_of_sqlite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
