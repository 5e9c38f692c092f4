/* meta.h - what HTTP said about one version, and what our policy made of it.
 *
 * A meta is immutable once it was given to a version: a 304 makes a new one
 * (version_set_meta). So holders of a reference read it without a lock.
 *
 * Filled by fetch/, kept by index/: index/ itself only looks at length,
 * usable_until_ms and flags. Times ending in _ms are wall time in milliseconds
 * since 1970 (clock_wall_ms), INT64_MAX meaning never. */
#ifndef INDEX_META_H
#define INDEX_META_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum meta_flags {
	META_STORE = 1 << 0,		/* may be stored and reused (RFC 9111 3) */
	META_RANGES = 1 << 1,		/* the origin does byte ranges */
	META_MUST_REVALIDATE = 1 << 2,	/* never served stale without asking */
	META_HEURISTIC = 1 << 3,	/* fresh_until_ms is a heuristic (4.2.2) */
	META_DECODED = 1 << 4,		/* body was decoded: ranges do not apply */
	META_IMMUTABLE = 1 << 5,	/* RFC 8246 */
	META_REFRESH = 1 << 6,		/* marked stale by a refresh: the origin is to be asked */
	META_WEAK_DATE = 1 << 7,	/* last_modified does not tell bodies apart (RFC 9110 8.8.2.2) */
};

struct meta {
	_Atomic int refs;
	int status;			/* of the final response: 200, 404, ... */
	unsigned flags;			/* enum meta_flags */
	int64_t length;			/* of the body; -1: the origin did not say */
	int64_t mtime_s;		/* Last-Modified, else when it was fetched */
	int64_t request_ms;		/* when the request was sent */
	int64_t response_ms;		/* when its headers were in */
	int64_t fresh_until_ms;		/* served without asking before this */
	int64_t swr_until_ms;		/* served while asking behind, before this */
	int64_t sie_until_ms;		/* served if the origin fails, before this */
	int64_t usable_until_ms;	/* after this nothing can use it: goes first */
	uint64_t vary_sum;		/* of the request's fields that Vary names; 0: none */
	char *etag;			/* with its quotes and W/; NULL: none */
	char *last_modified;		/* as received; NULL: none */
	char *content_type;		/* as received; NULL: none */
	char *headers;			/* "Name: value\n" lines as received; never NULL */
	char *url;			/* where redirects led; NULL: the key itself */
	char *reason;			/* why fresh or not, for people; never NULL */
};

/* All strings NULL but headers and reason (""), all times 0, length -1, one
 * reference. NULL: no memory. */
struct meta *meta_new(void);

/* A copy that is not shared yet, for the 304 that changes some of it. */
struct meta *meta_copy(const struct meta *m);

/* Whether the origin gave the response that tag: Surrogate-Key (tags between spaces) or
 * Cache-Tag (between commas), compared byte by byte. */
bool meta_has_tag(const struct meta *m, const char *tag);

/* Any thread. ref returns m; unref(NULL) does nothing. */
struct meta *meta_ref(struct meta *m);
void meta_unref(struct meta *m);
void meta_unrefp(struct meta **m);	/* for _cleanup_ */

#endif
