#include "db_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* Another process may look into the database (sqlite3, a backup) and hold a lock
 * for a moment. */

static int errno_of_io(sqlite3 *sqlite, int rc)
{
	int err = sqlite ? sqlite3_system_errno(sqlite) : 0;

	if (rc == SQLITE_IOERR_NOMEM)
		return -ENOMEM;
	if (rc == SQLITE_IOERR_CORRUPTFS || rc == SQLITE_IOERR_DATA)
		return -EBADMSG;
	/* SQLite says FULL for write() alone, not for ftruncate() or the shm file. */
	if (err == ENOSPC || err == EDQUOT)
		return -ENOSPC;
	return -EIO;
}

int db_errno(sqlite3 *sqlite, int rc)
{
	int err;

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
		return -EBADMSG;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_TOOBIG:
	case SQLITE_NOLFS:
		return -EFBIG;
	case SQLITE_INTERRUPT:
		return -EINTR;
	case SQLITE_CANTOPEN:
		err = sqlite ? sqlite3_system_errno(sqlite) : 0;
		return err > 0 ? -err : -EIO;
	case SQLITE_MISMATCH:
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
		return -EINVAL;
	default:
		return errno_of_io(sqlite, rc);
	}
}

/* No mmap_size: a disk error would be a SIGBUS. A WAL that grew in a burst is
 * cut back to 4 MiB. */
static int set_up(struct conn *c, bool writable)
{
	int rc;

	sqlite3_extended_result_codes(c->sqlite, 1);
	sqlite3_busy_timeout(c->sqlite, CONN_BUSY_MS);
	rc = sqlite3_create_collation_v2(c->sqlite, "tree", SQLITE_UTF8, NULL,
					 db_tree_compare, NULL);
	if (!rc && writable)
		rc = sqlite3_create_function_v2(c->sqlite, "row_sum", COL_CHECK,
						SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
						row_sum_function, NULL, NULL, NULL);
	if (rc)
		return db_errno(c->sqlite, rc);
	if (!writable)
		return conn_exec(c, "PRAGMA cache_size = -4096; PRAGMA temp_store = memory");
	if (sqlite3_db_readonly(c->sqlite, "main") == 1)
		return -EROFS;
	return conn_exec(c,
			 "PRAGMA page_size = 4096;"
			 "PRAGMA auto_vacuum = incremental;"
			 "PRAGMA journal_mode = wal;"
			 "PRAGMA synchronous = normal;"
			 "PRAGMA journal_size_limit = 4194304;"
			 "PRAGMA cache_size = -8192;"
			 "PRAGMA temp_store = memory");
}

int conn_open(const char *path, bool writable, struct conn **ret)
{
	int flags = writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
			     : SQLITE_OPEN_READONLY;
	struct conn *c = calloc(1, sizeof(*c));
	int rc, err;

	if (!c)
		return -ENOMEM;
	list_init(&c->idle);
	rc = sqlite3_open_v2(path, &c->sqlite, flags | SQLITE_OPEN_NOMUTEX, NULL);
	err = rc ? db_errno(c->sqlite, rc) : set_up(c, writable);
	/* It may say itself that only later versions of SQLite can write it: it does not
	 * unless a bit flipped (SQLite's file format, 1.3.3). */
	if (err == -EROFS && writable && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0)
		err = -EBADMSG;
	if (err) {
		conn_close(c);
		return err;
	}
	c->writable = writable;
	c->owner = pthread_self();
	*ret = c;
	return 0;
}

int conn_begin(struct conn *c, sqlite3_stmt *s)
{
	int err = conn_run(c, s);
	bool locked = err == -EBUSY;

	if (locked != c->locked)
		sqlite3_busy_timeout(c->sqlite, locked ? CONN_STILL_BUSY_MS : CONN_BUSY_MS);
	c->locked = locked;
	return err;
}

void conn_close(struct conn *c)
{
	if (!c)
		return;
	for (int i = 0; i < STMT_N; i++)
		sqlite3_finalize(c->stmt[i]);
	sqlite3_close(c->sqlite);
	free(c);
}

/* Closing the last connection would delete the WAL by its name, which by now is that
 * of another database. */
void conn_abandon(struct conn *c)
{
	sqlite3_db_config(c->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	conn_close(c);
}

/* Our SQL is right, so when it makes no sense a table, column or index is missing, or the
 * file says that its format is another. */
static int errno_of_sql(struct conn *c, int rc)
{
	return rc == SQLITE_ERROR ? -EBADMSG : db_errno(c->sqlite, rc);
}

static int prepare(struct conn *c, const char *sql, unsigned flags, sqlite3_stmt **ret)
{
	return errno_of_sql(c, sqlite3_prepare_v3(c->sqlite, sql, -1, flags, ret, NULL));
}

int conn_prepare(struct conn *c, enum stmt which, const char *sql, sqlite3_stmt **ret)
{
	int err;

	assert(!c->writable || pthread_equal(c->owner, pthread_self()));
	if (!c->stmt[which]) {
		err = prepare(c, sql, SQLITE_PREPARE_PERSISTENT, &c->stmt[which]);
		if (err)
			return err;
	}
	*ret = c->stmt[which];
	return 0;
}

int conn_step(struct conn *c, sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);

	if (rc == SQLITE_ROW)
		return 1;
	return db_errno(c->sqlite, rc);
}

int conn_run(struct conn *c, sqlite3_stmt *s)
{
	int n;

	do
		n = conn_step(c, s);
	while (n > 0);
	stmt_resetp(&s);
	return n;
}

int conn_exec(struct conn *c, const char *sql)
{
	return errno_of_sql(c, sqlite3_exec(c->sqlite, sql, NULL, NULL, NULL));
}

int conn_pragma(struct conn *c, const char *sql, int64_t *ret)
{
	sqlite3_stmt *s;
	int err, n;

	err = prepare(c, sql, 0, &s);
	if (err)
		return err;
	n = conn_step(c, s);
	if (n > 0)
		*ret = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	if (n < 0)
		return n;
	return n ? 0 : -ENOENT;
}

void stmt_resetp(sqlite3_stmt **s)
{
	if (!*s)
		return;
	sqlite3_reset(*s);
	sqlite3_clear_bindings(*s);
}

int stmt_bind_text(sqlite3_stmt *s, int column, const char *text)
{
	return sqlite3_bind_text(s, column, text, -1, SQLITE_STATIC);
}
