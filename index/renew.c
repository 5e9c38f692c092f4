/* renew.c - the database turned out to be damaged, or its file was deleted: an empty
 * one takes its place while the mount goes on. Thread I, between batches.
 *
 * What was stored is lost, as after a purge of everything: who reads a body of its
 * own file keeps reading, the rest is fetched again. */
#include "../base/log.h"
#include "index_private.h"

/* index.lock held. */
static bool forget_row(struct map_node *node, void *arg)
{
	struct version *v = container_of(node, struct version, ino_node);

	(void)arg;
	if (v->row)
		WITH_LOCK(&v->lock)
			v->doomed = true;
	v->row = false;
	return true;
}

/* index.lock held; by_key must not change while it is walked. */
static bool collect_current(struct map_node *node, void *arg)
{
	struct version *v = container_of(node, struct version, key_node);

	if (!v->row)
		return true;
	*(struct version **)arg = v;
	return false;
}

static void forget_rows(struct index *ix)
{
	struct version *v;

	WITH_LOCK(&ix->lock) {
		do {
			v = NULL;
			map_each(&ix->by_key, collect_current, &v);
			if (v)
				version_drop_key(v);
		} while (v);
		map_each(&ix->by_ino, forget_row, NULL);
		ix->generation++;
		/* Files of this run without rows are leftovers now, too. */
		ix->first_ino = ix->next_ino;
	}
}

void renew_index(struct index *ix)
{
	int err = db_renew(ix->db);

	if (err) {
		index_failed(ix, "a new index", err);
		return;
	}
	log_warn("%s/index.db was damaged or deleted: the cache begins anew", ix->config.dir);
	forget_rows(ix);
	ix->evict.hand = 0;
	store_forget_segments(ix->store);
	err = index_renew_dictionaries(ix);
	if (err)
		index_failed(ix, "dictionaries", err);
	atomic_store(&ix->damaged, false);
	housekeeping_start(ix);
	if (ix->config.stale_names)
		ix->config.stale_names(ix->config.arg);
}
