/* The names directly below a prefix, by skipping: from a name on to whatever
 * comes behind all that is below it. In the order of the tree (db_private.h) a
 * file `a`, what is below `a/` and the next name `a-b` follow each other, so two
 * cursors, over keys and over declared directories, walk side by side and each
 * name is met once. The cost is that of the names, not of what is below them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "db_private.h"

struct cursor {
	struct conn *c;
	sqlite3_stmt *s;
	int column;		/* of the key */
	const char *prefix;
	size_t prefix_len;
	struct buf bound;	/* bound to the statement: must outlive its rows */
	const char *name;	/* in the row; NULL: no more */
	size_t name_len;
	bool below;		/* the row lies below its name, not at it */
};

/* Takes the name out of the row that the statement stands at. */
static int read_name(struct cursor *cur)
{
	const char *key = (const char *)sqlite3_column_text(cur->s, cur->column);

	cur->name = NULL;
	if (!key)
		return -ENOMEM;
	if (strncmp(key, cur->prefix, cur->prefix_len))
		return 0;
	cur->name = key + cur->prefix_len;
	cur->name_len = strcspn(cur->name, "/?");
	if (cur->name[cur->name_len] == '?')
		cur->name_len = strlen(cur->name);
	cur->below = cur->name[cur->name_len] == '/';
	return 0;
}

static int cursor_next(struct cursor *cur)
{
	int n = conn_step(cur->c, cur->s);

	cur->name = NULL;
	return n > 0 ? read_name(cur) : n;
}

/* To the first name behind `name` and all that is below it. */
static int cursor_skip(struct cursor *cur, const char *name)
{
	sqlite3_reset(cur->s);
	buf_reset(&cur->bound);
	buf_str_append(&cur->bound, cur->prefix);
	buf_str_append(&cur->bound, name);
	buf_char(&cur->bound, DB_TREE_BEHIND);
	if (!buf_ok(&cur->bound))
		return -ENOMEM;
	if (stmt_bind_text(cur->s, 1, buf_str(&cur->bound)))
		return -EFBIG;
	return cursor_next(cur);
}

static void cursor_fini(struct cursor *cur)
{
	stmt_resetp(&cur->s);
	buf_fini(&cur->bound);
}

static bool cursor_at(const struct cursor *cur, const char *name)
{
	return cur->name && strlen(name) == cur->name_len &&
	       !memcmp(cur->name, name, cur->name_len);
}

/* The lower of both names, NULL at the end of both. The caller frees. */
static int next_name(const struct cursor *a, const struct cursor *b, char **ret)
{
	const struct cursor *low = a->name ? a : b;
	size_t n;
	int order;

	*ret = NULL;
	if (!low->name)
		return 0;
	if (a->name && b->name) {
		n = a->name_len < b->name_len ? a->name_len : b->name_len;
		order = memcmp(a->name, b->name, n);
		if (order > 0 || (order == 0 && b->name_len < a->name_len))
			low = b;
	}
	*ret = strndup(low->name, low->name_len);
	return *ret ? 0 : -ENOMEM;
}

/* What the keys say about the name the cursor stands at; moves it behind it. */
static int take_key(struct cursor *keys, struct db_name *name, struct meta **ret_meta)
{
	int err;

	if (!keys->below) {
		name->file = true;
		name->ino = sqlite3_column_int64(keys->s, COL_INO);
		err = row_verify(keys->s);
		if (!err)
			err = row_read_meta(keys->s, ret_meta);
		if (err)
			return err;
		name->meta = *ret_meta;
		err = cursor_next(keys);
		if (err || !cursor_at(keys, name->name))
			return err;
	}
	name->dir = true;
	return cursor_skip(keys, name->name);
}

/* Tells of one name. 1: go on, 0: enough, or no more. */
static int list_one(struct cursor *keys, struct cursor *declared,
		    bool (*each)(void *arg, const struct db_name *name), void *arg)
{
	_cleanup_(cleanup_free) char *text = NULL;
	_cleanup_(meta_unrefp) struct meta *meta = NULL;
	struct db_name name = { 0 };
	int err;

	err = next_name(keys, declared, &text);
	if (err || !text)
		return err;
	name.name = text;
	if (cursor_at(keys, text))
		err = take_key(keys, &name, &meta);
	if (!err && cursor_at(declared, text)) {
		name.dir = true;
		err = cursor_skip(declared, text);
	}
	if (err)
		return err;
	return each(arg, &name);
}

static int list(struct conn *c, const char *prefix, const char *after,
		bool (*each)(void *arg, const struct db_name *name), void *arg)
{
	_cleanup_(cursor_fini) struct cursor keys = {
		.c = c, .column = COL_KEY, .prefix = prefix, .prefix_len = strlen(prefix),
	};
	_cleanup_(cursor_fini) struct cursor declared = {
		.c = c, .column = 0, .prefix = prefix, .prefix_len = strlen(prefix),
	};
	int err;

	err = conn_prepare(c, STMT_LIST,
			   "SELECT " ROW_SELECT " FROM version INDEXED BY version_key"
			   " WHERE current = 1 AND key " DB_TREE " >= ?1"
			   " AND status BETWEEN 200 AND 299 ORDER BY key " DB_TREE, &keys.s);
	if (!err)
		err = conn_prepare(c, STMT_LIST_DECLARED,
				   "SELECT key FROM declared WHERE key >= ?1 ORDER BY key",
				   &declared.s);
	if (!err)
		err = cursor_skip(&keys, after);
	if (!err)
		err = cursor_skip(&declared, after);
	if (err)
		return err;
	do
		err = list_one(&keys, &declared, each, arg);
	while (err > 0);
	return err;
}

/* One transaction: both cursors see the same moment, however often they seek. */
int db_list(struct db *db, const char *prefix, const char *after,
	    bool (*each)(void *arg, const struct db_name *name), void *arg)
{
	sqlite3_stmt *begin, *end;
	struct conn *c;
	int err;

	err = db_borrow(db, &c);
	if (err)
		return err;
	err = conn_prepare(c, STMT_BEGIN_READ, "BEGIN", &begin);
	if (!err)
		err = conn_prepare(c, STMT_END_READ, "COMMIT", &end);
	if (!err)
		err = conn_run(c, begin);
	if (!err) {
		err = list(c, prefix, after, each, arg);
		conn_run(c, end);
	}
	db_return(db, c);
	return err;
}
