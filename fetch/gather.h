/* gather.h - one gathering of what an origin lists. Private to dirs.c and gather*.c; thread
 * L but where one says otherwise. */
#ifndef FETCH_GATHER_H
#define FETCH_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "fetch_private.h"

enum gather_state { GATHER_BEGUN, GATHER_ASKED, GATHER_READING };

struct gather {
	struct list message;		/* dirs.inbox */
	struct dirs *dirs;
	char *key;			/* of the directory */

	/* guarded by dirs.lock */
	struct map_node node;
	bool joinable, purged;
	struct list wants;

	/* thread L, and who it waits for while it does */
	struct list link;		/* dirs.all */
	enum gather_state state;
	enum dirs_way way;
	bool detected;			/* the way was found out, not said */
	int pages;
	char *bucket, *prefix, *more;	/* S3 */
	bool bucket_is_guess;
	struct dirlist *list;		/* a reference */
	int64_t asked_ms, fresh_until_ms;	/* wall */

	struct want want;
	int err;			/* what the want brought ... */
	struct version *v;		/* ... a reference */
	int64_t fresh_ms;
	struct waiter waiter;
	struct buf body;
};

struct gather *gather_new(struct dirs *ds, const char *key);	/* any thread; NULL: no memory */
void gather_free(struct gather *g);
void gather_leave(struct gather *g);	/* dirs.lock held: cannot be joined any more */

/* What was posted to dirs.inbox is there. */
void gather_step(struct gather *g);

/* err -ENODATA: there is no listing, which is worth remembering, as are errors for a
 * moment. Answers everyone. Takes g. */
void gather_finish(struct gather *g, int err);

/* gather_way.c: 0, -ENODATA: no such way; -ENOMEM. */
int gather_choose_way(struct gather *g);
int gather_use_bucket(struct gather *g, const char *bucket, size_t len);
int gather_guess_bucket(struct gather *g, bool in_path);	/* else in the host's name */
void gather_note_way(struct gather *g, bool works);	/* or (DAV) does not */
bool gather_may_try_dav(struct gather *g, int err);	/* after that answer to a page */

/* gather_read.c: takes a step towards having read g->v. 0: all was read; -EAGAIN with *ret_ask:
 * something else is to be asked, without it: g will be posted again; other -errno. */
int gather_read(struct gather *g, bool *ret_ask);
/* Before any of it is read: -ENODATA: it cannot be one. */
int gather_judge(const struct gather *g);

#endif
