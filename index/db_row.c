#include "db_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "short_headers.h"

void record_fini(struct record *r)
{
	free(r->key);
	free(r->ranges);
	meta_unref(r->meta);
	*r = (struct record){ 0 };
}

/* NULL stays NULL. */
static int read_text(sqlite3_stmt *s, enum column column, char **ret)
{
	const char *text;

	if (sqlite3_column_type(s, column) == SQLITE_NULL) {
		*ret = NULL;
		return 0;
	}
	text = (const char *)sqlite3_column_text(s, column);
	*ret = text ? strdup(text) : NULL;
	return *ret ? 0 : -ENOMEM;
}

/* All other columns of m were read. */
static int read_headers(sqlite3_stmt *s, struct meta *m)
{
	const char *text = (const char *)sqlite3_column_text(s, COL_HEADERS);

	if (!text)
		return sqlite3_column_type(s, COL_HEADERS) == SQLITE_NULL ? -EBADMSG : -ENOMEM;
	m->headers = short_headers_restore(m, text);
	return m->headers ? 0 : -ENOMEM;
}

static int read_strings(sqlite3_stmt *s, struct meta *m)
{
	int err;

	err = read_text(s, COL_ETAG, &m->etag);
	if (!err)
		err = read_text(s, COL_LAST_MODIFIED, &m->last_modified);
	if (!err)
		err = read_text(s, COL_CONTENT_TYPE, &m->content_type);
	if (!err)
		err = read_text(s, COL_URL, &m->url);
	if (!err)
		err = read_text(s, COL_REASON, &m->reason);
	if (!err && !m->reason)
		err = -EBADMSG;
	return err ? err : read_headers(s, m);
}

/* Most often there is no such time of its own: NULL stands for fresh_until_ms. */
static int64_t read_time(sqlite3_stmt *s, enum column column, const struct meta *m)
{
	if (sqlite3_column_type(s, column) == SQLITE_NULL)
		return m->fresh_until_ms;
	return sqlite3_column_int64(s, column);
}

static int bind_time(sqlite3_stmt *s, enum column column, int64_t time, const struct meta *m)
{
	if (time == m->fresh_until_ms)
		return sqlite3_bind_null(s, column + 1);
	return sqlite3_bind_int64(s, column + 1, time);
}

int row_read_meta(sqlite3_stmt *s, struct meta **ret)
{
	_cleanup_(meta_unrefp) struct meta *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return -ENOMEM;
	atomic_init(&m->refs, 1);
	m->status = sqlite3_column_int(s, COL_STATUS);
	m->flags = sqlite3_column_int(s, COL_FLAGS);
	m->length = sqlite3_column_int64(s, COL_LENGTH);
	m->mtime_s = sqlite3_column_int64(s, COL_MTIME);
	m->request_ms = sqlite3_column_int64(s, COL_REQUEST);
	m->response_ms = sqlite3_column_int64(s, COL_RESPONSE);
	m->fresh_until_ms = sqlite3_column_int64(s, COL_FRESH);
	m->swr_until_ms = read_time(s, COL_SWR, m);
	m->sie_until_ms = read_time(s, COL_SIE, m);
	m->usable_until_ms = sqlite3_column_int64(s, COL_USABLE);
	m->vary_sum = (uint64_t)sqlite3_column_int64(s, COL_VARY_SUM);
	err = read_strings(s, m);
	if (err)
		return err;
	*ret = TAKE_PTR(m);
	return 0;
}

/* --- the sum of a row --- */

static uint64_t add_int(uint64_t sum, int64_t value)
{
	return XXH3_64bits_withSeed(&value, sizeof value, sum);
}

static uint64_t add_text(uint64_t sum, const void *text, int len)
{
	return XXH3_64bits_withSeed(len ? text : "", (size_t)len, sum + 1);
}

/* Type first: NULL and 0 differ. */
void row_sum_function(sqlite3_context *context, int n, sqlite3_value **values)
{
	uint64_t sum = 0;

	for (int i = 0; i < n; i++) {
		int type = sqlite3_value_type(values[i]);

		sum = add_int(sum, type);
		if (type == SQLITE_INTEGER) {
			sum = add_int(sum, sqlite3_value_int64(values[i]));
		} else if (type != SQLITE_NULL) {
			const void *text = sqlite3_value_text(values[i]);

			sum = add_text(sum, text, text ? sqlite3_value_bytes(values[i]) : 0);
		}
	}
	sqlite3_result_int64(context, (int64_t)sum);
}

int row_verify(sqlite3_stmt *s)
{
	uint64_t sum = 0;

	for (int i = 0; i < COL_CHECK; i++) {
		int type = sqlite3_column_type(s, i);

		sum = add_int(sum, type);
		if (type == SQLITE_INTEGER) {
			sum = add_int(sum, sqlite3_column_int64(s, i));
		} else if (type != SQLITE_NULL) {
			const void *text = sqlite3_column_text(s, i);

			sum = add_text(sum, text, text ? sqlite3_column_bytes(s, i) : 0);
		}
	}
	return (uint64_t)sqlite3_column_int64(s, COL_CHECK) == sum ? 0 : -EBADMSG;
}

int row_set_check(struct conn *c, uint64_t ino)
{
	sqlite3_stmt *s;
	int err;

	err = conn_prepare(c, STMT_CHECK,
			   "UPDATE version SET row_check = row_sum(" ROW_COLUMNS ") WHERE ino = ?1",
			   &s);
	if (err)
		return err;
	sqlite3_bind_int64(s, 1, ino);
	return conn_run(c, s);
}

