/* recover.c - what the run before this one had shown, for who still holds it. */
#include <errno.h>

#include "../base/cleanup.h"
#include "../base/log.h"
#include "index_private.h"

/* It was arriving when its run was killed. What had come of it is gone, its length and
 * validators are not: fetch_need() asks for the same bytes again, or fails it. */
static struct version *load_unfinished(struct index *ix, const struct record *r)
{
	struct version *v = r->meta->length >= 0 ? version_new(ix, r->ino, r->key, r->meta) : NULL;

	if (!v)
		return NULL;
	v->state = VERSION_ARRIVING;
	v->row = v->record_asked = true;
	return v;
}

/* index.lock held: v was made from a row that was read at `generation`. current: the row
 * says that its key shows it. 0; -EAGAIN: look again. */
static int enter(struct index *ix, struct version *v, uint64_t generation, bool current)
{
	uint64_t ino = v->ino;

	if (generation != ix->generation ||
	    map_find(&ix->by_ino, map_hash_u64(ino), index_same_ino, &ino))
		return -EAGAIN;
	if (map_add(&ix->by_ino, &v->ino_node, map_hash_u64(ino)) < 0)
		return -ENOMEM;
	/* Else index_find() makes it so, once nothing stands against it. */
	if (current && list_empty(&ix->purges) &&
	    !map_find(&ix->by_key, map_hash_str(v->key), index_same_key, v->key))
		v->current = map_add(&ix->by_key, &v->key_node, map_hash_str(v->key)) == 0;
	return 0;
}

int index_find_shown(struct index *ix, uint64_t ino, struct version **ret)
{
	int err;

	do {
		struct version *v = NULL;
		struct record r;
		uint64_t generation = 0;
		bool arriving, current;

		WITH_LOCK(&ix->lock) {
			v = index_find_in_memory(ix, NULL, ino);
			generation = ix->generation;
		}
		if (v) {
			*ret = v;
			return 0;
		}
		err = db_find_ino(ix->db, ino, &r);
		if (err) {
			index_damaged(ix, err);
			return err;
		}
		arriving = r.blob.kind == BLOB_ARRIVING;
		current = r.current && !arriving;
		v = arriving ? load_unfinished(ix, &r) : version_load(ix, &r);
		record_fini(&r);
		if (!v)
			return -ENOENT;
		WITH_LOCK(&ix->lock)
			err = enter(ix, v, generation, current);
		if (!err) {
			*ret = v;
			return 0;
		}
		/* Row and body stay. */
		version_forget(v);
	} while (err == -EAGAIN);
	return err;
}
