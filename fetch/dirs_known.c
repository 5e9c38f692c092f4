/* dirs_known.c - what is remembered of listings and of who makes them. All with
 * dirs.lock held. */
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "dirlist.h"
#include "dirs.h"

#define KNOWN_MAX 4096			/* directories */
#define MEMORY_MAX (128 << 20)		/* bytes, of the names in all of them */
#define ORIGINS_MAX 256

struct known {
	struct list link;		/* dirs.oldest */
	struct map_node node;
	char *key;
	struct dirlist *list;		/* a reference; NULL: none there */
	int64_t until_ms;		/* wall */
};

static bool same_key(const struct map_node *node, const void *key)
{
	return strcmp(container_of(node, struct known, node)->key, key) == 0;
}

static struct known *find(struct dirs *ds, const char *key)
{
	struct map_node *node = map_find(&ds->known, map_hash_str(key), same_key, key);

	return node ? container_of(node, struct known, node) : NULL;
}

static void forget(struct dirs *ds, struct known *k)
{
	map_remove(&ds->known, &k->node);
	list_remove(&k->link);
	ds->n_known--;
	ds->bytes -= k->list ? k->list->bytes : 0;
	dirlist_unref(k->list);
	free(k->key);
	free(k);
}

static void make_room(struct dirs *ds, size_t bytes)
{
	while (!list_empty(&ds->oldest) &&
	       (ds->n_known >= KNOWN_MAX || ds->bytes + bytes > MEMORY_MAX))
		forget(ds, list_entry(ds->oldest.next, struct known, link));
}

void dirs_remember(struct dirs *ds, const char *key, struct dirlist *d, int64_t until_ms)
{
	struct known *k = find(ds, key);

	if (k)
		forget(ds, k);
	make_room(ds, d ? d->bytes : 0);
	k = calloc(1, sizeof *k);
	if (!k)
		return;
	k->key = strdup(key);
	if (!k->key || map_add(&ds->known, &k->node, map_hash_str(key)) < 0) {
		free(k->key);
		free(k);
		return;
	}
	k->list = d ? dirlist_ref(d) : NULL;
	k->until_ms = until_ms;
	list_append(&ds->oldest, &k->link);
	ds->n_known++;
	ds->bytes += d ? d->bytes : 0;
}

struct dirlist *dirs_recall(struct dirs *ds, const char *key, bool *ret_fresh)
{
	struct known *k = find(ds, key);

	*ret_fresh = k && clock_wall_ms() < k->until_ms;
	return k && k->list ? dirlist_ref(k->list) : NULL;
}

void dirs_forget_all(struct dirs *ds)
{
	while (!list_empty(&ds->oldest)) {
		struct known *k = list_entry(ds->oldest.next, struct known, link);

		if (k->list)
			atomic_store(&k->list->dropped, true);
		forget(ds, k);
	}
}

/* --- origins --- */

static size_t origin_len(const char *key)
{
	const char *host = strstr(key, "://");

	host = host ? host + 3 : key;
	return (size_t)(host - key) + strcspn(host, "/?#");
}

static void forget_origin(struct dirs *ds, struct dirs_origin *o)
{
	list_remove(&o->link);
	ds->n_origins--;
	free(o->origin);
	free(o->bucket);
	free(o);
}

struct dirs_origin *dirs_origin_of(struct dirs *ds, const char *key)
{
	size_t n = origin_len(key);
	struct dirs_origin *o;

	list_for_each(o, &ds->origins, link)
		if (strlen(o->origin) == n + 1 && strncmp(o->origin, key, n) == 0)
			return o;
	if (ds->n_origins >= ORIGINS_MAX)
		forget_origin(ds, list_entry(ds->origins.next, struct dirs_origin, link));
	o = calloc(1, sizeof *o);
	if (!o)
		return NULL;
	if (asprintf(&o->origin, "%.*s/", (int)n, key) < 0) {
		free(o);
		return NULL;
	}
	list_append(&ds->origins, &o->link);
	ds->n_origins++;
	return o;
}

void dirs_forget_origins(struct dirs *ds)
{
	while (!list_empty(&ds->origins))
		forget_origin(ds, list_entry(ds->origins.next, struct dirs_origin, link));
}
