/* fetch.h - how do we get it? The door of fetch/.
 *
 * fetch_want() gives the version that a key shows, fresh by HTTP's rules:
 * stored, joined with a transfer that runs already, or fetched. fetch_need()
 * keeps bytes coming for readers. Owns thread F (epoll and curl).
 *
 * Any thread may call all but new/start/stop/free. Callbacks come from thread F
 * or I, with no lock held. */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/list.h"
#include "../index/index.h"
#include "dirlist.h"
#include "policy.h"

struct fetch;
struct hosts;

/* What is asked in order to see a directory. AUTO: the page at its URL; if that is of a
 * bucket, S3; if it is refused, once for each origin whether that does WebDAV. */
enum listing_way { LISTING_AUTO, LISTING_OFF, LISTING_HTML, LISTING_JSON, LISTING_DAV, LISTING_S3 };

struct fetch_config {
	struct index *index;		/* borrowed */
	const char *base_url;		/* the mount's own origin: may be a private address; NULL: web */
	bool shared;			/* a shared cache in the sense of RFC 9111 */
	bool allow_private;
	const struct hosts *allow;	/* who may be asked beside base_url's origin; NULL: all; borrowed */
	bool offline;			/* to begin with: fetch_set_offline() */
	enum listing_way listing;
	int max_transfers;
	const struct policies *policies;	/* what else is said of each URL; borrowed */
};

/* How a want was answered: the words of nginx's $upstream_cache_status. */
enum cache_status {
	CACHE_HIT, CACHE_MISS, CACHE_STALE, CACHE_UPDATING, CACHE_REVALIDATED,
	CACHE_EXPIRED, CACHE_BYPASS, CACHE_NEGATIVE,
};
const char *cache_status_name(enum cache_status s);

/* One caller's wish for one key. Embed it; lent from fetch_want() until done. */
struct want {
	struct list link;	/* fetch's */
	/* Once, with no lock held. err 0: v is a version with a 2xx status and its
	 * length known, and its row committed: one new reference, the callee's.
	 * err < 0: the errno of the outcome table, v NULL. fresh_ms: for how long
	 * the answer may be given again without asking (0: not at all). */
	void (*done)(struct want *w, int err, struct version *v, int64_t fresh_ms);
	enum cache_status status;	/* set before done */
	int http_status;		/* the same: of the response that decided; 0: none */
	void *transfer;			/* fetch's */
	unsigned flags;			/* fetch's */
};

enum want_flags {
	WANT_CACHED = 1,	/* only what is stored, however stale; never ask: -ENOENT */
	WANT_RELOAD = 2,	/* ask the origin even when fresh */
	WANT_WARM = 4,		/* ahead of any reader: not counted as a name that was used */
};

int fetch_new(const struct fetch_config *config, struct fetch **ret);
int fetch_start(struct fetch *f);	/* after fork(): starts thread F */
void fetch_stop(struct fetch *f);	/* ends transfers; everyone waiting gets -EINTR */
void fetch_free(struct fetch *f);

/* url: a normalised one (url.h). It is stored by the key that it has (policies_key()); of
 * those who join, the first one's is sent. Answers through w->done, possibly
 * before this returns. */
void fetch_want(struct fetch *f, const char *url, unsigned flags, struct want *w);

/* --- directories --- */

/* One caller's wish to see a directory; as struct want. */
struct dir_want {
	struct list link;	/* fetch's */
	/* Once, with no lock held, from thread L or at once. err 0: d is what the origin
	 * lists, one new reference. -ENODATA: it has no listing there. Else the errno of
	 * the outcome table. */
	void (*done)(struct dir_want *w, int err, struct dirlist *d);
};

/* key: of a directory, ends in '/'. fetch_list_cancel(): as fetch_cancel(). */
void fetch_list(struct fetch *f, const char *key, struct dir_want *w);
bool fetch_list_cancel(struct fetch *f, struct dir_want *w);

/* What was listed there last, as long as that is remembered: new reference, or NULL.
 * Asks nobody. *ret_known: also that there is none is known, and fresh. */
struct dirlist *fetch_list_known(struct fetch *f, const char *key, bool *ret_known);

/* A file of which a listing says size and time: a version that is asked for when somebody
 * reads it (index_promise()). size > 0. */
int fetch_promise(struct fetch *f, const char *key, int64_t size, int64_t mtime_s,
		  struct version **ret);

/* The key of the question what a GET of key would say, which is sent as HEAD: who wants it
 * gets a version without content, for the other one. malloc()ed, NULL: no memory. -1: the
 * origin did not say. */
char *fetch_head_key(const char *key);
void fetch_head_read(struct version *head, int64_t *ret_size, int64_t *ret_mtime_s);

/* Offline, wants are answered from what is stored, however stale, else with -ENETDOWN.
 * Transfers under way go on. */
void fetch_set_offline(struct fetch *f, bool offline);
bool fetch_is_offline(const struct fetch *f);

/* Whether v, which is what is stored of its key, is an answer to what this mount sends:
 * another mount of the same cache may have sent other headers (Vary, RFC 9111 4.1). Who
 * shows stored versions without fetch_want() is to ask. */
bool fetch_selects(const struct fetch *f, struct version *v);

/* How old the response is (RFC 9111 4.2.3), what it was when it came included. */
int64_t fetch_age_s(const struct meta *m);

/* The caller does not want it any more. True: done will not be called, w is
 * the caller's again. False: done was called or is being called. The transfer
 * goes on. */
bool fetch_cancel(struct fetch *f, struct want *w);

/* Someone waits for bytes [off, end) of v (version_read said -EAGAIN). Cheap
 * when they are on their way already. */
void fetch_need(struct fetch *f, struct version *v, int64_t off, int64_t end);

/* What is being fetched: a snapshot, in no order that means anything. 0, -ENOMEM, or
 * -ETIMEDOUT: thread F is held up (waits up to 2 s for it). fetch_transfers_free(). */
struct fetch_transfer {
	char *key;
	const char *kind;		/* "get", "warm", "range", "head", "list"; static, as state */
	const char *state;		/* "queued", "running", "paused", "retrying" */
	int64_t from, bytes;		/* first byte of the body asked for, how many came */
	int64_t length;			/* of the whole body; -1: not known yet */
	int64_t age_ms;
	int retries;
};
int fetch_transfers(struct fetch *f, struct fetch_transfer **ret, size_t *ret_n);
void fetch_transfers_free(struct fetch_transfer *list, size_t n);

/* Nobody who asks from now on gets what was requested before: transfers under
 * way are not joined any more, what they bring is not kept, and what is stored
 * goes (index_purge). Exact when it returns. */
int fetch_purge(struct fetch *f, const struct target *targets, size_t n, int64_t *ret_removed);

/* The same, but what is stored stays, marked stale (index_refresh): whoever asks from now
 * on makes it be asked for again. */
int fetch_refresh(struct fetch *f, const struct target *targets, size_t n, int64_t *ret_marked);

#endif
