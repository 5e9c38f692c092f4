/* freshness.h - may it be stored, and how long is it fresh? (RFC 9111, 5861,
 * 8246, 9213). Pure: no clock, no I/O, no allocation; any thread.
 *
 * A 206 is judged as the 200 it is a part of; a 304 never (its fields go into the
 * stored ones first, headers_update()). Vary: * is not stored: nothing could ever
 * be answered with it. Pragma means nothing in a response (RFC 9111 5.4). */
#ifndef FETCH_FRESHNESS_H
#define FETCH_FRESHNESS_H

#include <stdbool.h>
#include <stdint.h>

#include "headers.h"

/* What the mount's options say. */
struct freshness_policy {
	bool shared;			/* a shared cache */
	bool authorized;		/* the request carried Authorization (RFC 9111 3.5) */
	/* Forces how long a success or lasting redirect is fresh, counted from the
	 * response, whatever it says; not whether it may be stored. -1: not. */
	int64_t ttl_ms;
	int64_t default_ttl_ms;		/* for these when nothing else says */
	int64_t max_ttl_ms;		/* for all but ttl_ms; -1: none */
	int64_t negative_ttl_ms;	/* 404 and 410 without explicit freshness */
	int64_t stale_if_error_ms;	/* default window when the response has none */
	int64_t stale_while_revalidate_ms;
	const char *targeted;		/* "CDN-Cache-Control:Other", NULL: none */
};

struct freshness_input {
	int status;
	const struct headers *headers;
	int64_t request_ms, response_ms;	/* wall */
};

struct freshness_verdict {
	bool store;			/* may be kept and reused at all; false: the rest is 0 */
	int64_t lifetime_ms;		/* freshness lifetime */
	int64_t age_ms;			/* corrected initial age, at response_ms (4.2.3) */
	int64_t swr_ms;			/* stale-while-revalidate window after it; 0 none */
	int64_t sie_ms;			/* stale-if-error window after it; 0 none */
	bool must_revalidate;		/* must-revalidate, no-cache; shared: proxy-revalidate, s-maxage */
	bool heuristic;			/* not said by the response (4.2.2, default_ttl, negative_ttl) */
	bool immutable;
	const char *reason;		/* static: "max-age", "Expires", "heuristic", "no-store", ... */
};

/* corrected_initial_age (4.2.3) in milliseconds: how old it was when it came. */
int64_t freshness_initial_age_ms(const struct freshness_input *in);

void freshness_verdict(const struct freshness_policy *policy,
		       const struct freshness_input *in, struct freshness_verdict *ret);

#endif
