/* find.c - the version of a key, or of a number: the one in memory, or one made of its row. */
#include <errno.h>
#include <string.h>

#include "../base/cleanup.h"
#include "index_private.h"

bool index_same_key(const struct map_node *node, const void *key)
{
	return strcmp(container_of(node, struct version, key_node)->key, key) == 0;
}

bool index_same_ino(const struct map_node *node, const void *ino)
{
	return container_of(node, struct version, ino_node)->ino == *(const uint64_t *)ino;
}

bool index_being_purged(struct index *ix, const char *key, const struct meta *m)
{
	struct purge *p;

	list_for_each(p, &ix->purges, link)
		if (p->kind == PURGE_REMOVE && target_matches_any(p->targets, p->n, key, m))
			return true;
	return false;
}

/* index.lock held: the row that v was made from may not have been refreshed yet. v
 * is nobody else's so far. */
static int refresh_loaded(struct index *ix, struct version *v)
{
	struct purge *p;

	list_for_each(p, &ix->purges, link) {
		struct meta *stale;

		if (p->kind != PURGE_REFRESH || !target_matches_any(p->targets, p->n, v->key, v->meta))
			continue;
		stale = target_refreshed(v->meta);
		if (!stale)
			return -ENOMEM;
		meta_unref(v->meta);
		v->meta = stale;
	}
	return 0;
}

struct version *index_find_in_memory(struct index *ix, const char *key, uint64_t ino)
{
	struct map_node *node;
	struct version *v;

	if (key)
		node = map_find(&ix->by_key, map_hash_str(key), index_same_key, key);
	else
		node = map_find(&ix->by_ino, map_hash_u64(ino), index_same_ino, &ino);
	if (!node)
		return NULL;
	v = key ? container_of(node, struct version, key_node)
		: container_of(node, struct version, ino_node);
	v->refs++;
	return v;
}

/* index.lock held: v is in memory, but not what its key shows. Its row says that it is:
 * what should have superseded it failed before it had a row. So it is again (a new
 * reference), unless it cannot be read, or its row is about to go: then -ENOENT. */
static int show_again(struct index *ix, struct version *v, const struct meta *of_row)
{
	struct meta *stale = NULL;
	bool failed = false;

	WITH_LOCK(&v->lock)
		failed = v->state == VERSION_FAILED;
	if (failed || !v->row || v->doomed)
		return -ENOENT;
	/* A refresh meanwhile found the row alone. */
	if (of_row->flags & META_REFRESH) {
		WITH_LOCK(&v->lock) {
			stale = target_refreshed(v->meta);
			if (!stale)
				break;
			meta_unref(v->meta);
			v->meta = stale;
		}
		if (!stale)
			return -ENOMEM;
	}
	if (map_add(&ix->by_key, &v->key_node, map_hash_str(v->key)) < 0)
		return -ENOMEM;
	v->current = true;
	v->refs++;
	return 0;
}

/* index.lock held: v was made from a row that was read at `generation`. Returns
 * 0, or -EAGAIN when the row may not be what it was; *ret_known (else NULL): it was
 * in memory all the time. */
static int publish(struct index *ix, struct version *v, uint64_t generation,
		   struct version **ret_known)
{
	struct map_node *same = map_find(&ix->by_ino, map_hash_u64(v->ino), index_same_ino,
					 &v->ino);
	int err;

	if (generation != ix->generation || index_being_purged(ix, v->key, v->meta) ||
	    map_find(&ix->by_key, map_hash_str(v->key), index_same_key, v->key))
		return -EAGAIN;
	if (refresh_loaded(ix, v) < 0)
		return -ENOMEM;
	if (same) {
		err = show_again(ix, container_of(same, struct version, ino_node), v->meta);
		if (!err)
			*ret_known = container_of(same, struct version, ino_node);
		return err;
	}
	if (map_add(&ix->by_ino, &v->ino_node, map_hash_u64(v->ino)) < 0)
		return -ENOMEM;
	if (map_add(&ix->by_key, &v->key_node, map_hash_str(v->key)) < 0) {
		map_remove(&ix->by_ino, &v->ino_node);
		return -ENOMEM;
	}
	v->current = true;
	return 0;
}

/* By key, or by number when key is NULL. */
static int find(struct index *ix, const char *key, uint64_t ino, struct version **ret)
{
	for (;;) {
		struct version *v = NULL, *known = NULL;
		struct record r;
		uint64_t generation = 0;
		bool purged = false;
		int err;

		WITH_LOCK(&ix->lock) {
			v = index_find_in_memory(ix, key, ino);
			generation = ix->generation;
			purged = key && index_being_purged(ix, key, NULL);
		}
		if (v) {
			*ret = v;
			return 0;
		}
		if (purged)
			return -ENOENT;
		err = key ? db_find_key(ix->db, key, &r) : db_find_ino(ix->db, ino, &r);
		if (err) {
			index_damaged(ix, err);
			return err;
		}
		v = version_load(ix, &r);
		record_fini(&r);
		if (!v)
			return -ENOENT;
		WITH_LOCK(&ix->lock) {
			err = publish(ix, v, generation, &known);
			purged = err && index_being_purged(ix, v->key, v->meta);
		}
		if (!err && !known) {
			*ret = v;
			return 0;
		}
		/* Somebody else was first, or it is being purged. Row and body stay. */
		version_forget(v);
		if (known) {
			*ret = known;
			return 0;
		}
		if (purged)
			return -ENOENT;
		if (err != -EAGAIN)
			return err;
	}
}

int index_find(struct index *ix, const char *key, struct version **ret)
{
	return find(ix, key, 0, ret);
}

int index_find_ino(struct index *ix, uint64_t ino, struct version **ret)
{
	return find(ix, NULL, ino, ret);
}
