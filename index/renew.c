/* renew.c - the database turned out to be damaged, or its file was deleted: an empty
 * one takes its place while the mount goes on. Thread I, between batches.
 *
 * What was stored is lost, as after a purge of everything: who reads a body of its
 * own file keeps reading, the rest is fetched again. */
#include <errno.h>

#include "../base/cleanup.h"
#include "../base/log.h"
#include "ballast.h"
#include "index_private.h"
#include "reopen.h"

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

/* index.lock held: bodies that arrive keep what they have reserved. */
static bool add_reserved(struct map_node *node, void *arg)
{
	struct version *v = container_of(node, struct version, ino_node);

	WITH_LOCK(&v->lock)
		if (v->body.kind == BODY_FILE)
			*(int64_t *)arg += v->body.reserved;
	return true;
}

static void count_anew(struct index *ix)
{
	int64_t bytes = store_counted(ix->store) + ballast_bytes(ix->config.size);

	WITH_LOCK(&ix->lock)
		map_each(&ix->by_ino, add_reserved, &bytes);
	space_begin_anew(&ix->space, bytes);
	ix->reopened = false;
}

bool renew_dir(struct index *ix)
{
	int err;

	if (!reopen_is_gone(ix))
		return true;
	err = atomic_load(&ix->leaving) ? -EBUSY : reopen_dir(ix);
	if (!err) {
		ix->reopened = true;
		index_damaged(ix, -EBADMSG);
	} else if (err != -ENOENT) {
		index_failed(ix, "cache directory made again", err);
	}
	return err != -EBUSY;
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
	if (ix->reopened)
		count_anew(ix);
	atomic_store(&ix->damaged, false);
	if (ix->running)
		orphans_start(ix);
	if (ix->config.stale_names)
		ix->config.stale_names(ix->config.arg);
}
