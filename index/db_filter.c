/* db_filter.c - what the database certainly does not hold (key_filter.h).
 *
 * Filled by a walk over all keys beside the work, while what is written meanwhile is added as
 * well; asked once it is whole. When the keys have become too many a larger one is filled. */
#include <assert.h>
#include <errno.h>

#include "db_private.h"

enum { LOOK_EVERY = 256 };	/* keys */

int db_filter_begin(struct db *db)
{
	struct key_filter *f;
	struct db_sums sums;
	size_t keys;

	assert(!db->in_tx && !atomic_load(&db->filling));
	if (db->n_filters == DB_FILTERS)
		return -ENOSPC;
	db_sums(db, &sums);
	/* Some with a directory of their own, and room to grow. */
	keys = 2 * (size_t)(sums.objects > 0 ? sums.objects : 0);
	if (db->n_filters && key_filter_added(db->filters[db->n_filters - 1]) * 2 > keys)
		keys = 2 * key_filter_added(db->filters[db->n_filters - 1]);
	f = key_filter_new(keys);
	if (!f)
		return -ENOMEM;
	db->filters[db->n_filters++] = f;
	atomic_store(&db->filling, f);
	return 0;
}

static int add_keys(struct conn *c, struct key_filter *f, const char *sql,
		    const _Atomic bool *stop)
{
	sqlite3_stmt *s;
	int err, n = 0, seen = 0;

	err = db_errno(c->sqlite, sqlite3_prepare_v2(c->sqlite, sql, -1, &s, NULL));
	if (err)
		return err;
	while (!err && (n = conn_step(c, s)) > 0) {
		const char *key = (const char *)sqlite3_column_text(s, 0);

		if (key)
			key_filter_add(f, key);
		else
			err = -ENOMEM;
		if (++seen % LOOK_EVERY == 0 && atomic_load(stop))
			err = -EINTR;
	}
	sqlite3_finalize(s);
	return err ? err : n;
}

int db_filter_fill(struct db *db, const _Atomic bool *stop)
{
	struct key_filter *f = atomic_load(&db->filling);
	struct conn *c;
	int err;

	err = db_borrow(db, &c);
	if (err)
		return err;
	err = add_keys(c, f, "SELECT key FROM version INDEXED BY version_key WHERE current = 1",
		       stop);
	if (!err)
		err = add_keys(c, f, "SELECT key FROM declared", stop);
	db_return(db, c);
	/* First: who finds nothing being filled finds this one. */
	if (!err)
		atomic_store(&db->filter, f);
	atomic_store(&db->filling, NULL);
	return err;
}

bool db_filter_wanted(struct db *db)
{
	const struct key_filter *f = atomic_load(&db->filter);

	return !atomic_load(&db->filling) && db->n_filters < DB_FILTERS &&
	       (!f || key_filter_is_full(f));
}

void db_filter_add(struct db *db, const char *key)
{
	struct key_filter *filling = atomic_load(&db->filling);
	struct key_filter *asked = atomic_load(&db->filter);

	if (filling)
		key_filter_add(filling, key);
	if (asked && asked != filling)
		key_filter_add(asked, key);
}

bool db_filter_says_no(struct db *db, const char *key)
{
	const struct key_filter *f = atomic_load(&db->filter);

	return f && !key_filter_may_hold(f, key);
}

void db_filters_free(struct db *db)
{
	while (db->n_filters)
		key_filter_free(db->filters[--db->n_filters]);
}
