#include "db_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/log.h"

#define APPLICATION_ID 0x77636673	/* "wcfs", shown by file(1) */

/* step[v] leads from schema version v to v + 1. Published steps never change.
 *
 * Partial indexes keep a typical row (current, whole) out of what is only asked
 * about the others. version_segment also holds `stored`, so that db_segments()
 * reads the index alone. */
static const char *const step[] = {
	"CREATE TABLE version ("
	"  ino INTEGER PRIMARY KEY,"
	"  key TEXT NOT NULL,"
	"  current INTEGER NOT NULL,"
	"  status INTEGER NOT NULL,"
	"  flags INTEGER NOT NULL,"
	"  length INTEGER NOT NULL,"
	"  mtime_s INTEGER NOT NULL,"
	"  request_ms INTEGER NOT NULL,"
	"  response_ms INTEGER NOT NULL,"
	"  fresh_until_ms INTEGER NOT NULL,"
	"  swr_until_ms INTEGER,"	/* NULL: fresh_until_ms */
	"  sie_until_ms INTEGER,"	/* likewise */
	"  usable_until_ms INTEGER NOT NULL,"
	"  kind INTEGER NOT NULL,"
	"  codec INTEGER NOT NULL,"
	"  blob_id INTEGER NOT NULL,"
	"  blob_offset INTEGER NOT NULL,"
	"  stored INTEGER NOT NULL,"
	"  blob_length INTEGER NOT NULL,"
	"  sum INTEGER NOT NULL,"
	"  ranges TEXT,"
	"  etag TEXT,"
	"  last_modified TEXT,"
	"  content_type TEXT,"
	"  url TEXT,"
	"  reason TEXT NOT NULL,"
	"  headers TEXT NOT NULL,"
	"  row_check INTEGER NOT NULL DEFAULT 0"
	");"
	"CREATE UNIQUE INDEX version_key ON version (key " DB_TREE ") WHERE current = 1;"
	"CREATE INDEX version_usable ON version (usable_until_ms)"
	"  WHERE usable_until_ms < 9223372036854775807;"
	"CREATE INDEX version_leftover ON version (ino) WHERE current = 0 OR kind = 1;"
	"CREATE INDEX version_segment ON version (blob_id, stored) WHERE kind = 3;"
	"CREATE TABLE declared (key TEXT NOT NULL PRIMARY KEY " DB_TREE ") WITHOUT ROWID;"
	"CREATE TABLE value (name TEXT NOT NULL PRIMARY KEY, data BLOB NOT NULL);",

	"ALTER TABLE version ADD COLUMN vary_sum INTEGER;",	/* NULL: 0 */

	/* Headers may be short (short_headers.h), which earlier programs do not know. */
	"SELECT 1;",
};

#define SCHEMA_VERSION ((int64_t)(sizeof(step) / sizeof(step[0])))

_Static_assert(BLOB_ARRIVING == 1 && BLOB_SEGMENT == 3, "the indexes name these");

/* Neighbours in the tree share most of their beginning: skip it in large steps. */
int db_tree_compare(void *unused, int a_len, const void *a, int b_len, const void *b)
{
	const unsigned char *x = a, *y = b;
	int n = a_len < b_len ? a_len : b_len;
	int i = 0;

	(void)unused;
	while (i + 16 <= n && !memcmp(x + i, y + i, 16))
		i += 16;
	while (i < n && x[i] == y[i])
		i++;
	if (i == n)
		return a_len - b_len;
	if ((x[i] == '/' || y[i] == '/') && !memchr(x, '?', i))
		return x[i] == '/' ? -1 : 1;
	return x[i] - y[i];
}

/* The version, noted a second time where the first cannot be: bits may flip in the few bytes
 * that say whose database it is, too. 0: it was not noted, or there is no such table. */
static int64_t noted_version(struct conn *c)
{
	int64_t version;

	return conn_pragma(c, "SELECT data FROM value WHERE name = 'format'", &version) == 0 ?
	       version : 0;
}

/* Another program's database, or one that a later version of this one made, is
 * not damaged: it must not be touched. */
static int check_ours(struct conn *c, int64_t *ret_version)
{
	int64_t id, version, noted, n;
	int err;

	err = conn_pragma(c, "PRAGMA application_id", &id);
	if (!err)
		err = conn_pragma(c, "PRAGMA user_version", &version);
	if (!err)
		err = conn_pragma(c, "SELECT count(*) FROM sqlite_schema", &n);
	if (err)
		return err;
	noted = noted_version(c);
	if (noted && (id != APPLICATION_ID || version != noted))
		return -EBADMSG;
	if (id != APPLICATION_ID && (id || version || n)) {
		log_error("index.db was made by another program");
		return -EPROTO;
	}
	if (version < 0 || version > SCHEMA_VERSION) {
		log_error("index.db has format %lld, this program knows up to %lld: "
			  "use the later program, or another cache directory",
			  (long long)version, (long long)SCHEMA_VERSION);
		return -EPROTO;
	}
	*ret_version = version;
	return 0;
}

static int migrate_from(struct conn *c, int64_t version)
{
	char sql[200];
	int err = 0;

	for (; !err && version < SCHEMA_VERSION; version++)
		err = conn_exec(c, step[version]);
	if (err)
		return err;
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %lld;"
		 " INSERT OR REPLACE INTO value (name, data) VALUES ('format', %lld)",
		 APPLICATION_ID, (long long)SCHEMA_VERSION, (long long)SCHEMA_VERSION);
	return conn_exec(c, sql);
}

int db_schema_migrate(struct conn *c)
{
	int64_t version;
	int err;

	err = check_ours(c, &version);
	if (err || version == SCHEMA_VERSION)
		return err;
	err = conn_exec(c, "BEGIN IMMEDIATE");
	if (err)
		return err;
	err = migrate_from(c, version);
	if (!err)
		err = conn_exec(c, "COMMIT");
	if (err && !sqlite3_get_autocommit(c->sqlite))
		conn_exec(c, "ROLLBACK");
	return err;
}
