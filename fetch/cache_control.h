/* cache_control.h - what Cache-Control, or the field that takes its place, says
 * (RFC 9111 5.2, 5861, 8246, 9213). Pure: no allocation; any thread. */
#ifndef FETCH_CACHE_CONTROL_H
#define FETCH_CACHE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "headers.h"

#define CACHE_CONTROL_MAX_S INT64_C(2147483648)	/* RFC 9111 1.2.2 */

/* Of several directives of one name the first counts (RFC 9111 4.2.1), unless
 * one of them is invalid: then all of them are 0, so the response is stale. */
struct cache_control {
	bool no_store, no_cache, is_private, is_public;
	bool must_revalidate, proxy_revalidate, must_understand, immutable;
	/* Seconds, at most CACHE_CONTROL_MAX_S; -1: not there. */
	int64_t max_age_s, s_maxage_s;
	int64_t stale_while_revalidate_s, stale_if_error_s;
	bool invalid;		/* it cannot be told what was meant: take it as stale */
	bool targeted;		/* from a targeted field: Expires does not count */
};

/* All Cache-Control fields of h. */
void cache_control_parse(const struct headers *h, struct cache_control *ret);

/* The first field of the target list ("CDN-Cache-Control:Other", NULL: none)
 * that is there, valid and not empty; else Cache-Control (RFC 9213 2.2). */
void cache_control_select(const struct headers *h, const char *targets,
			  struct cache_control *ret);

/* no-cache="a, b" and (shared) private="a, b" are about those fields alone: the
 * response can be kept without them (RFC 9111 5.2.2.4, 5.2.2.7). Takes them out
 * of h. Chooses the field as cache_control_select() does. */
void cache_control_drop_fields(struct headers *h, const char *targets, bool shared);

/* delta-seconds (RFC 9111 1.2.2) of len bytes, capped. -1: not a number. */
int64_t cache_control_seconds(const char *text, size_t len);

#endif
