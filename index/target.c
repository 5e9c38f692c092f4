/* target.c - what a purge is about, and what it does to whom it matches. */
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "index_private.h"

/* With one star to go back to at a time: linear in most cases, never worse than the
 * product of both lengths. */
static bool glob_matches(const char *glob, const char *key)
{
	const char *star = NULL, *again = NULL;

	while (*key) {
		if (*glob == TARGET_STAR) {
			star = glob++;
			again = key;
		} else if (*glob == *key) {
			glob++;
			key++;
		} else if (star) {
			glob = star + 1;
			key = ++again;
		} else {
			return false;
		}
	}
	while (*glob == TARGET_STAR)
		glob++;
	return !*glob;
}

/* With its port, if host has one; else whatever the port is. */
static bool host_matches(const char *host, const char *key)
{
	size_t len = strlen(host);

	key = strstr(key, "://");
	if (!key || strncmp(key + 3, host, len) != 0)
		return false;
	key += 3 + len;
	return *key == '/' || *key == '\0' || *key == ':';
}

bool target_matches(const struct target *t, const char *key, const struct meta *m)
{
	switch (t->kind) {
	case TARGET_KEY:
		return strcmp(t->key, key) == 0;
	case TARGET_PREFIX:
		return strncmp(t->key, key, strlen(t->key)) == 0;
	case TARGET_ALL:
		return true;
	case TARGET_GLOB:
		return glob_matches(t->key, key);
	case TARGET_HOST:
		return host_matches(t->key, key);
	case TARGET_TAG:
		return m && meta_has_tag(m, t->key);
	case TARGET_STALE:
		return m && m->fresh_until_ms <= t->before_ms;
	}
	return false;
}

bool target_matches_any(const struct target *targets, size_t n, const char *key, const struct meta *m)
{
	for (size_t i = 0; i < n; i++)
		if (target_matches(&targets[i], key, m))
			return true;
	return false;
}

const char *target_scope(const struct target *t, size_t *ret_len)
{
	switch (t->kind) {
	case TARGET_KEY:
	case TARGET_PREFIX:
		*ret_len = strlen(t->key);
		return t->key;
	case TARGET_GLOB:
		*ret_len = strcspn(t->key, (const char[]){ TARGET_STAR, '\0' });
		return t->key;
	default:
		*ret_len = 0;
		return "";
	}
}

struct meta *target_refreshed(const struct meta *m)
{
	struct meta *stale = meta_copy(m);
	int64_t now = clock_wall_ms();
	char *reason = strdup("marked stale by a refresh");

	if (!stale || !reason) {
		meta_unref(stale);
		free(reason);
		return NULL;
	}
	if (stale->fresh_until_ms > now)
		stale->fresh_until_ms = now;
	stale->flags |= META_REFRESH;
	/* The next open is to wait for the origin's word. */
	stale->swr_until_ms = 0;
	free(stale->reason);
	stale->reason = reason;
	return stale;
}