int row_read(sqlite3_stmt *s, struct record *ret)
{
	_cleanup_(record_fini) struct record r = {
		.ino = sqlite3_column_int64(s, COL_INO),
		.current = sqlite3_column_int(s, COL_CURRENT),
		.blob = {
			.kind = sqlite3_column_int(s, COL_KIND),
			.codec = sqlite3_column_int(s, COL_CODEC),
			.id = sqlite3_column_int64(s, COL_BLOB_ID),
			.offset = sqlite3_column_int64(s, COL_BLOB_OFFSET),
			.stored = sqlite3_column_int64(s, COL_STORED),
			.length = sqlite3_column_int64(s, COL_BLOB_LENGTH),
			.sum = sqlite3_column_int64(s, COL_SUM),
		},
	};
	int err;

	err = row_verify(s);
	if (!err)
		err = read_text(s, COL_KEY, &r.key);
	if (!err && !r.key)
		err = -EBADMSG;
	if (!err)
		err = read_text(s, COL_RANGES, &r.ranges);
	if (!err)
		err = row_read_meta(s, &r.meta);
	if (err)
		return err;
	*ret = r;
	r = (struct record){ 0 };
	return 0;
}

/* Static bindings allocate nothing: what can go wrong is a string that SQLite
 * finds too long. */
int row_bind_meta(sqlite3_stmt *s, const struct meta *m)
{
	char *headers = short_headers_make(m);
	int bad = 0;

	if (!headers)
		return -ENOMEM;

	bad |= sqlite3_bind_int(s, COL_STATUS + 1, m->status);
	bad |= sqlite3_bind_int(s, COL_FLAGS + 1, m->flags);
	bad |= sqlite3_bind_int64(s, COL_LENGTH + 1, m->length);
	bad |= sqlite3_bind_int64(s, COL_MTIME + 1, m->mtime_s);
	bad |= sqlite3_bind_int64(s, COL_REQUEST + 1, m->request_ms);
	bad |= sqlite3_bind_int64(s, COL_RESPONSE + 1, m->response_ms);
	bad |= sqlite3_bind_int64(s, COL_FRESH + 1, m->fresh_until_ms);
	bad |= bind_time(s, COL_SWR, m->swr_until_ms, m);
	bad |= bind_time(s, COL_SIE, m->sie_until_ms, m);
	bad |= sqlite3_bind_int64(s, COL_USABLE + 1, m->usable_until_ms);
	bad |= stmt_bind_text(s, COL_ETAG + 1, m->etag);
	bad |= stmt_bind_text(s, COL_LAST_MODIFIED + 1, m->last_modified);
	bad |= stmt_bind_text(s, COL_CONTENT_TYPE + 1, m->content_type);
	bad |= stmt_bind_text(s, COL_URL + 1, m->url);
	bad |= stmt_bind_text(s, COL_REASON + 1, m->reason);
	bad |= sqlite3_bind_text(s, COL_HEADERS + 1, headers, -1, free);
	if (m->vary_sum)
		bad |= sqlite3_bind_int64(s, COL_VARY_SUM + 1, (int64_t)m->vary_sum);
	else
		bad |= sqlite3_bind_null(s, COL_VARY_SUM + 1);
	return bad ? -EFBIG : 0;
}

int row_bind_blob(sqlite3_stmt *s, const struct blob *b, const char *ranges)
{
	int bad = 0;

	bad |= sqlite3_bind_int(s, COL_KIND + 1, b->kind);
	bad |= sqlite3_bind_int(s, COL_CODEC + 1, b->codec);
	bad |= sqlite3_bind_int64(s, COL_BLOB_ID + 1, b->id);
	bad |= sqlite3_bind_int64(s, COL_BLOB_OFFSET + 1, b->offset);
	bad |= sqlite3_bind_int64(s, COL_STORED + 1, b->stored);
	bad |= sqlite3_bind_int64(s, COL_BLOB_LENGTH + 1, b->length);
	bad |= sqlite3_bind_int64(s, COL_SUM + 1, b->sum);
	bad |= stmt_bind_text(s, COL_RANGES + 1, ranges);
	return bad ? -EFBIG : 0;
}

static int read_one(struct conn *c, sqlite3_stmt *s, struct record *ret)
{
	int n = conn_step(c, s);

	if (n > 0)
		return row_read(s, ret);
	return n < 0 ? n : -ENOENT;
}

int row_find_key(struct conn *c, const char *key, struct record *ret)
{
	_cleanup_(stmt_resetp) sqlite3_stmt *s = NULL;
	int err;

	err = conn_prepare(c, STMT_FIND_KEY,
			   "SELECT " ROW_SELECT " FROM version"
			   " WHERE current = 1 AND key " DB_TREE " = ?1", &s);
	if (err)
		return err;
	if (stmt_bind_text(s, 1, key))
		return -EFBIG;
	err = read_one(c, s, ret);
	/* The entry of the index may be damaged, too. */
	if (!err && strcmp(ret->key, key) != 0) {
		record_fini(ret);
		err = -EBADMSG;
	}
	return err;
}

int row_find_ino(struct conn *c, uint64_t ino, struct record *ret)
{
	_cleanup_(stmt_resetp) sqlite3_stmt *s = NULL;
	int err;

	err = conn_prepare(c, STMT_FIND_INO,
			   "SELECT " ROW_SELECT " FROM version WHERE ino = ?1", &s);
	if (err)
		return err;
	sqlite3_bind_int64(s, 1, ino);
	return read_one(c, s, ret);
}
