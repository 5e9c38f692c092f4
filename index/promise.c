/* promise.c - versions of which only a listing has told so far.
 *
 * A directory that is listed shows files with length and time before any of them was
 * asked for. Each such file is a version, with the inode number that it will keep if
 * its response turns out to be what was listed; if not, nobody has seen a byte of it,
 * and whoever waits for some gets ESTALE. A promise lives as long as somebody refers to
 * it, and has no row. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "../base/cleanup.h"
#include "index_private.h"

static bool same_promise(const struct map_node *node, const void *key)
{
	return strcmp(container_of(node, struct version, promise_node)->key, key) == 0;
}

/* index.lock held. */
static struct version *find(struct index *ix, const char *key, uint64_t hash)
{
	struct map_node *node = map_find(&ix->by_promise, hash, same_promise, key);

	return node ? container_of(node, struct version, promise_node) : NULL;
}

static bool says_the_same(struct version *v, const struct meta *meta)
{
	bool same = false;

	WITH_LOCK(&v->lock)
		same = v->length == meta->length && v->meta->mtime_s == meta->mtime_s;
	return same;
}

/* index.lock held: v, which is new, or what has been promised already. */
static int enter(struct index *ix, struct version *v, uint64_t hash, struct version **ret)
{
	struct version *old = find(ix, v->key, hash);

	if (old && says_the_same(old, v->meta)) {
		old->refs++;
		*ret = old;
		return 0;
	}
	if (old)
		version_drop_key(old);
	if (map_add(&ix->by_ino, &v->ino_node, map_hash_u64(v->ino)) < 0)
		return -ENOMEM;
	if (map_add(&ix->by_promise, &v->promise_node, hash) < 0) {
		map_remove(&ix->by_ino, &v->ino_node);
		return -ENOMEM;
	}
	v->promised = true;
	*ret = v;
	return 0;
}

static struct version *find_same(struct index *ix, const char *key, uint64_t hash,
				 const struct meta *meta)
{
	struct version *v = NULL;

	WITH_LOCK(&ix->lock) {
		v = find(ix, key, hash);
		if (v && says_the_same(v, meta))
			v->refs++;
		else
			v = NULL;
	}
	return v;
}

int index_promise(struct index *ix, const char *key, struct meta *meta, struct version **ret)
{
	uint64_t hash = map_hash_str(key), ino;
	struct version *v = find_same(ix, key, hash, meta);
	int err = 0;

	/* Of an empty file nothing is read: nobody would notice if it is empty no more. */
	assert(meta->length > 0);
	if (v) {
		*ret = v;
		return 0;
	}
	ino = index_next_ino(ix);
	if (!ino)
		return -EIO;
	v = version_new(ix, ino, key, meta);
	if (!v)
		return -ENOMEM;
	v->state = VERSION_ARRIVING;
	WITH_LOCK(&ix->lock)
		err = enter(ix, v, hash, ret);
	if (err || *ret != v)
		version_free(v);
	return err;
}

struct version *index_find_promise(struct index *ix, const char *key)
{
	struct version *v = NULL;

	WITH_LOCK(&ix->lock) {
		v = find(ix, key, map_hash_str(key));
		if (v)
			v->refs++;
	}
	return v;
}

bool version_is_promise(struct version *v)
{
	bool promised = false;

	WITH_LOCK(&v->index->lock)
		promised = v->promised;
	return promised;
}

int version_keep(struct version *v, struct meta *meta, bool transient)
{
	struct meta *kept = meta_copy(meta), *old = NULL;
	int err = kept ? -ESTALE : -ENOMEM;

	if (!kept)
		return err;
	WITH_LOCK(&v->index->lock) {
		if (!v->promised)
			break;
		version_drop_key(v);
		WITH_LOCK(&v->lock) {
			/* Attributes of a version never change. */
			kept->mtime_s = v->meta->mtime_s;
			old = v->meta;
			v->meta = meta_ref(kept);
		}
		v->transient = transient;
		if (!transient)
			version_publish(v);
		err = 0;
	}
	meta_unref(old);
	meta_unref(kept);
	return err;
}
