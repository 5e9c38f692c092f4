/* warm_tally.h - how far the warm lists have got, and what failed of them, for people.
 *
 * No lock of its own: the caller's. */
#ifndef FS_WARM_TALLY_H
#define FS_WARM_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "warm_list.h"

#define WARM_LISTS_MAX 32	/* remembered; the oldest that have ended go first */
#define WARM_FAILURES_MAX 64	/* the latest ones */

struct warm_count {
	char name[WARM_NAME_MAX];
	int64_t queued, active, done, failed;
};

struct warm_failure {
	char name[WARM_NAME_MAX];	/* of its list */
	char *key;
	const char *why;		/* static */
	int64_t time_ms;		/* wall */
};

struct warm_tally {
	struct warm_count lists[WARM_LISTS_MAX];	/* oldest first */
	size_t n_lists;
	struct warm_failure failures[WARM_FAILURES_MAX];	/* a ring */
	size_t n_failures;		/* ever; the latest is at (n_failures - 1) % MAX */
};

void warm_tally_fini(struct warm_tally *t);

/* The count of a list; made when it is not there. NULL: too many lists have not ended. */
struct warm_count *warm_tally_find(struct warm_tally *t, const char *name);

void warm_tally_failed(struct warm_tally *t, const struct warm_item *item, const char *why);

/* Members "lists" and "failures" of an object. */
void warm_tally_render(const struct warm_tally *t, struct buf *to);

#endif
