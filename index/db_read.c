#include "db_private.h"

#include <errno.h>
#include <string.h>

int db_find_key(struct db *db, const char *key, struct record *ret)
{
	struct conn *c;
	int err;

	if (db_filter_says_no(db, key))
		return -ENOENT;
	err = db_borrow(db, &c);
	if (err)
		return err;
	err = row_find_key(c, key, ret);
	db_return(db, c);
	return err;
}

int db_find_ino(struct db *db, uint64_t ino, struct record *ret)
{
	struct conn *c;
	int err;

	err = db_borrow(db, &c);
	if (err)
		return err;
	err = row_find_ino(c, ino, ret);
	db_return(db, c);
	return err;
}

/* Where the keys that begin with prefix (it ends in '/') end in the tree: those
 * with P/ before P\x01, those with P?q/ before P?q0. */
static int below_end(const char *prefix, char **ret)
{
	char *end = strdup(prefix);

	if (!end)
		return -ENOMEM;
	end[strlen(end) - 1] = strchr(prefix, '?') ? '/' + 1 : DB_TREE_BEHIND;
	*ret = end;
	return 0;
}

/* Whether there is a row between ?1 and ?2. */
static int exists_between(struct conn *c, enum stmt which, const char *sql,
			  const char *first, const char *end)
{
	_cleanup_(stmt_resetp) sqlite3_stmt *s = NULL;
	int err, n;

	err = conn_prepare(c, which, sql, &s);
	if (err)
		return err;
	if (stmt_bind_text(s, 1, first) || stmt_bind_text(s, 2, end))
		return -EFBIG;
	n = conn_step(c, s);
	if (n < 0)
		return n;
	return n ? 0 : -ENOENT;
}

int db_has_below(struct db *db, const char *prefix)
{
	_cleanup_(cleanup_free) char *end = NULL;
	struct conn *c;
	int err;

	if (db_filter_says_no(db, prefix))
		return -ENOENT;
	err = below_end(prefix, &end);
	if (!err)
		err = db_borrow(db, &c);
	if (err)
		return err;
	err = exists_between(c, STMT_DECLARED_BELOW,
			     "SELECT 1 FROM declared WHERE key >= ?1 AND key < ?2 LIMIT 1",
			     prefix, end);
	if (err == -ENOENT)
		err = exists_between(c, STMT_FIRST_BELOW,
				     "SELECT 1 FROM version INDEXED BY version_key"
				     " WHERE current = 1 AND key " DB_TREE " >= ?1"
				     " AND key " DB_TREE " < ?2"
				     " AND status BETWEEN 200 AND 299 LIMIT 1",
				     prefix, end);
	db_return(db, c);
	return err;
}

static int is_declared(struct conn *c, const char *key)
{
	_cleanup_(stmt_resetp) sqlite3_stmt *s = NULL;
	int err, n;

	err = conn_prepare(c, STMT_IS_DECLARED, "SELECT 1 FROM declared WHERE key = ?1", &s);
	if (err)
		return err;
	if (stmt_bind_text(s, 1, key))
		return -EFBIG;
	n = conn_step(c, s);
	if (n < 0)
		return n;
	return n ? 0 : -ENOENT;
}

int db_is_declared(struct db *db, const char *key)
{
	struct conn *c;
	int err;

	if (db_filter_says_no(db, key))
		return -ENOENT;
	err = db_borrow(db, &c);
	if (err)
		return err;
	err = is_declared(c, key);
	db_return(db, c);
	return err;
}

/* --- checking --- */

static int check_all(struct conn *c)
{
	sqlite3_stmt *s;
	bool ok;
	int rc, n;

	rc = sqlite3_prepare_v2(c->sqlite, "PRAGMA integrity_check(1)", -1, &s, NULL);
	if (rc)
		return db_errno(c->sqlite, rc);
	n = conn_step(c, s);
	ok = n > 0 && !strcmp((const char *)sqlite3_column_text(s, 0), "ok");
	sqlite3_finalize(s);
	if (n < 0)
		return n;
	return ok ? 0 : -EBADMSG;
}

int db_check(struct db *db)
{
	struct conn *c;
	int err;

	err = db_borrow(db, &c);
	if (err)
		return err;
	err = check_all(c);
	db_return(db, c);
	return err;
}

static int next_rows(struct conn *c, uint64_t after, struct record *rows, size_t cap,
		     size_t *n)
{
	_cleanup_(stmt_resetp) sqlite3_stmt *s = NULL;
	int err, more = 0;

	err = conn_prepare(c, STMT_NEXT_ROWS,
			   "SELECT " ROW_SELECT " FROM version WHERE ino > ?1"
			   " ORDER BY ino LIMIT ?2", &s);
	if (err)
		return err;
	sqlite3_bind_int64(s, 1, after);
	sqlite3_bind_int64(s, 2, cap);
	while (!err && *n < cap && (more = conn_step(c, s)) > 0) {
		err = row_read(s, &rows[*n]);
		if (err == -EBADMSG) {
			rows[*n] = (struct record){ .ino = sqlite3_column_int64(s, COL_INO) };
			err = 0;
		}
		*n += !err;
	}
	return err ? err : more < 0 ? more : 0;
}

int db_next_rows(struct db *db, uint64_t after, struct record *rows, size_t cap,
		 size_t *ret_n)
{
	struct conn *c;
	size_t n = 0;
	int err;

	err = db_borrow(db, &c);
	if (err)
		return err;
	err = next_rows(c, after, rows, cap, &n);
	db_return(db, c);
	if (err)
		while (n)
			record_fini(&rows[--n]);
	else
		*ret_n = n;
	return err;
}

static int next_in_segment(struct conn *c, uint64_t segment, struct db_place *after,
			   struct record *rows, size_t cap, size_t *n)
{
	_cleanup_(stmt_resetp) sqlite3_stmt *s = NULL;
	int err, more;

	err = conn_prepare(c, STMT_NEXT_IN_SEGMENT,
			   "SELECT " ROW_SELECT " FROM version INDEXED BY version_segment"
			   " WHERE kind = 3 AND blob_id = ?1 AND (stored, ino) > (?2, ?3)"
			   " ORDER BY stored, ino LIMIT ?4", &s);
	if (err)
		return err;
	sqlite3_bind_int64(s, 1, segment);
	sqlite3_bind_int64(s, 2, after->stored);
	sqlite3_bind_int64(s, 3, after->ino);
	sqlite3_bind_int64(s, 4, cap);
	while (*n < cap && (more = conn_step(c, s)) > 0) {
		after->stored = sqlite3_column_int64(s, COL_STORED);
		after->ino = sqlite3_column_int64(s, COL_INO);
		err = row_read(s, &rows[*n]);
		if (err == -EBADMSG)
			continue;	/* whoever looks for it finds out */
		if (err)
			return err;
		++*n;
	}
	return *n < cap ? more : 0;
}

int db_next_in_segment(struct db *db, uint64_t segment, struct db_place *after,
		       struct record *rows, size_t cap, size_t *ret_n)
{
	struct conn *c;
	size_t n = 0;
	int err;

	err = db_borrow(db, &c);
	if (err)
		return err;
	err = next_in_segment(c, segment, after, rows, cap, &n);
	db_return(db, c);
	*ret_n = n;
	return err;
}
