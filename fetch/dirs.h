/* dirs.h - what origins list: asked for, read, and remembered.
 *
 * One gathering for each directory that somebody wants to see; who comes meanwhile joins
 * it. It asks with wants, as many as it takes (a bucket comes in pages), and reads what
 * came on thread L, since parsing may take longer than thread F should be held up. The
 * result is remembered in memory, within bounds, as long as HTTP says; the page itself is
 * stored like any response. */
#ifndef FETCH_DIRS_H
#define FETCH_DIRS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "../base/inbox.h"
#include "../base/list.h"
#include "../base/map.h"

struct fetch;
struct dirlist;
struct gather;

struct dirs {
	struct fetch *fetch;

	/* guarded by lock (leaf, but for dirlist.lock) */
	pthread_mutex_t lock;
	struct map gathers;		/* those that can be joined, by key */
	struct map known;		/* struct known, by key */
	struct list oldest;		/* the same, in the order they came */
	size_t n_known, bytes;
	struct list origins;		/* struct dirs_origin */
	size_t n_origins;

	/* thread L */
	struct inbox inbox;		/* struct gather */
	struct list all;		/* gathers */
	struct list stop;		/* the message to end */
	pthread_t thread;
	bool started, stopping;
};

void dirs_init(struct dirs *ds, struct fetch *f);
int dirs_start(struct dirs *ds);
void dirs_stop(struct dirs *ds);	/* after thread F: everyone waiting gets -EINTR */
void dirs_fini(struct dirs *ds);

/* Nobody who asks from now on sees what was listed before. */
void dirs_drop(struct dirs *ds);

/* What was listed of that file is not so: whoever looks it up gets the file. */
void dirs_distrust(struct dirs *ds, const char *key);

/* --- dirs_known.c: lock held --- */

/* Takes a reference of d of its own; NULL: there is no listing. */
void dirs_remember(struct dirs *ds, const char *key, struct dirlist *d, int64_t until_ms);
/* New reference, or NULL; *ret_fresh: may be used unasked (also that there is none). */
struct dirlist *dirs_recall(struct dirs *ds, const char *key, bool *ret_fresh);
void dirs_forget_all(struct dirs *ds);

/* How an origin lists, as far as it was found out. */
enum dirs_way { DIRS_PAGE, DIRS_DAV, DIRS_S3 };
struct dirs_origin {
	struct list link;
	char *origin;			/* "https://host:port", ends in '/' */
	enum dirs_way way;
	bool no_dav;			/* was asked, and does not */
	char *bucket;			/* S3: its URL, ends in '/' */
};
struct dirs_origin *dirs_origin_of(struct dirs *ds, const char *key);	/* NULL: no memory */
void dirs_forget_origins(struct dirs *ds);

#endif
