/* Transactions of thread I, the values and the sums.
 *
 * The sums are stored by the transaction that changed them, so that a start need
 * not count, and become visible to other threads when it is committed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db_private.h"

static int run_simple(struct db *db, enum stmt which, const char *sql)
{
	sqlite3_stmt *s;
	int err;

	err = conn_prepare(db->writer, which, sql, &s);
	return err ? err : conn_run(db->writer, s);
}

static void begun_is_over(struct db *db)
{
	db->in_tx = false;
	db->tx_err = 0;
	if (!sqlite3_get_autocommit(db->writer->sqlite))
		run_simple(db, STMT_ROLLBACK, "ROLLBACK");
}

/* Takes the write lock at once: a transaction that has begun is never refused. */
int db_begin(struct db *db)
{
	sqlite3_stmt *s;
	int err;

	begun_is_over(db);
	err = conn_prepare(db->writer, STMT_BEGIN, "BEGIN IMMEDIATE", &s);
	if (!err)
		err = conn_begin(db->writer, s);
	if (err)
		return err;
	db->in_tx = true;
	db->tx_err = 0;
	return 0;
}

void db_rollback(struct db *db)
{
	begun_is_over(db);
	db_sums(db, &db->pending);
}

/* A full disk or an I/O error can make SQLite roll back by itself. What follows
 * must then not run as if nothing had happened: it would commit one by one. */
static int notice(struct db *db, int err)
{
	if (err && db->in_tx && !db->tx_err && sqlite3_get_autocommit(db->writer->sqlite))
		db->tx_err = err;
	return err;
}

int db_tx_enter(struct db *db, bool *ret_own)
{
	*ret_own = !db->in_tx;
	return *ret_own ? db_begin(db) : db->tx_err;
}

int db_tx_leave(struct db *db, bool own, int err)
{
	if (!own)
		return notice(db, err);
	if (!err)
		return db_commit(db);
	db_rollback(db);
	return err;
}

/* --- values and sums --- */

static int set_value(struct db *db, const char *name, const void *data, size_t len)
{
	sqlite3_stmt *s;
	int err;

	err = conn_prepare(db->writer, STMT_SET_VALUE,
			   "INSERT INTO value (name, data) VALUES (?1, ?2)"
			   " ON CONFLICT (name) DO UPDATE SET data = excluded.data", &s);
	if (err)
		return err;
	stmt_bind_text(s, 1, name);
	if (sqlite3_bind_blob64(s, 2, len ? data : "", len, SQLITE_STATIC)) {
		stmt_resetp(&s);
		return -EFBIG;
	}
	return conn_run(db->writer, s);
}

int db_set_value(struct db *db, const char *name, const void *data, size_t len)
{
	bool own;
	int err;

	err = db_tx_enter(db, &own);
	if (err)
		return err;
	return db_tx_leave(db, own, set_value(db, name, data, len));
}

int db_get_value(struct db *db, const char *name, void **ret, size_t *ret_len)
{
	_cleanup_(stmt_resetp) sqlite3_stmt *s = NULL;
	size_t len;
	char *data;
	int err, n;

	err = conn_prepare(db->writer, STMT_GET_VALUE,
			   "SELECT data FROM value WHERE name = ?1", &s);
	if (err)
		return err;
	stmt_bind_text(s, 1, name);
	n = conn_step(db->writer, s);
	if (n <= 0)
		return n < 0 ? n : -ENOENT;
	len = sqlite3_column_bytes(s, 0);
	data = malloc(len + 1);
	if (!data)
		return -ENOMEM;
	if (len)
		memcpy(data, sqlite3_column_blob(s, 0), len);
	data[len] = 0;
	*ret = data;
	*ret_len = len;
	return 0;
}

int db_each_value(struct db *db, const char *prefix,
		  bool (*each)(void *arg, const char *name, const void *data, size_t len),
		  void *arg)
{
	_cleanup_(stmt_resetp) sqlite3_stmt *s = NULL;
	int err, n;

	err = conn_prepare(db->writer, STMT_EACH_VALUE,
			   "SELECT name, data FROM value WHERE substr(name, 1, length(?1)) = ?1",
			   &s);
	if (err)
		return err;
	stmt_bind_text(s, 1, prefix);
	while ((n = conn_step(db->writer, s)) > 0) {
		const char *name = (const char *)sqlite3_column_text(s, 0);

		if (!name || !each(arg, name, sqlite3_column_blob(s, 1),
				   (size_t)sqlite3_column_bytes(s, 1)))
			break;
	}
	return n < 0 ? n : 0;
}

