/* names.c - the names below a prefix, and directories that were declared. Any thread. */
#include <errno.h>

#include "index_private.h"

bool index_has_below(struct index *ix, const char *prefix)
{
	return db_has_below(ix->db, prefix) == 0;
}

struct listing {
	bool (*each)(void *arg, const struct index_name *name);
	void *arg;
};

static bool list_name(void *arg, const struct db_name *n)
{
	struct listing *l = arg;
	struct index_name name = { .name = n->name, .file = n->file, .dir = n->dir };

	if (n->file) {
		name.ino = n->ino;
		name.length = n->meta->length;
		name.mtime_s = n->meta->mtime_s;
	}
	return l->each(l->arg, &name);
}

int index_list(struct index *ix, const char *prefix, const char *after,
	       bool (*each)(void *arg, const struct index_name *name), void *arg)
{
	struct listing l = { each, arg };

	int err = db_list(ix->db, prefix, after, list_name, &l);

	index_damaged(ix, err);
	return err == -EBADMSG ? -EIO : err;
}

int index_declare(struct index *ix, const char *key, bool declared)
{
	struct op *op;

	if (declared && index_is_declared(ix, key))
		return -EEXIST;
	if (!declared && !index_is_declared(ix, key))
		return -ENOENT;
	op = op_new(OP_DECLARE);
	if (!op)
		return -ENOMEM;
	op->key = key;
	op->declared = declared;
	return writer_call(ix, op);
}

bool index_is_declared(struct index *ix, const char *key)
{
	return db_is_declared(ix->db, key) == 0;
}
