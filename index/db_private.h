/* db_private.h - what the files of db share: connections, rows, the schema.
 *
 * db.c opens and closes, db_conn.c is one connection, db_schema.c the tables,
 * db_row.c a row and its columns, db_read.c and db_list.c what any thread asks,
 * db_tx.c, db_write.c and db_each.c what thread I does, db_inos.c inode numbers. */
#ifndef INDEX_DB_PRIVATE_H
#define INDEX_DB_PRIVATE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/list.h"
#include "db.h"
#include "key_filter.h"

/* --- one connection (db_conn.c): used by one thread at a time --- */

/* A statement is prepared once per connection, at its first use. */
enum stmt {
	STMT_BEGIN_READ, STMT_END_READ,
	STMT_FIND_KEY, STMT_FIND_INO, STMT_FIRST_BELOW, STMT_DECLARED_BELOW,
	STMT_IS_DECLARED, STMT_LIST, STMT_LIST_DECLARED, STMT_NEXT_ROWS, STMT_NEXT_IN_SEGMENT,
	STMT_SEGMENTS,
	STMT_BEGIN, STMT_COMMIT, STMT_ROLLBACK,
	STMT_COUNTED, STMT_CHECK, STMT_PUT, STMT_SET_META, STMT_SET_BLOB, STMT_SET_CURRENT,
	STMT_DELETE, STMT_DECLARE, STMT_UNDECLARE, STMT_GET_VALUE, STMT_EACH_VALUE, STMT_SET_VALUE,
	STMT_EACH_PREFIX, STMT_EACH_USELESS, STMT_EACH_FROM, STMT_EACH_LEFTOVER,
	STMT_EACH_IN_SEGMENT,
	STMT_N
};

#define CONN_BUSY_MS 2000		/* how long another process may hold the database */
#define CONN_STILL_BUSY_MS 20		/* once that was in vain */

struct conn {
	struct list idle;		/* the pool's while nobody uses it */
	unsigned generation;		/* of the database that it was opened on */
	bool writable;
	bool locked;			/* by another process, when it was to begin last */
	pthread_t owner;		/* of the writable one: nobody else may use it */
	sqlite3 *sqlite;
	sqlite3_stmt *stmt[STMT_N];	/* NULL: not prepared yet */
};

/* The one translation of SQLite's codes; 0 for success, ROW and DONE. sqlite
 * (may be NULL) knows the errno of the system call that failed. */
int db_errno(sqlite3 *sqlite, int rc);

int conn_open(const char *path, bool writable, struct conn **ret);
void conn_close(struct conn *c);		/* NULL does nothing */
void conn_abandon(struct conn *c);		/* closes it; its file has another name now */
int conn_prepare(struct conn *c, enum stmt which, const char *sql, sqlite3_stmt **ret);
int conn_step(struct conn *c, sqlite3_stmt *s);	/* 1: a row, 0: no more, -errno */
int conn_run(struct conn *c, sqlite3_stmt *s);	/* steps to the end and resets */
/* The same for what begins a transaction. While another process holds the database only the
 * first waits for it: there is one batch after the other, and readers behind each. Until one
 * begins again nothing on this connection waits for long. */
int conn_begin(struct conn *c, sqlite3_stmt *s);
int conn_exec(struct conn *c, const char *sql);	/* SQL without results */
int conn_pragma(struct conn *c, const char *sql, int64_t *ret);	/* one number */

/* For _cleanup_: a statement that is not reset keeps its read transaction. */
void stmt_resetp(sqlite3_stmt **s);
/* Text borrowed until the statement is reset; NULL stays NULL. */
int stmt_bind_text(sqlite3_stmt *s, int column, const char *text);

/* --- the schema (db_schema.c) --- */

/* Makes or migrates the tables. -EPROTO (logged): another program's database,
 * or one of a later version. */
int db_schema_migrate(struct conn *c);

/* The order of keys. As bytes, but '/' comes first (until a '?', behind which it
 * is like any other): so a name, all that is below it and the next name follow
 * each other, and names come in byte order. */
#define DB_TREE "COLLATE tree"
int db_tree_compare(void *unused, int a_len, const void *a, int b_len, const void *b);
/* Behind the key KEY and all that is below it, before everything else: KEY\x01. */
#define DB_TREE_BEHIND '\x01'

/* --- rows (db_row.c) --- */

/* In the order of enum column. A parameter has the number of its column + 1. */
#define ROW_COLUMNS \
	"ino, key, current, status, flags, length, mtime_s, request_ms, response_ms, " \
	"fresh_until_ms, swr_until_ms, sie_until_ms, usable_until_ms, kind, codec, " \
	"blob_id, blob_offset, stored, blob_length, sum, ranges, etag, last_modified, " \
	"content_type, url, reason, headers"

/* And the sum over all of them, as column COL_CHECK: a bit that flips in a row must
 * not show one body under the name of another. */
#define ROW_SELECT ROW_COLUMNS ", row_check, vary_sum"