/* A value of exactly this size. */
static bool load_value(struct db *db, const char *name, void *ret, size_t len)
{
	_cleanup_(cleanup_free) void *data = NULL;
	size_t n;

	if (db_get_value(db, name, &data, &n) || n != len)
		return false;
	memcpy(ret, data, len);
	return true;
}

uint64_t db_inos_noted(struct db *db)
{
	uint64_t limit;

	return load_value(db, "inos", &limit, sizeof(limit)) ? limit : 0;
}

static int count_all(struct db *db, struct db_sums *ret)
{
	sqlite3_stmt *s;
	int rc, n;

	rc = sqlite3_prepare_v2(db->writer->sqlite,
				"SELECT total(" ROW_OBJECTS "), total(" ROW_LOGICAL "),"
				" total(" ROW_STORED ") FROM version", -1, &s, NULL);
	if (rc)
		return db_errno(db->writer->sqlite, rc);
	n = conn_step(db->writer, s);
	if (n > 0) {
		ret->objects = sqlite3_column_int64(s, 0);
		ret->bytes_logical = sqlite3_column_int64(s, 1);
		ret->bytes_stored = sqlite3_column_int64(s, 2);
	}
	sqlite3_finalize(s);
	return n < 0 ? n : 0;
}

int db_sums_load(struct db *db)
{
	struct db_sums sums;
	int err;

	if (!load_value(db, "sums", &sums, sizeof(sums)) || sums.objects < 0 ||
	    sums.bytes_logical < 0 || sums.bytes_stored < 0) {
		err = count_all(db, &sums);
		if (err)
			return err;
	}
	db->pending = sums;
	WITH_LOCK(&db->lock)
		db->sums = sums;
	return 0;
}

int db_recount(struct db *db, bool *ret_wrong)
{
	struct db_sums counted = db->pending;
	int err = count_all(db, &counted);

	if (err)
		return err;
	*ret_wrong = memcmp(&counted, &db->pending, sizeof counted) != 0;
	db->pending = counted;
	return 0;
}

static int store_sums(struct db *db, const struct db_sums *committed)
{
	uint64_t limit = inos_limit(&db->inos);
	int err = 0;

	if (memcmp(committed, &db->pending, sizeof(*committed)))
		err = set_value(db, "sums", &db->pending, sizeof(db->pending));
	if (!err && limit != db->inos_noted)
		err = set_value(db, "inos", &limit, sizeof(limit));
	if (!err)
		db->inos_noted = limit;
	return err;
}

int db_commit(struct db *db)
{
	struct db_sums committed;
	int err = db->tx_err;

	db_sums(db, &committed);
	if (!err)
		err = notice(db, store_sums(db, &committed));
	if (!err)
		err = run_simple(db, STMT_COMMIT, "COMMIT");
	if (err) {
		db_rollback(db);
		db->inos_noted = 0;
		return err;
	}
	db->in_tx = false;
	WITH_LOCK(&db->lock)
		db->sums = db->pending;
	return 0;
}

/* Pages that have been free since many rows went count against the limit of the
 * cache as others do. A share stays for the rows to come; 16 MiB at a time, not to
 * hold up the rest. */
static int give_back(struct conn *c)
{
	int64_t unused, pages;
	int err;

	err = conn_pragma(c, "PRAGMA freelist_count", &unused);
	if (!err)
		err = conn_pragma(c, "PRAGMA page_count", &pages);
	if (err || unused < 256 || unused < pages / 4)
		return err;
	return conn_exec(c, "PRAGMA incremental_vacuum(4096)");
}

int db_checkpoint(struct db *db)
{
	sqlite3 *sqlite = db->writer->sqlite;
	int given, err;

	if (db->in_tx)
		return -EBUSY;
	given = give_back(db->writer);
	/* Not for long: all who wait for a row wait for this. What readers keep it from now it
	 * does next time. */
	sqlite3_busy_timeout(sqlite, CONN_STILL_BUSY_MS);
	err = db_errno(sqlite, sqlite3_wal_checkpoint_v2(sqlite, "main",
							 SQLITE_CHECKPOINT_TRUNCATE,
							 NULL, NULL));
	sqlite3_busy_timeout(sqlite, db->writer->locked ? CONN_STILL_BUSY_MS : CONN_BUSY_MS);
	return err ? err : given;
}
