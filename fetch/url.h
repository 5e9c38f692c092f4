/* url.h - URLs: parsed, normalised, and names <-> paths. Pure; any thread.
 *
 * A key is a normalised absolute http(s) URL: lower-case scheme and host, IDNA
 * host in ASCII, no default port, no fragment, no user, dot segments resolved,
 * percent-encoding with upper-case hex and only where needed (unreserved bytes
 * decoded), empty path "/". Path and query keep their case. */
#ifndef FETCH_URL_H
#define FETCH_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct url {
	char *scheme;		/* "http", "https" */
	char *user;		/* "user:password" as it stood, or NULL */
	char *host;		/* normalised; IPv6 without brackets */
	uint16_t port;		/* the default one filled in */
	char *path;		/* begins with '/', normalised */
	char *query;		/* without '?', NULL: none ("a?" has an empty one) */
};

/* 0; -EINVAL: *ret_reason (static) says why. */
int url_parse(const char *text, struct url *ret, const char **ret_reason);
void url_fini(struct url *u);
char *url_format(const struct url *u);		/* the key; without user. NULL: no memory */
char *url_origin(const struct url *u);		/* "https://host[:port]" */
/* Normalise in one go. */
int url_normalise(const char *text, char **ret, const char **ret_reason);
/* RFC 3986 5: Location or href against a key. */
int url_resolve(const char *base, const char *reference, char **ret);
bool url_same_origin(const char *a, const char *b);

/* Names. A name of a directory is one path segment, percent-decoded where that
 * gives a legal name: not '/' (%2F), not NUL, not "." or "..", and only if the
 * encoding is the one we would make again; else it stays encoded. '?' begins the
 * query, part of the last name. Both are each other's inverse.
 *
 * -ENAMETOOLONG, -EINVAL: not a name that a URL can have. malloc()ed. */
int url_name_to_segment(const char *name, char **ret);	/* encoded, for a key */
int url_segment_to_name(const char *segment, char **ret);	/* as shown */

#endif
