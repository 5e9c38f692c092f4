#include "hold.h"

#include <stdlib.h>
#include <string.h>

#include "../base/map.h"

static void forget(struct hold *hold)
{
	free(hold->key);
	*hold = (struct hold){ 0 };
}

void holds_fini(struct holds *h)
{
	for (size_t i = 0; i < HOLDS_N; i++)
		forget(&h->slots[i]);
}

static size_t slot_of(const char *key)
{
	return map_hash_str(key) % HOLDS_N;
}

void hold_add(struct holds *h, const char *key, int err, int64_t now_ms, int64_t retry_after_ms)
{
	struct hold *hold = &h->slots[slot_of(key)];

	if (retry_after_ms <= 0)
		return;
	forget(hold);
	hold->key = strdup(key);
	hold->err = err;
	hold->from_ms = now_ms;
	hold->until_ms = now_ms + (retry_after_ms < HOLD_MAX_MS ? retry_after_ms : HOLD_MAX_MS);
}

int hold_find(const struct holds *h, const char *key, int64_t now_ms)
{
	const struct hold *hold = &h->slots[slot_of(key)];

	if (!hold->key || strcmp(hold->key, key) != 0)
		return 0;
	/* A clock that was set back must not make it last. */
	return now_ms >= hold->from_ms && now_ms < hold->until_ms ? hold->err : 0;
}

void hold_drop(struct holds *h, bool (*drop)(const char *key, void *arg), void *arg)
{
	for (size_t i = 0; i < HOLDS_N; i++)
		if (h->slots[i].key && drop(h->slots[i].key, arg))
			forget(&h->slots[i]);
}
