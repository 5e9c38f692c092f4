/* policy.h - what the configuration says of a URL: how long it is kept, how much of it,
 * and how its origin is asked.
 *
 * Everything in here is constant after the start, and pure: any thread. Strings and arrays
 * are borrowed from who filled them in. Only a header_file changes, under its own lock. */
#ifndef FETCH_POLICY_H
#define FETCH_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hosts;
struct header_file;

/* Globs (glob.h), whose '*' stands for '/' too. */
struct globs {
	char **items;
	size_t n;
};

struct policy {
	const char *from;		/* for people: "mount", "origin img", "rule img *.jpg" */

	int64_t ttl_ms;			/* forces; -1: not */
	int64_t default_ttl_ms;
	int64_t max_ttl_ms;		/* -1: none */
	int64_t negative_ttl_ms;
	int64_t stale_if_error_ms;
	int64_t stale_while_revalidate_ms;
	int refresh_ahead;		/* percent of the time it is fresh; 0: not */
	const char *targeted;		/* RFC 9213 target list "A:B"; NULL: none */

	struct globs only, bypass;	/* policy_stores() */
	int64_t max_object;		/* bytes; -1: none */
	const char *keep;		/* fields to keep beside the usual: "A:B", globs; or NULL */

	bool sort_query;		/* policies_key() */
	const char *ignore_query;	/* "NAME:NAME", globs; NULL or "": none */

	const char *const *headers;	/* "Name: value", NULL at the end */
	struct header_file *header_file;	/* more of them; NULL: none */
	const char *user_agent;
	const char *cacert, *proxy;	/* NULL: curl's defaults */
	bool netrc;
	int retries;
	int64_t connect_timeout_ms, stall_timeout_ms;
	int max_per_host;		/* transfers at the same time; 0: any number */
	int64_t rate;			/* bytes a second, of all transfers from a host; -1: any */
	const void *rate_of;		/* those with the same share one rate */
};

/* An origin with a name. */
struct policy_origin {
	const char *name;
	const char *url;		/* a key that ends in '/': its URLs begin so */
	struct policy policy;
};

/* What is said of some of the URLs of an origin or of hosts. */
struct policy_rule {
	/* Whose: of this one, glob is about what is below its url; or of these hosts, whichever
	 * origin. Both NULL: of all. */
	const struct policy_origin *origin;
	const struct hosts *hosts;
	const char *glob;		/* policy_glob() */
	const struct policy *policies;	/* [0]: URLs of no origin, [1 + i]: those of origins[i] */
};

struct policies {
	struct policy general;
	const struct policy_origin *origins;
	size_t n_origins;
	const struct policy_rule *rules;
	size_t n_rules;
};

/* Of the first rule that matches, else of the origin, else the general one. */
const struct policy *policies_find(const struct policies *p, const char *key);

/* The origin with the longest url that key begins with, or NULL; and the one of that name. */
const struct policy_origin *policies_origin(const struct policies *p, const char *key);
const struct policy_origin *policies_named(const struct policies *p, const char *name);

/* Whether url may be asked for key because one of the named origins has it: it lies
 * below one's url, or redirects stay on the origin of one that key belongs to. */
bool policies_own(const struct policies *p, const char *key, const char *url);

/* Whether dir_key is above, or below, the url of an origin: a directory on the way. */
bool policies_on_the_way(const struct policies *p, const char *dir_key);

/* The key under which a normalised URL is stored: with sorted parameters, and without
 * those that make no difference. *ret NULL: it is its own key. 0 or -ENOMEM. */
int policies_key(const struct policies *p, const char *url, char **ret);

/* Whether what came for key may be stored: it matches `only`, if there is any, and no
 * `bypass`. */
bool policy_stores(const struct policies *p, const struct policy *policy, const char *key);
bool policies_store(const struct policies *p, const char *key);	/* by the policy it has */

/* The form in which a glob is compared with URLs: bytes that a URL cannot have are
 * percent-encoded. NULL: no memory. */
char *policy_glob(const char *text);

/* Whether it is one that makes a request: a field that is not the cache's own to send.
 * 0 or -EINVAL with *ret_reason (static). */
int policy_check_header(const char *line, const char **ret_reason);

/* Whether the field is one of "NAME:NAME", globs. NULL: none. */
bool policy_names_field(const char *list, const char *name);

/* A file of header lines, read again once it has changed. On an error a sentence stands in
 * reason. */
int header_file_open(const char *path, struct header_file **ret, char *reason, size_t len);
void header_file_free(struct header_file *h);

#endif
