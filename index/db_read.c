#include "db_private.h"

#include <errno.h>
#include <string.h>

int db_find_key(struct db *db, const char *key, struct record *ret)
{
	struct conn *c;
	int err;

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

	err = db_borrow(db, &c);
	if (err)
		return err;
	err = is_declared(c, key);
	db_return(db, c);
	return err;
}