enum column {
	COL_INO, COL_KEY, COL_CURRENT, COL_STATUS, COL_FLAGS, COL_LENGTH, COL_MTIME,
	COL_REQUEST, COL_RESPONSE, COL_FRESH, COL_SWR, COL_SIE, COL_USABLE, COL_KIND,
	COL_CODEC, COL_BLOB_ID, COL_BLOB_OFFSET, COL_STORED, COL_BLOB_LENGTH, COL_SUM,
	COL_RANGES, COL_ETAG, COL_LAST_MODIFIED, COL_CONTENT_TYPE, COL_URL, COL_REASON,
	COL_HEADERS, COL_CHECK,
	/* Younger than the sum, which need not hold it: a wrong one matches no request. */
	COL_VARY_SUM,
};

int row_read(sqlite3_stmt *s, struct record *ret);
int row_verify(sqlite3_stmt *s);		/* 0 or -EBADMSG; row_read() does it */
int row_set_check(struct conn *c, uint64_t ino);	/* after its row was written */
/* The SQL function row_sum(column, ...). */
void row_sum_function(sqlite3_context *context, int n, sqlite3_value **values);
int row_read_meta(sqlite3_stmt *s, struct meta **ret);
int row_bind_meta(sqlite3_stmt *s, const struct meta *m);
int row_bind_blob(sqlite3_stmt *s, const struct blob *b, const char *ranges);
/* Both of them on any connection; -ENOENT. */
int row_find_key(struct conn *c, const char *key, struct record *ret);
int row_find_ino(struct conn *c, uint64_t ino, struct record *ret);

/* --- inode numbers (db_inos.c) --- */

struct inos {
	pthread_mutex_t lock;
	int fd;			/* index.inos */
	uint64_t next, limit;	/* guarded by lock; [next, limit) were taken from disk */
};

/* at_least: numbers below may have been used. */
int inos_open(struct inos *inos, const char *dir, uint64_t at_least);
void inos_close(struct inos *inos);
/* If its file was deleted: another one, beside the database. 0 or -errno. */
int inos_reopen(struct inos *inos, const char *db_path);
int inos_take(struct inos *inos, uint32_t n, uint64_t *ret_first);
uint64_t inos_limit(struct inos *inos);

/* --- what is certainly not there (db_filter.c) --- */

#define DB_FILTERS 24		/* each at least twice as large as the one before */

void db_filter_add(struct db *db, const char *key);	/* the writer: before it is committed */
bool db_filter_says_no(struct db *db, const char *key);	/* any thread */
void db_filters_free(struct db *db);

/* --- all of it --- */

struct db {
	char *path;			/* DIR/index.db */
	struct inos inos;

	/* Stored first in filter, then cleared in filling; read the other way round. */
	_Atomic(struct key_filter *) filling;	/* takes what is written */
	_Atomic(struct key_filter *) filter;	/* asked */
	struct key_filter *filters[DB_FILTERS];	/* all there ever were: somebody may ask one;
						 * the writer's */
	unsigned n_filters;
	bool was_damaged;		/* constant */

	pthread_mutex_t lock;		/* leaf */
	struct list idle;		/* guarded by lock; struct conn, for reading */
	unsigned n_idle;		/* guarded by lock */
	unsigned generation;		/* guarded by lock; grows when it is begun anew */
	struct db_sums sums;		/* guarded by lock; as committed */

	/* Thread I only. */
	struct conn *writer;
	dev_t device;			/* of the file that writer has open */
	ino_t inode;
	bool in_tx;
	int tx_err;			/* SQLite gave the transaction up: what for */
	struct db_sums pending;		/* sums as of this transaction */
	uint64_t inos_noted;		/* inos_limit() as the table `value` has it */
};

/* A connection to read with. Any thread. Never waits: when all of the pool are
 * in use another one is opened. */
int db_borrow(struct db *db, struct conn **ret);
void db_return(struct db *db, struct conn *c);

/* What a row adds: `current`, status, kind, blob_length and stored. The bytes of a
 * body that is there in part are stored plain, so they are those of the file. */
#define ROW_OBJECTS "(current = 1 AND status BETWEEN 200 AND 299)"
#define ROW_LOGICAL "(CASE kind WHEN 2 THEN stored WHEN 3 THEN blob_length" \
		    " WHEN 4 THEN blob_length ELSE 0 END)"
#define ROW_STORED "(CASE kind WHEN 2 THEN stored WHEN 3 THEN stored" \
		   " WHEN 4 THEN stored ELSE 0 END)"
_Static_assert(BLOB_PARTIAL == 2 && BLOB_SEGMENT == 3 && BLOB_FILE == 4, "as counted");

/* Around a write (db_tx.c): begins a transaction if there is none, and ends it
 * if it was begun for this alone. leave returns err, or that of the commit. */
int db_tx_enter(struct db *db, bool *ret_own);
int db_tx_leave(struct db *db, bool own, int err);

/* Sums as they were stored, or counted when those make no sense. */
int db_sums_load(struct db *db);
/* The limit of inode numbers that the values of the database remember; 0: none. */
uint64_t db_inos_noted(struct db *db);

#endif
