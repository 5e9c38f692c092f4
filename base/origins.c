#include "origins.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "map.h"

struct origin {
	char *name;		/* owned; NULL: free */
	uint64_t hash;
	uint64_t used;		/* turn of its last use; 0: never */
	int64_t values[ORIGIN_N];
	struct histogram ttfb;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* leaf */

/* guarded by lock */
static struct origin origins[ORIGINS_MAX];
static struct origin other;
static uint64_t turn;

static const enum counter counters[ORIGIN_N] = {
#define ORIGIN(name) COUNT_##name,
#include "origins.def"
#undef ORIGIN
};

enum counter origin_counter_of(enum origin_counter c)
{
	return counters[c];
}

/* Up to the path. */
static size_t origin_len(const char *url)
{
	const char *host = strstr(url, "://");

	return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : strcspn(url, "/?#");
}

static void add_up(struct origin *to, const struct origin *from)
{
	for (int i = 0; i < ORIGIN_N; i++)
		to->values[i] += from->values[i];
	histogram_merge(&to->ttfb, &from->ttfb);
}

static void drop(struct origin *o)
{
	free(o->name);
	memset(o, 0, sizeof(*o));
}

/* lock held. Its counts go where nothing is lost. */
static struct origin *take_place(const char *url, size_t len, uint64_t hash)
{
	struct origin *o = &origins[0];

	for (size_t i = 0; i < ORIGINS_MAX && o->name; i++)
		if (!origins[i].name || origins[i].used < o->used)
			o = &origins[i];
	if (o->name) {
		add_up(&other, o);
		other.used = turn + 1;
	}
	drop(o);
	o->name = strndup(url, len);
	if (!o->name)
		return &other;
	o->hash = hash;
	return o;
}

/* lock held. Those are few: looking at all of them costs less than a map. */
static struct origin *find(const char *url)
{
	size_t len = origin_len(url);
	uint64_t hash = map_hash_bytes(url, len);
	struct origin *o = NULL;

	for (size_t i = 0; i < ORIGINS_MAX && !o; i++)
		if (origins[i].name && origins[i].hash == hash &&
		    strncmp(origins[i].name, url, len) == 0 && !origins[i].name[len])
			o = &origins[i];
	if (!o)
		o = take_place(url, len, hash);
	o->used = ++turn;
	return o;
}

void origin_add(const char *url, enum origin_counter c, int64_t by)
{
	if (!url)
		return;
	WITH_LOCK(&lock)
		find(url)->values[c] += by;
}

void origin_add_ttfb(const char *url, int64_t us)
{
	if (!url)
		return;
	WITH_LOCK(&lock)
		histogram_add(&find(url)->ttfb, us);
}

/* --- for people --- */

/* lock held. */
static int view_one(const struct origin *o, const char *name, struct origin_view *ret)
{
	ret->name = strdup(name);
	if (!ret->name)
		return -ENOMEM;
	memcpy(ret->values, o->values, sizeof(ret->values));
	histogram_view(&o->ttfb, &ret->ttfb);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct origin_view *)a)->name, ((const struct origin_view *)b)->name);
}

int origins_view(struct origin_view **ret, size_t *ret_n)
{
	struct origin_view *list = calloc(ORIGINS_MAX + 1, sizeof(*list));
	size_t n = 0;
	int err = list ? 0 : -ENOMEM;

	if (err < 0)
		return err;
	WITH_LOCK(&lock) {
		for (size_t i = 0; i < ORIGINS_MAX && err == 0; i++)
			if (origins[i].name)
				err = view_one(&origins[i], origins[i].name, &list[n++]);
		qsort(list, err ? 0 : n, sizeof(*list), compare);
		if (err == 0 && other.used)
			err = view_one(&other, ORIGINS_OTHER, &list[n++]);
	}
	if (err < 0) {
		origins_free(list, n);
		return err;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

void origins_free(struct origin_view *list, size_t n)
{
	while (list && n > 0)
		free(list[--n].name);
	free(list);
}

void origins_reset(void)
{
	WITH_LOCK(&lock) {
		for (size_t i = 0; i < ORIGINS_MAX; i++)
			drop(&origins[i]);
		drop(&other);
	}
}
