#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../index/db_private.h"
#include "db_fixture.h"

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/test-db-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(db_open(f->dir, &f->db), 0);
	*state = f;
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void fixture_remove_dir(const char *dir)
{
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	db_close(f->db);
	fixture_remove_dir(f->dir);
	free(f);
	return 0;
}

void fixture_reopen(struct fixture *f)
{
	db_close(f->db);
	f->db = NULL;
	assert_int_equal(db_open(f->dir, &f->db), 0);
}

char *fixture_path(const struct fixture *f, const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", f->dir, name) > 0);
	return path;
}

struct record fixture_record(uint64_t ino, const char *key)
{
	struct record r = {
		.ino = ino,
		.key = strdup(key),
		.current = true,
		.meta = meta_new(),
		.blob = {
			.kind = BLOB_FILE, .id = ino, .stored = 500, .length = 1000,
		},
	};

	assert_non_null(r.key);
	assert_non_null(r.meta);
	r.meta->status = 200;
	r.meta->length = 1000;
	r.meta->usable_until_ms = INT64_MAX;
	return r;
}

void fixture_put(struct db *db, uint64_t ino, const char *key, int status)
{
	struct record r = fixture_record(ino, key);

	r.meta->status = status;
	assert_int_equal(db_put(db, &r), 0);
	record_fini(&r);
}

uint64_t fixture_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

void fixture_put_many(struct db *db, uint64_t first, int n)
{
	char key[64];

	assert_int_equal(db_begin(db), 0);
	for (int i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "https://h/%08llu", (unsigned long long)first + i);
		fixture_put(db, first + i, key, 200);
	}
	assert_int_equal(db_commit(db), 0);
}

void fixture_change_and_close(struct fixture *f, const char *sql)
{
	assert_int_equal(conn_exec(f->db->writer, sql), 0);
	db_close(TAKE_PTR(f->db));
}

void fixture_overwrite(const char *path, off_t at, size_t len)
{
	_cleanup_(cleanup_close) int fd = open(path, O_RDWR);
	_cleanup_(cleanup_free) char *data = malloc(len);

	assert_true(fd >= 0);
	memset(data, 0xa5, len);
	assert_int_equal(pwrite(fd, data, len, at), len);
}
