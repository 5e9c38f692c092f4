/* dictionary_rows.c - where dictionaries are kept: as values of the database. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/log.h"
#include "index_private.h"

#define PREFIX "dictionary."

struct name {
	char text[sizeof PREFIX + 10];
};

static struct name name_of(uint32_t id)
{
	struct name n;

	snprintf(n.text, sizeof n.text, PREFIX "%" PRIu32, id);
	return n;
}

int index_keep_dictionary(void *arg, uint32_t id, const void *value, size_t len)
{
	struct op *op = op_new(OP_VALUE);
	struct name name = name_of(id);

	if (!op)
		return -ENOMEM;
	op->key = name.text;
	op->data = value;
	op->len = len;
	return writer_call(arg, op);
}

static bool load(void *arg, const char *name, const void *data, size_t len)
{
	struct index *ix = arg;
	int err = store_load_dictionary(ix->store, data, len);

	if (err)
		log_warn("%s cannot be used (%s): what was compressed by it is fetched again",
			 name, strerror(-err));
	return true;
}

void index_load_dictionaries(struct index *ix)
{
	int err = db_each_value(ix->db, PREFIX, load, ix);

	if (err)
		index_damaged(ix, err);
}

static int keep_again(void *arg, uint32_t id, const void *value, size_t len)
{
	struct index *ix = arg;

	return db_set_value(ix->db, name_of(id).text, value, len);
}

int index_renew_dictionaries(struct index *ix)
{
	return store_each_dictionary(ix->store, keep_again, ix);
}
