/* The rows that thread I writes. Every call is part of the transaction that
 * db_begin() began, or one of its own.
 *
 * The sums are kept by difference: a row is subtracted before it is changed and
 * added after. */
#include <errno.h>
#include <string.h>

#include "db_private.h"

static int count_row(struct db *db, uint64_t ino, int sign)
{
	_cleanup_(stmt_resetp) sqlite3_stmt *s = NULL;
	int err, n;

	err = conn_prepare(db->writer, STMT_COUNTED,
			   "SELECT " ROW_OBJECTS ", " ROW_LOGICAL ", " ROW_STORED
			   " FROM version WHERE ino = ?1", &s);
	if (err)
		return err;
	sqlite3_bind_int64(s, 1, ino);
	n = conn_step(db->writer, s);
	if (n > 0) {
		db->pending.objects += sign * sqlite3_column_int64(s, 0);
		db->pending.bytes_logical += sign * sqlite3_column_int64(s, 1);
		db->pending.bytes_stored += sign * sqlite3_column_int64(s, 2);
	}
	return n < 0 ? n : 0;
}

/* Runs a statement that changes the row ino; -ENOENT: there was none. */
static int change(struct db *db, uint64_t ino, sqlite3_stmt *s)
{
	struct db_sums before = db->pending;
	int err;

	err = count_row(db, ino, -1);
	if (!err)
		err = conn_run(db->writer, s);
	else
		stmt_resetp(&s);
	if (!err && !sqlite3_changes(db->writer->sqlite))
		err = -ENOENT;
	if (!err && s != db->writer->stmt[STMT_DELETE] && s != db->writer->stmt[STMT_PUT])
		err = row_set_check(db->writer, ino);
	if (!err)
		err = count_row(db, ino, 1);
	if (err)
		db->pending = before;
	return err;
}

/* prepare() and bind, then change() within a transaction. */
static int change_in_tx(struct db *db, uint64_t ino, int bound, sqlite3_stmt *s)
{
	bool own;
	int err = bound;

	if (!err)
		err = db_tx_enter(db, &own);
	if (err) {
		stmt_resetp(&s);
		return err;
	}
	sqlite3_bind_int64(s, COL_INO + 1, ino);
	return db_tx_leave(db, own, change(db, ino, s));
}

#define SET_META \
	"status = ?4, flags = ?5, length = ?6, mtime_s = ?7, request_ms = ?8," \
	" response_ms = ?9, fresh_until_ms = ?10, swr_until_ms = ?11, sie_until_ms = ?12," \
	" usable_until_ms = ?13, etag = ?22, last_modified = ?23, content_type = ?24," \
	" url = ?25, reason = ?26, headers = ?27, vary_sum = ?29"
#define SET_BLOB \
	"kind = ?14, codec = ?15, blob_id = ?16, blob_offset = ?17, stored = ?18," \
	" blob_length = ?19, sum = ?20, ranges = ?21"
_Static_assert(COL_STATUS + 1 == 4 && COL_USABLE + 1 == 13 && COL_KIND + 1 == 14 &&
	       COL_RANGES + 1 == 21 && COL_ETAG + 1 == 22 && COL_HEADERS + 1 == 27 &&
	       COL_VARY_SUM + 1 == 29,
	       "parameters are numbered as columns");

/* Of the values that are about to be the row: they are stored as they are bound. */
#define SUM \
	"row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17," \
	" ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)"

int db_put(struct db *db, const struct record *r)
{
	sqlite3_stmt *s;
	int err;

	err = conn_prepare(db->writer, STMT_PUT,
			   "INSERT INTO version (" ROW_COLUMNS ", vary_sum, row_check) VALUES (?1, ?2, ?3, ?4,"
			   " ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
			   " ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?29, " SUM ")"
			   " ON CONFLICT (ino) DO UPDATE SET key = ?2, current = ?3,"
			   " " SET_META ", " SET_BLOB ", row_check = " SUM, &s);
	if (err)
		return err;
	db_filter_add(db, r->key);
	sqlite3_bind_int(s, COL_CURRENT + 1, r->current);
	if (stmt_bind_text(s, COL_KEY + 1, r->key))
		err = -EFBIG;
	if (!err)
		err = row_bind_meta(s, r->meta);
	if (!err)
		err = row_bind_blob(s, &r->blob, r->ranges);
	return change_in_tx(db, r->ino, err, s);
}

int db_set_meta(struct db *db, uint64_t ino, const struct meta *m)
{
	sqlite3_stmt *s;
	int err;

	err = conn_prepare(db->writer, STMT_SET_META,
			   "UPDATE version SET " SET_META " WHERE ino = ?1", &s);
	if (err)
		return err;
	return change_in_tx(db, ino, row_bind_meta(s, m), s);
}

int db_set_blob(struct db *db, uint64_t ino, const struct blob *b, const char *ranges)
{
	sqlite3_stmt *s;
	int err;

	err = conn_prepare(db->writer, STMT_SET_BLOB,
			   "UPDATE version SET " SET_BLOB " WHERE ino = ?1", &s);
	if (err)
		return err;
	return change_in_tx(db, ino, row_bind_blob(s, b, ranges), s);
}

int db_set_current(struct db *db, uint64_t ino, bool current)
{
	sqlite3_stmt *s;
	int err;

	err = conn_prepare(db->writer, STMT_SET_CURRENT,
			   "UPDATE version SET current = ?3 WHERE ino = ?1", &s);
	if (err)
		return err;
	sqlite3_bind_int(s, COL_CURRENT + 1, current);
	return change_in_tx(db, ino, 0, s);
}

int db_delete(struct db *db, uint64_t ino)
{
	sqlite3_stmt *s;
	int err;

	err = conn_prepare(db->writer, STMT_DELETE, "DELETE FROM version WHERE ino = ?1", &s);
	if (!err)
		err = change_in_tx(db, ino, 0, s);
	return err == -ENOENT ? 0 : err;
}

static int declare(struct db *db, const char *key, bool declared)
{
	sqlite3_stmt *s;
	int err;

	if (declared)
		db_filter_add(db, key);
	if (declared)
		err = conn_prepare(db->writer, STMT_DECLARE,
				   "INSERT INTO declared (key) VALUES (?1)"
				   " ON CONFLICT DO NOTHING", &s);
	else
		err = conn_prepare(db->writer, STMT_UNDECLARE,
				   "DELETE FROM declared WHERE key = ?1", &s);
	if (err)
		return err;
	if (stmt_bind_text(s, 1, key)) {
		stmt_resetp(&s);
		return -EFBIG;
	}
	return conn_run(db->writer, s);
}

int db_declare(struct db *db, const char *key, bool declared)
{
	bool own;
	int err;

	err = db_tx_enter(db, &own);
	if (err)
		return err;
	return db_tx_leave(db, own, declare(db, key, declared));
}

int db_find_written(struct db *db, uint64_t ino, struct record *ret)
{
	return row_find_ino(db->writer, ino, ret);
}
