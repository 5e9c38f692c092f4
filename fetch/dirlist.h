/* dirlist.h - what an origin says is in a directory: the result of reading a
 * listing, whatever its form. fs/ may include this.
 *
 * Understood are the pages of nginx (HTML and JSON), Apache, lighttpd, Caddy (HTML
 * and JSON) and Python's http.server, the answer to a PROPFIND (RFC 4918 9.1), and
 * that of S3's ListObjectsV2. Which one it is, its own marks say; a page that only
 * has links is none (dirlist_html.c).
 *
 * Nothing of it is trusted: of all that is linked only what is directly below the
 * directory is a name of it.
 *
 * A list is shared by references, and sorted. What it says of a name may be made
 * exact later; the names never change. Any thread. */
#ifndef FETCH_DIRLIST_H
#define FETCH_DIRLIST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIRLIST_BYTES_MAX (32 * 1024 * 1024)	/* of a page; longer ones are no listing */
#define DIRLIST_NAMES_MAX 1000000
#define DIRLIST_MEMORY_MAX (128 << 20)	/* bytes, of all names */
#define DIRLIST_SEGMENT_MAX (3 * 1023)	/* longer ones are no names, even if all is encoded */
#define DIRLIST_TAGS_MAX 2000000	/* each takes some 100 bytes while it is read */

struct dirlist_entry {
	char *name;		/* one segment of a key: normalised, not decoded */
	bool dir;
	bool exact;		/* size and time are those that a GET would say */
	bool asked;		/* for both with a HEAD, or in vain */
	int64_t size;		/* bytes; -1: unknown */
	int64_t mtime_s;	/* since 1970; -1: unknown */
};

struct dirlist {
	_Atomic int refs;
	_Atomic bool dropped;	/* by a purge: what it says is not to be used any more */
	int64_t fetched_ms;	/* wall: when the last of it was asked for */
	int64_t fresh_until_ms;	/* wall */

	/* Constant once it was sorted, but for what is guarded by lock. */
	pthread_mutex_t lock;	/* leaf: size, mtime_s, exact and asked of the entries */
	struct dirlist_entry *entries;
	size_t n, cap;
	size_t bytes;		/* of memory, about */
};

struct dirlist *dirlist_new(void);		/* NULL: no memory */
struct dirlist *dirlist_ref(struct dirlist *d);
void dirlist_unref(struct dirlist *d);		/* NULL does nothing */
void dirlist_unrefp(struct dirlist **d);	/* for _cleanup_ */

/* Before it is shared. base: the URL that hrefs are relative to, itself ending in '/'. name:
 * decoded; segment: as in a key. 0, also when it is not a name of the directory; -ENOMEM;
 * -E2BIG: too many. e->name is not looked at. */
int dirlist_add_href(struct dirlist *d, const char *base, const char *href,
		     const struct dirlist_entry *e);
int dirlist_add_name(struct dirlist *d, const char *name, const struct dirlist_entry *e);
int dirlist_add_segment(struct dirlist *d, const char *segment, const struct dirlist_entry *e);
void dirlist_sort(struct dirlist *d);		/* by the bytes of names, each once */

/* The number of the entry with that name, or of the first behind it (*ret_found). */
size_t dirlist_find(const struct dirlist *d, const char *name, bool *ret_found);

/* A copy of what is known of entry i; its name is borrowed from d. */
struct dirlist_entry dirlist_get(struct dirlist *d, size_t i);
/* A HEAD said so: exact from now on. -1: it did not say. A time that was listed, if only
 * roughly, is better than none. */
void dirlist_learn(struct dirlist *d, size_t i, int64_t size, int64_t mtime_s);

/* Reads a body of that content type (NULL: not said) and adds its names to d.
 *
 * 0; -ENODATA: that is no listing; -ENOMEM, -E2BIG. */
int dirlist_read_html(const char *base, const char *body, size_t len, struct dirlist *d);
int dirlist_read_json(const char *base, const char *body, size_t len, struct dirlist *d);
int dirlist_read_dav(const char *base, const char *body, size_t len, struct dirlist *d);
/* *ret_more: the token that the rest is to be asked for with, malloc()ed; NULL: that
 * was all. prefix: what the keys begin with, as it was asked for. */
int dirlist_read_s3(const char *prefix, const char *body, size_t len, struct dirlist *d,
		    char **ret_more);

/* Before there are threads. */
void dirlist_init(void);

/* Whether HTML or XML may be parsed: a page can take many times its length in memory. */
bool dirlist_is_bounded(const char *body, size_t len);

/* Whether a body of that type may be one of these at all. */
enum dirlist_form { DIRLIST_NONE, DIRLIST_HTML, DIRLIST_JSON, DIRLIST_XML };
enum dirlist_form dirlist_form_of(const char *content_type);

/* Values as people write them. What cannot be read leaves *e as it is. */
void dirlist_value_size(const char *text, struct dirlist_entry *e, bool *ret_exact);
void dirlist_value_date(const char *text, struct dirlist_entry *e, bool *ret_exact);
bool dirlist_value_iso(const char *text, int64_t *ret_s);	/* RFC 3339 */

#endif
