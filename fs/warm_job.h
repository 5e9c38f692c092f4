/* warm_job.h - one item of a warm list being fetched, to its last byte.
 *
 * Owned by the warm thread, which alone starts, steps and ends it. It is told through
 * warm_awake() when a step makes sense, from any thread. */
#ifndef FS_WARM_JOB_H
#define FS_WARM_JOB_H

#include <stdbool.h>

#include "../base/list.h"
#include "../fetch/fetch.h"
#include "warm_list.h"

struct fs;

struct warm_job {
	struct list link, awake_link;	/* warm.c's; guarded by its lock */
	struct fs *fs;
	struct warm_item *item;		/* owned */
	struct want want;
	struct waiter waiter;

	/* Guarded by the lock of struct warm. */
	bool answered, waiting;		/* want was; a waiter was left that was not woken */

	/* Constant once answered. */
	int err;
	struct version *v;		/* a reference */

	/* Warm thread. */
	int64_t reached;		/* bytes of the body seen from its start on */
};

/* Asks for item, which it takes. It may be answered before this returns. NULL: no
 * memory, item is the caller's. Not yet waiting for anything: link it before asking. */
struct warm_job *warm_job_new(struct fs *fs, struct warm_item *item);
void warm_job_ask(struct warm_job *job);

/* Once it was answered or woken. -EAGAIN: not yet; 0: all of it is stored; -EPERM: it may
 * not be; -ENOSPC: there is no room; -ESTALE: it was purged or changed meanwhile;
 * -EREMOTEIO: the origin failed, a stale one is stored; -errno of fetch_want(). */
int warm_job_step(struct warm_job *job);

/* Whether key need not be asked for. */
bool warm_job_is_fresh(struct fs *fs, const char *key);

/* Whether the origin had to be asked; once it was answered. */
bool warm_job_asked(const struct warm_job *job);

/* Lets go of what it waits for. False: it was answered or woken just now, or is being. */
bool warm_job_cancel(struct warm_job *job);

/* Nothing may still wake it. The item is the caller's again. */
struct warm_item *warm_job_free(struct warm_job *job);

#endif
