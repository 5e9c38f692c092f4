/* chunk_cache.c - a hash table and a list in order of use. */
#include "chunk_cache.h"

#include <pthread.h>
#include <stdlib.h>

#include "../base/cleanup.h"

#define BUCKETS 256

struct chunk_cache {
	size_t limit;
	pthread_mutex_t lock;
	size_t held;			/* guarded by lock, as all below */
	struct list recent;		/* least recently used first */
	struct list buckets[BUCKETS];
};

struct chunk_cache *chunk_cache_new(size_t limit)
{
	struct chunk_cache *cc = calloc(1, sizeof(*cc));

	if (!cc)
		return NULL;
	cc->limit = limit;
	pthread_mutex_init(&cc->lock, NULL);
	list_init(&cc->recent);
	for (size_t i = 0; i < BUCKETS; i++)
		list_init(&cc->buckets[i]);
	return cc;
}

struct chunk *chunk_new(size_t len)
{
	struct chunk *c = malloc(sizeof(*c) + len);

	if (!c)
		return NULL;
	list_init(&c->link);
	list_init(&c->bucket);
	atomic_init(&c->refs, 1);
	c->len = len;
	return c;
}

void chunk_unref(struct chunk *c)
{
	if (c && atomic_fetch_sub(&c->refs, 1) == 1)
		free(c);
}

void chunk_unrefp(struct chunk **c)
{
	chunk_unref(*c);
}

void chunk_cache_free(struct chunk_cache *cc)
{
	struct list *l;

	if (!cc)
		return;
	while ((l = list_pop(&cc->recent)))
		chunk_unref(list_entry(l, struct chunk, link));
	pthread_mutex_destroy(&cc->lock);
	free(cc);
}

static struct list *bucket_of(struct chunk_cache *cc, struct chunk_key key)
{
	uint64_t h = (key.id * 2 + key.segment) * 0x9e3779b97f4a7c15u;

	h = (h ^ key.at) * 0x9e3779b97f4a7c15u;
	return &cc->buckets[(h >> 40) % BUCKETS];
}

static struct chunk *find(struct chunk_cache *cc, struct chunk_key key)
{
	struct chunk *c;

	list_for_each(c, bucket_of(cc, key), bucket) {
		if (c->key.id == key.id && c->key.at == key.at &&
		    c->key.segment == key.segment)
			return c;
	}
	return NULL;
}

struct chunk *chunk_cache_get(struct chunk_cache *cc, struct chunk_key key)
{
	struct chunk *c = NULL;

	WITH_LOCK(&cc->lock) {
		c = find(cc, key);
		if (c) {
			atomic_fetch_add(&c->refs, 1);
			list_remove(&c->link);
			list_append(&cc->recent, &c->link);
		}
	}
	return c;
}

void chunk_cache_put(struct chunk_cache *cc, struct chunk_key key, struct chunk *c)
{
	struct list out = LIST_INIT(out);
	struct list *l;

	WITH_LOCK(&cc->lock) {
		if (c->len > cc->limit || find(cc, key))
			break;
		while (cc->held + c->len > cc->limit) {
			struct chunk *old = list_entry(cc->recent.next, struct chunk, link);

			list_remove(&old->link);
			list_remove(&old->bucket);
			cc->held -= old->len;
			list_append(&out, &old->link);
		}
		c->key = key;
		atomic_fetch_add(&c->refs, 1);
		cc->held += c->len;
		list_append(&cc->recent, &c->link);
		list_append(bucket_of(cc, key), &c->bucket);
	}
	while ((l = list_pop(&out)))
		chunk_unref(list_entry(l, struct chunk, link));
}
