#include "warm_tally.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"

void warm_tally_fini(struct warm_tally *t)
{
	for (size_t i = 0; i < WARM_FAILURES_MAX; i++)
		free(t->failures[i].key);
}

/* False: all of them are under way. */
static bool forget_one(struct warm_tally *t)
{
	for (size_t i = 0; i < t->n_lists; i++) {
		if (t->lists[i].queued || t->lists[i].active)
			continue;
		t->n_lists--;
		memmove(&t->lists[i], &t->lists[i + 1], (t->n_lists - i) * sizeof *t->lists);
		return true;
	}
	return false;
}

struct warm_count *warm_tally_find(struct warm_tally *t, const char *name)
{
	struct warm_count *c;

	/* The latest ones are asked for most. */
	for (size_t i = t->n_lists; i > 0; i--)
		if (strcmp(t->lists[i - 1].name, name) == 0)
			return &t->lists[i - 1];
	if (t->n_lists == WARM_LISTS_MAX && !forget_one(t))
		return NULL;
	c = &t->lists[t->n_lists++];
	*c = (struct warm_count){ .queued = 0 };
	memcpy(c->name, name, strlen(name) + 1);
	return c;
}

void warm_tally_failed(struct warm_tally *t, const struct warm_item *item, const char *why)
{
	struct warm_failure *f = &t->failures[t->n_failures % WARM_FAILURES_MAX];
	char *key = strdup(item->key);

	if (!key)
		return;
	free(f->key);
	*f = (struct warm_failure){ .key = key, .why = why, .time_ms = clock_wall_ms() };
	memcpy(f->name, item->list, sizeof f->name);
	t->n_failures++;
}

static void render_failure(const struct warm_failure *f, struct buf *to)
{
	buf_printf(to, "    { \"time\": %" PRId64 ", \"list\": ", f->time_ms / 1000);
	buf_json(to, f->name);
	buf_str_append(to, ", \"url\": ");
	buf_json(to, f->key);
	buf_str_append(to, ", \"why\": ");
	buf_json(to, f->why);
	buf_str_append(to, " }");
}

void warm_tally_render(const struct warm_tally *t, struct buf *to)
{
	size_t n = t->n_failures < WARM_FAILURES_MAX ? t->n_failures : WARM_FAILURES_MAX;

	buf_str_append(to, "  \"lists\": [");
	for (size_t i = 0; i < t->n_lists; i++) {
		const struct warm_count *c = &t->lists[i];

		buf_str_append(to, i ? ",\n    { \"name\": " : "\n    { \"name\": ");
		buf_json(to, c->name);
		buf_printf(to,
			   ", \"queued\": %" PRId64 ", \"active\": %" PRId64 ", \"done\": %" PRId64
			   ", \"failed\": %" PRId64 " }",
			   c->queued, c->active, c->done, c->failed);
	}
	buf_str_append(to, t->n_lists ? "\n  ],\n" : "],\n");
	buf_str_append(to, "  \"failures\": [");
	for (size_t i = 1; i <= n; i++) {
		buf_str_append(to, i > 1 ? ",\n" : "\n");
		render_failure(&t->failures[(t->n_failures - i) % WARM_FAILURES_MAX], to);
	}
	buf_str_append(to, n ? "\n  ]\n" : "]\n");
}
