/* vary.h - whether a stored response was an answer to the request that we would send
 * now (RFC 9111 4.1). Pure; any thread.
 *
 * Within one mount the fields of its requests are constant, so there is one variant of
 * a URL; but the next mount of the same cache may send others. What is kept of those
 * that Vary names is a sum: they may be secrets. */
#ifndef FETCH_VARY_H
#define FETCH_VARY_H

#include <stdbool.h>
#include <stdint.h>

#include "headers.h"

/* What we send to one origin. Borrowed; NULL: nothing. */
struct vary_request {
	const char *const *fields;	/* "Name: value", NULL at the end */
	const char *const *more;	/* those of a file */
	const char *user_agent;
	const char *user;		/* "user:password" */
	bool netrc;
};

/* Whether it asks for something with Accept. Many origins choose by it and do not say so:
 * then it counts as if Vary named it. */
bool vary_by_accept(const struct vary_request *r);

/* Of what the request has for the names in the response's Vary. 0: it has no Vary. */
uint64_t vary_sum(const struct vary_request *r, const struct headers *response);

#endif
