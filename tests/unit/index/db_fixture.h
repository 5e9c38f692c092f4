/* db_fixture.h - a directory for a test and rows to put into its database.
 *
 * Include after <cmocka.h> and what it needs. */
#ifndef TESTS_DB_FIXTURE_H
#define TESTS_DB_FIXTURE_H

#include <sys/types.h>

#include "../../../index/db.h"

/* cmocka setup and teardown: *state is a struct fixture with an open database. */
struct fixture {
	char dir[64];
	struct db *db;
};
int fixture_setup(void **state);
int fixture_teardown(void **state);

void fixture_reopen(struct fixture *f);
char *fixture_path(const struct fixture *f, const char *name);	/* caller frees */
void fixture_remove_dir(const char *dir);

/* A current row of an ordinary file; the caller changes what the test is about. */
struct record fixture_record(uint64_t ino, const char *key);
/* Puts one, with this status. */
void fixture_put(struct db *db, uint64_t ino, const char *key, int status);

/* Rows of ordinary files, from this number on, in one transaction. */
void fixture_put_many(struct db *db, uint64_t first, int n);

/* Runs SQL that spoils the database, and closes it. */
void fixture_change_and_close(struct fixture *f, const char *sql);
/* With bytes that mean nothing. */
void fixture_overwrite(const char *path, off_t at, size_t len);

/* xorshift64: the same numbers in every run. */
uint64_t fixture_random(uint64_t *seed);

#endif
