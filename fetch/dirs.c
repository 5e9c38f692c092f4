/* dirs.c - the door to what origins list, and thread L. See dirs.h. */
#include "dirs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "gather.h"

static bool same_key(const struct map_node *node, const void *key)
{
	return strcmp(container_of(node, struct gather, node)->key, key) == 0;
}

/* Whoever cannot be taken back is about to post. */
static void end_all(struct dirs *ds)
{
	struct gather *g, *next;

	list_for_each_safe(g, next, &ds->all, link)
		if ((g->state == GATHER_ASKED && fetch_cancel(ds->fetch, &g->want)) ||
		    (g->state == GATHER_READING && version_cancel(g->v, &g->waiter)))
			gather_finish(g, -EINTR);
}

static void *dirs_main(void *arg)
{
	struct dirs *ds = arg;
	struct list messages = LIST_INIT(messages), *first;

	for (;;) {
		inbox_wait(&ds->inbox, -1, &messages);
		while ((first = list_pop(&messages)) != NULL) {
			if (first == &ds->stop)
				ds->stopping = true;
			else
				gather_step(list_entry(first, struct gather, message));
		}
		if (ds->stopping)
			end_all(ds);
		if (ds->stopping && list_empty(&ds->all))
			return NULL;
	}
}

/* --- any thread --- */

void dirs_init(struct dirs *ds, struct fetch *f)
{
	ds->fetch = f;
	dirlist_init();
	pthread_mutex_init(&ds->lock, NULL);
	list_init(&ds->oldest);
	list_init(&ds->origins);
	list_init(&ds->all);
	list_init(&ds->stop);
	inbox_init(&ds->inbox, NULL, NULL);
}

int dirs_start(struct dirs *ds)
{
	int err = pthread_create(&ds->thread, NULL, dirs_main, ds);

	ds->started = err == 0;
	return -err;
}

void dirs_stop(struct dirs *ds)
{
	struct list late = LIST_INIT(late), *first;

	if (!ds->started)
		return;
	inbox_post(&ds->inbox, &ds->stop);
	pthread_join(ds->thread, NULL);
	ds->started = false;
	/* Begun since: thread L has not seen them. */
	inbox_take(&ds->inbox, &late);
	while ((first = list_pop(&late)) != NULL)
		gather_finish(list_entry(first, struct gather, message), -EINTR);
}

void dirs_fini(struct dirs *ds)
{
	dirs_forget_all(ds);
	dirs_forget_origins(ds);
	map_fini(&ds->known);
	map_fini(&ds->gathers);
	inbox_fini(&ds->inbox);
	pthread_mutex_destroy(&ds->lock);
}

static void deliver(struct dir_want *w, int err, struct dirlist *d)
{
	w->done(w, err, err ? NULL : dirlist_ref(d));
}

static bool drop_gather(struct map_node *node, void *arg)
{
	(void)arg;
	container_of(node, struct gather, node)->purged = true;
	return true;
}

void dirs_drop(struct dirs *ds)
{
	WITH_LOCK(&ds->lock) {
		dirs_forget_all(ds);
		map_each(&ds->gathers, drop_gather, NULL);
	}
}

void dirs_distrust(struct dirs *ds, const char *key)
{
	const char *slash = strrchr(key, '/');
	_cleanup_(cleanup_free) char *dir = slash ? strndup(key, (size_t)(slash + 1 - key)) : NULL;
	_cleanup_(dirlist_unrefp) struct dirlist *d = NULL;
	bool fresh, found;
	size_t i;

	if (!dir)
		return;
	WITH_LOCK(&ds->lock)
		d = dirs_recall(ds, dir, &fresh);
	i = d ? dirlist_find(d, slash + 1, &found) : 0;
	if (d && found)
		dirlist_learn(d, i, -1, -1);
}

struct dirlist *fetch_list_known(struct fetch *f, const char *key, bool *ret_known)
{
	struct dirlist *d = NULL;
	bool fresh = false;

	if (f->config.listing != LISTING_OFF)
		WITH_LOCK(&f->dirs.lock)
			d = dirs_recall(&f->dirs, key, &fresh);
	*ret_known = fresh;
	return d;
}

/* dirs.lock held: joins, or begins a gathering that is to be posted (*ret_begun). */
static int join(struct dirs *ds, const char *key, struct dir_want *w, struct gather **ret_begun)
{
	struct map_node *node = map_find(&ds->gathers, map_hash_str(key), same_key, key);
	struct gather *g = node ? container_of(node, struct gather, node) : NULL;

	if (g && g->purged) {
		gather_leave(g);
		g = NULL;
	}
	if (!g) {
		g = gather_new(ds, key);
		if (!g)
			return -ENOMEM;
		if (map_add(&ds->gathers, &g->node, map_hash_str(key)) < 0) {
			gather_free(g);
			return -ENOMEM;
		}
		g->joinable = true;
		*ret_begun = g;
	}
	list_append(&g->wants, &w->link);
	return 0;
}

void fetch_list(struct fetch *f, const char *key, struct dir_want *w)
{
	_cleanup_(dirlist_unrefp) struct dirlist *known = NULL;
	struct gather *begun = NULL;
	bool fresh = false;
	int err = 0;

	list_init(&w->link);
	if (f->config.listing == LISTING_OFF || !f->dirs.started) {
		deliver(w, -ENODATA, NULL);
		return;
	}
	WITH_LOCK(&f->dirs.lock) {
		known = dirs_recall(&f->dirs, key, &fresh);
		if (!fresh)
			err = join(&f->dirs, key, w, &begun);
	}
	if (fresh || err)
		deliver(w, err ? err : known ? 0 : -ENODATA, known);
	else if (begun)
		inbox_post(&f->dirs.inbox, &begun->message);
}

bool fetch_list_cancel(struct fetch *f, struct dir_want *w)
{
	bool queued;

	WITH_LOCK(&f->dirs.lock) {
		queued = !list_empty(&w->link);
		list_remove(&w->link);
	}
	return queued;
}
