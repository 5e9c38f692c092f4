/* Walks of thread I over rows, in pages: no statement is open while `each` runs,
 * so it may write. A page goes on behind the last row of the one before, by value
 * (ino, or key, or time): rows that came or went meanwhile do no harm. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "db_private.h"

#define FIRST_PAGE 16	/* rows: many walks end soon; then twice as many, up to: */
#define PAGE 256

struct walk {
	enum stmt which;
	const char *sql;	/* ?1 .. ?3 as bind says; at most ?9 rows */
	int (*bind)(sqlite3_stmt *s, const struct walk *w);
	bool current;		/* only rows that are current */
	int64_t ino;		/* of the last row seen */
	int64_t (*order)(const struct record *r);	/* NULL: by ino alone, or by key */
	int64_t last;		/* order() of the last row seen */
	int64_t limit;		/* what the walk is about */
	const char *prefix;
	char *key;		/* of the last row seen; owned */
};

struct page {
	struct record row[PAGE];
	unsigned n, size;	/* rows that are there, that were asked for */
};

static void page_clear(struct page *p)
{
	while (p->n)
		record_fini(&p->row[--p->n]);
}

static void page_freep(struct page **p)
{
	if (*p)
		page_clear(*p);
	free(*p);
}

static int read_page(struct db *db, const struct walk *w, struct page *p)
{
	_cleanup_(stmt_resetp) sqlite3_stmt *s = NULL;
	int err, n;

	err = conn_prepare(db->writer, w->which, w->sql, &s);
	if (err)
		return err;
	err = w->bind(s, w);
	if (err)
		return err;
	sqlite3_bind_int(s, 9, p->size);
	while ((n = conn_step(db->writer, s)) > 0) {
		err = row_read(s, &p->row[p->n]);
		if (err)
			return err;
		p->n++;
	}
	return n;
}

/* Where the next page goes on. */
static int remember(struct walk *w, const struct record *last)
{
	w->ino = last->ino;
	if (w->order)
		w->last = w->order(last);
	if (!w->prefix)
		return 0;
	free(w->key);
	w->key = strdup(last->key);
	return w->key ? 0 : -ENOMEM;
}

/* Brings r up to date if anything was written since the page was read. -ENOENT:
 * the row is no more. */
static int refresh(struct db *db, const struct walk *w, int64_t *changes, struct record *r)
{
	int64_t now = sqlite3_total_changes64(db->writer->sqlite);
	struct record fresh;
	int err;

	if (now == *changes)
		return 0;
	err = row_find_ino(db->writer, r->ino, &fresh);
	if (err)
		return err;
	record_fini(r);
	*r = fresh;
	return w->current && !r->current ? -ENOENT : 0;
}

/* 1: go on, 0: enough. */
static int tell(struct db *db, const struct walk *w, struct page *p, int64_t changes,
		db_each *each, void *arg)
{
	for (unsigned i = 0; i < p->n; i++) {
		struct record *r = &p->row[i];
		int err;

		if (w->prefix && strncmp(r->key, w->prefix, strlen(w->prefix)))
			return 0;
		err = refresh(db, w, &changes, r);
		if (err == -ENOENT)
			continue;
		if (err)
			return err;
		if (!each(arg, r))
			return 0;
	}
	return 1;
}

static int run(struct db *db, struct walk *w, db_each *each, void *arg)
{
	_cleanup_(page_freep) struct page *p = calloc(1, sizeof(*p));
	int64_t changes;
	bool full;
	int err;

	if (!p)
		return -ENOMEM;
	p->size = FIRST_PAGE / 2;
	do {
		page_clear(p);
		if (p->size < PAGE)
			p->size *= 2;
		changes = sqlite3_total_changes64(db->writer->sqlite);
		err = read_page(db, w, p);
		if (err || !p->n)
			return err;
		full = p->n == p->size;
		err = remember(w, &p->row[p->n - 1]);
		if (!err)
			err = tell(db, w, p, changes, each, arg);
	} while (err > 0 && full);
	return err < 0 ? err : 0;
}

int db_each_current_of(struct db *db, const char *key, db_each *each, void *arg)
{
	_cleanup_(record_fini) struct record r = { 0 };
	int err;

	err = row_find_key(db->writer, key, &r);
	if (!err)
		each(arg, &r);
	return err == -ENOENT ? 0 : err;
}

/* --- the walks --- */

static int bind_ino(sqlite3_stmt *s, const struct walk *w)
{
	sqlite3_bind_int64(s, 1, w->ino);
	sqlite3_bind_int64(s, 2, w->limit);
	return 0;
}

static int bind_order(sqlite3_stmt *s, const struct walk *w)
{
	sqlite3_bind_int64(s, 3, w->last);
	return bind_ino(s, w);
}

