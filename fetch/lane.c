#include "lane.h"

#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"

#define RATE_MOST ((int64_t)1 << 40)	/* above it nothing is slowed down */

enum {
	BURST_MS = 250,			/* what did not come for so long may come at once */
	SWEPT = 4,
};

struct wanted {
	const char *host;
	size_t len;
	const void *group;
};

static bool same(const struct map_node *node, const void *arg)
{
	const struct lane *lane = container_of(node, struct lane, node);
	const struct wanted *w = arg;

	return lane->group == w->group && strlen(lane->host) == w->len &&
	       memcmp(lane->host, w->host, w->len) == 0;
}

void lanes_init(struct lanes *l)
{
	l->map = (struct map)MAP_INIT;
	list_init(&l->idle);
}

static void drop(struct lanes *l, struct lane *lane)
{
	list_remove(&lane->idle);
	map_remove(&l->map, &lane->node);
	free(lane->host);
	free(lane);
}

void lanes_fini(struct lanes *l)
{
	while (!list_empty(&l->idle))
		drop(l, list_entry(l->idle.next, struct lane, idle));
	map_fini(&l->map);
}

static int64_t most(const struct lane *lane)
{
	return lane->rate * BURST_MS;
}

/* A byte a second is a thousandth of one in each millisecond. */
static void refill(struct lane *lane, int64_t now_ms)
{
	int64_t more;

	if (__builtin_mul_overflow(lane->rate, now_ms - lane->filled_ms, &more) ||
	    more >= most(lane) - lane->tokens)
		lane->tokens = most(lane);
	else
		lane->tokens += more;
	lane->filled_ms = now_ms;
}

bool lane_is_open(struct lane *lane, int64_t now_ms)
{
	if (!lane->rate)
		return true;
	refill(lane, now_ms);
	return lane->tokens > 0;
}

void lane_take(struct lane *lane, int64_t bytes, int64_t now_ms)
{
	if (!lane->rate)
		return;
	refill(lane, now_ms);
	lane->tokens -= bytes * 1000;
}

/* A few of those that nobody held for longest. */
static void sweep(struct lanes *l, int64_t now_ms)
{
	for (int i = 0; i < SWEPT && !list_empty(&l->idle); i++) {
		struct lane *lane = list_entry(l->idle.next, struct lane, idle);

		refill(lane, now_ms);
		if (lane->tokens < most(lane)) {
			list_remove(&lane->idle);
			list_append(&l->idle, &lane->idle);
		} else {
			drop(l, lane);
		}
	}
}

static struct lane *make(struct lanes *l, const struct wanted *w, uint64_t hash)
{
	struct lane *lane = calloc(1, sizeof *lane);

	if (!lane)
		return NULL;
	list_init(&lane->idle);
	lane->group = w->group;
	lane->host = strndup(w->host, w->len);
	if (lane->host && map_add(&l->map, &lane->node, hash) == 0)
		return lane;
	free(lane->host);
	free(lane);
	return NULL;
}

struct lane *lanes_get(struct lanes *l, const char *url, const void *group, int64_t rate,
		       int64_t now_ms)
{
	const char *host = strstr(url, "://");
	struct wanted w = { host ? host + 3 : url, 0, group };
	struct map_node *found;
	struct lane *lane;
	uint64_t hash;

	w.len = strcspn(w.host, "/");
	hash = map_hash_bytes(w.host, w.len);
	found = map_find(&l->map, hash, same, &w);
	if (found) {
		lane = container_of(found, struct lane, node);
		list_remove(&lane->idle);
	} else {
		sweep(l, now_ms);
		lane = make(l, &w, hash);
		if (!lane)
			return NULL;
		lane->rate = rate < RATE_MOST ? rate : RATE_MOST;
		lane->tokens = most(lane);
		lane->filled_ms = now_ms;
	}
	lane->refs++;
	return lane;
}

void lane_unref(struct lanes *l, struct lane *lane)
{
	if (!lane || --lane->refs > 0)
		return;
	if (lane->rate)
		list_append(&l->idle, &lane->idle);
	else
		drop(l, lane);
}
