/* absent.c - hosts that DNS does not know, remembered for a moment: a page that names one
 * a hundred times asks once. Any thread. */
#include <errno.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "fetch_private.h"

void absent_add(struct fetch *f, const char *host, int64_t ttl_ms)
{
	WITH_LOCK(&f->lock)
		hold_add(&f->absent, host, -ENOENT, clock_wall_ms(), ttl_ms);
}

bool absent_has(struct fetch *f, const char *key)
{
	struct url url;
	const char *reason;
	bool found = false;

	if (url_parse(key, &url, &reason) < 0)
		return false;
	WITH_LOCK(&f->lock)
		found = hold_find(&f->absent, url.host, clock_wall_ms()) != 0;
	url_fini(&url);
	return found;
}

struct dropping {
	const struct target *targets;
	size_t n;
};

/* Rather one too many: it is only asked for again. */
static bool concerns(const struct target *t, const char *host)
{
	struct url url;
	const char *reason;
	size_t len = strlen(host);
	bool same;

	switch (t->kind) {
	case TARGET_TAG:
	case TARGET_STALE:
		return false;
	case TARGET_HOST:
		return strncmp(t->key, host, len) == 0 &&
		       (t->key[len] == '\0' || t->key[len] == ':');
	case TARGET_KEY:
	case TARGET_PREFIX:
		if (url_parse(t->key, &url, &reason) < 0)
			return true;
		same = strcmp(url.host, host) == 0;
		url_fini(&url);
		return same;
	default:
		return true;
	}
}

static bool any_concerns(const char *host, void *arg)
{
	const struct dropping *d = arg;

	for (size_t i = 0; i < d->n; i++)
		if (concerns(&d->targets[i], host))
			return true;
	return false;
}

void absent_drop(struct fetch *f, const struct target *targets, size_t n)
{
	struct dropping d = { .targets = targets, .n = n };

	WITH_LOCK(&f->lock)
		hold_drop(&f->absent, any_concerns, &d);
}