static int64_t by_usable(const struct record *r)
{
	return r->meta->usable_until_ms;
}

static int64_t by_stored(const struct record *r)
{
	return r->blob.stored;
}

/* The first page begins at the prefix, the others behind a key; ?2 says which. */
static int bind_prefix(sqlite3_stmt *s, const struct walk *w)
{
	sqlite3_bind_int(s, 2, w->key != NULL);
	return stmt_bind_text(s, 1, w->key ? w->key : w->prefix) ? -EFBIG : 0;
}

#define SELECT "SELECT " ROW_SELECT " FROM version "

int db_each_prefix(struct db *db, const char *prefix, db_each *each, void *arg)
{
	struct walk w = {
		.which = STMT_EACH_PREFIX,
		.sql = SELECT "INDEXED BY version_key WHERE current = 1"
		       " AND key " DB_TREE " >= ?1 AND (?2 = 0 OR key <> ?1)"
		       " ORDER BY key " DB_TREE " LIMIT ?9",
		.bind = bind_prefix, .prefix = prefix, .current = true,
	};
	int err;

	err = run(db, &w, each, arg);
	free(w.key);
	return err;
}

int db_each_useless(struct db *db, int64_t now_ms, db_each *each, void *arg)
{
	struct walk w = {
		.which = STMT_EACH_USELESS,
		.sql = SELECT "INDEXED BY version_usable"
		       " WHERE usable_until_ms < 9223372036854775807"
		       " AND usable_until_ms < ?2"
		       " AND (usable_until_ms, ino) > (?3, ?1)"
		       " ORDER BY usable_until_ms, ino LIMIT ?9",
		.bind = bind_order, .order = by_usable,
		.limit = now_ms, .last = INT64_MIN, .ino = -1,
	};

	return run(db, &w, each, arg);
}

int db_each_from(struct db *db, uint64_t from, db_each *each, void *arg)
{
	struct walk w = {
		.which = STMT_EACH_FROM,
		.sql = SELECT "WHERE ino > ?1 ORDER BY ino LIMIT ?9",
		.bind = bind_ino, .ino = (int64_t)from - 1,
	};

	return run(db, &w, each, arg);
}

int db_each_leftover(struct db *db, uint64_t below, db_each *each, void *arg)
{
	struct walk w = {
		.which = STMT_EACH_LEFTOVER,
		.sql = SELECT "INDEXED BY version_leftover WHERE (current = 0 OR kind = 1)"
		       " AND ino > ?1 AND ino < ?2 ORDER BY ino LIMIT ?9",
		.bind = bind_ino, .ino = -1, .limit = below,
	};

	return run(db, &w, each, arg);
}

int db_each_in_segment(struct db *db, uint64_t segment, db_each *each, void *arg)
{
	struct walk w = {
		.which = STMT_EACH_IN_SEGMENT,
		.sql = SELECT "INDEXED BY version_segment WHERE kind = 3"
		       " AND blob_id = ?2 AND (stored, ino) > (?3, ?1)"
		       " ORDER BY stored, ino LIMIT ?9",
		.bind = bind_order, .order = by_stored,
		.limit = segment, .last = INT64_MIN, .ino = -1,
	};

	return run(db, &w, each, arg);
}

/* --- a view: a connection of its own, within a read transaction --- */

int db_view_open(struct db *db, struct db_view **ret)
{
	struct conn *c;
	int err;

	err = db_borrow(db, &c);
	if (err)
		return err;
	/* It is of the moment of its first read. */
	err = conn_exec(c, "BEGIN; SELECT 1 FROM version LIMIT 1");
	if (err) {
		db_view_close(db, (struct db_view *)c);
		return err;
	}
	*ret = (struct db_view *)c;
	return 0;
}

void db_view_close(struct db *db, struct db_view *view)
{
	struct conn *c = (struct conn *)view;

	if (!c)
		return;
	if (!sqlite3_get_autocommit(c->sqlite))
		conn_exec(c, "ROLLBACK");
	db_return(db, c);
}

int db_segments(struct db_view *view, void (*each)(void *arg, uint64_t segment, uint64_t bytes),
		void *arg)
{
	_cleanup_(stmt_resetp) sqlite3_stmt *s = NULL;
	struct conn *c = (struct conn *)view;
	int err, n;

	err = conn_prepare(c, STMT_SEGMENTS,
			   "SELECT blob_id, sum(stored) FROM version INDEXED BY version_segment"
			   " WHERE kind = 3 GROUP BY blob_id ORDER BY blob_id", &s);
	if (err)
		return err;
	while ((n = conn_step(c, s)) > 0)
		each(arg, sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1));
	return n;
}
