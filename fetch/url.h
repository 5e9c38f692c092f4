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

/* 0; -EINVAL, -ENOMEM: *ret_reason (static; may be NULL) says why. Refused is what
 * two readers could take for two things: control bytes, a backslash or a second '@' before
 * the path, numbers that are no IPv4 address, more than 64 KiB. IPv4 addresses in
 * any spelling become dotted quads, IPv6 as RFC 5952 has it; the dot at the end of
 * a host goes. */
int url_parse(const char *text, struct url *ret, const char **ret_reason);
void url_fini(struct url *u);
char *url_format(const struct url *u);		/* the key; without user. NULL: no memory */
char *url_origin(const struct url *u);		/* "https://host[:port]" */
/* Normalise in one go. */
int url_normalise(const char *text, char **ret, const char **ret_reason);
/* RFC 3986 5: Location or href against a key. White space around it is ignored.
 * -EINVAL for anything but http and https. */
int url_resolve(const char *base, const char *reference, char **ret);
bool url_same_origin(const char *a, const char *b);

/* A list of hosts: "HOST[:HOST...]", where '*' stands for any bytes and '?' for one, and
 * an IPv6 address has its brackets. -EINVAL: *ret_reason (static) says why; -ENOMEM. */
struct hosts;
int hosts_parse(const char *list, struct hosts **ret, const char **ret_reason);
void hosts_free(struct hosts *h);
bool hosts_match(const struct hosts *h, const char *key);	/* the host of a key */
/* The i-th that has no wildcard, normalised, IPv6 without brackets; NULL: no more. */
const char *hosts_name(const struct hosts *h, size_t i);

/* Names. A name of a directory is one path segment, percent-decoded where that
 * gives a legal name: not '/' (%2F), not NUL, not "." or "..", and only if the
 * encoding is the one we would make again; else it stays encoded. '?' begins the
 * query, part of the last name; a '/' in it is shown as "%2f". Both are each
 * other's inverse, so a name that looks encoded but need not be is meant
 * literally: "a%20b" is the segment "a%2520b" (url_name.c has the rule).
 *
 * A name has 1 to 1023 bytes. -ENAMETOOLONG, -EINVAL: not a name that a URL can
 * have. -ENOMEM. malloc()ed. A segment need not be normal. */
int url_name_to_segment(const char *name, char **ret);	/* encoded, for a key */
int url_segment_to_name(const char *segment, char **ret);	/* as shown */

#endif
