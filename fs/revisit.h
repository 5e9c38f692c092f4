/* revisit.h - which thread is to see a name as which file, for its next LOOKUPs.
 *
 * The kernel says neither whether a LOOKUP is for the last name of a path, nor whether
 * it is to revalidate what it remembers or to find what is there instead.
 *
 * Sent back: a name that is both page and prefix is answered as a directory. Who then
 * opens or stats it gets ESTALE, upon which the kernel walks the path again with
 * LOOKUP_REVAL (fs/namei.c, retry_estale), in the same thread: one LOOKUP revalidates the
 * directory, and one finds what the name is instead. Those two get the file. The next
 * ones, of this thread too, get the directory: it may be on its way to a name below.
 *
 * Replaced: an answer that differs from what the kernel remembers makes it ask once more
 * (fs/fuse/dir.c, fuse_dentry_revalidate). That is the same question: it gets the same
 * answer, also when that may not be given to anybody else.
 *
 * Other threads that walk through the name meanwhile put the directory back into the
 * kernel's memory, and each time the kernel asks twice more (fs/namei.c, lookup_open).
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
#define REVISIT_NEXT_MS 100		/* and then each further LOOKUP of it */
#define REVISIT_LOOKUPS 2
#define REVISIT_EXTRA_MAX 32		/* LOOKUPs more because of others */
#define REVISITS_MAX 4096		/* the oldest goes */

void revisits_init(struct revisits *r);
void revisits_fini(struct revisits *r);

/* ESTALE is about to be the answer to thread pid about the directory ino, known as
 * name in parent. Takes a reference of v of its own. 0 or -ENOMEM. */
int revisit_sent_back(struct revisits *r, pid_t pid, uint64_t ino, uint64_t parent,
		      const char *name, struct version *v);

/* v is about to be the answer to thread pid, which remembers name as something else.
 * entry_ms: how long that answer may be trusted. Does nothing without memory. */
void revisit_replaced(struct revisits *r, pid_t pid, uint64_t parent, const char *name,
		      struct version *v, int64_t entry_ms);

/* What this LOOKUP is to be answered with (new reference), and for how long that may be
 * trusted; or NULL: the walk is not one of ours, or it is over. To be called for every
 * LOOKUP of a name that may be a file. */
struct version *revisit_take(struct revisits *r, pid_t pid, uint64_t parent,
			     const char *name, int64_t *ret_entry_ms);

/* Something was purged or refreshed: LOOKUPs from now on are new questions. */
void revisits_purged(struct revisits *r);

/* Thread pid asks about directory ino again, and no LOOKUP came since ESTALE: it
 * has no name for it (".", a descriptor), so it can only mean the directory. */
bool revisit_came_back(struct revisits *r, pid_t pid, uint64_t ino);

#endif
