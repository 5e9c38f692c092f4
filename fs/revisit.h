/* revisit.h - which thread is to see a name as the file, for its next walk.
 *
 * The kernel does not say whether a LOOKUP is for the last name of a path, so a name
 * that is both page and prefix is answered as a directory. Who then opens or stats it
 * gets ESTALE, upon which the kernel walks the path again with LOOKUP_REVAL
 * (fs/namei.c, retry_estale), in the same thread: it sends one LOOKUP to revalidate
 * the directory, and one for what the name is instead. Those two get the file. The
 * next ones, of this thread too, get the directory: it may be on its way to a name
 * below.
 *
 * Any thread. */
#ifndef FS_REVISIT_H
#define FS_REVISIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/list.h"

struct version;

struct revisits {
	pthread_mutex_t lock;
	struct list entries;		/* struct revisit, oldest first; guarded by lock */
	int n;
};

#define REVISIT_MS 2000			/* how long a walk may take to come */
#define REVISIT_LOOKUPS 2
#define REVISITS_MAX 4096		/* the oldest goes */

void revisits_init(struct revisits *r);
void revisits_fini(struct revisits *r);

/* ESTALE is about to be the answer to thread pid about the directory ino, known as
 * name in parent. Takes a reference of v of its own. 0 or -ENOMEM. */
int revisit_add(struct revisits *r, pid_t pid, uint64_t ino, uint64_t parent,
		const char *name, struct version *v);

/* The version that this LOOKUP is to be answered with (new reference), or NULL: the
 * walk is not one of ours, or it is over. */
struct version *revisit_take(struct revisits *r, pid_t pid, uint64_t parent,
			     const char *name);

/* Thread pid asks about directory ino again, and no LOOKUP came since ESTALE: it
 * has no name for it (".", a descriptor), so it can only mean the directory. */
bool revisit_came_back(struct revisits *r, pid_t pid, uint64_t ino);

#endif
