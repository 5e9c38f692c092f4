/* listers.h - who lists which directory now, or did a moment ago.
 *
 * Programs that list a directory then look at each name in it: ls -l, find, cp -r. What
 * they are told of it comes from the listing, or from a HEAD each, and the file is asked
 * for when they open it. Everybody else who looks up a name is about to open it.
 *
 * LOOKUP does not say what it is for. A lister's first one of a name is taken for a look
 * at it, the next for an open. While it reads names (ls -l looks at each at once) the
 * kernel may remember what it was told; at the end it is made to ask again. Any thread. */
#ifndef FS_LISTERS_H
#define FS_LISTERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/list.h"

struct dirlist;
struct version;

#define LISTERS_MAX 1024		/* the oldest goes */
#define LISTER_MS 10000			/* from closing it, or from one look to the next */
#define LISTER_END_MS 120000		/* and no longer than this in all */

struct listers {
	pthread_mutex_t lock;
	struct list all;		/* struct lister, oldest first; guarded by lock */
	size_t n;
};

void listers_init(struct listers *ls);
void listers_fini(struct listers *ls);

/* key: of a directory. Thread pid opened it. Returns the process it belongs to, which may be gone
 * when the directory is closed. */
pid_t listers_open(struct listers *ls, pid_t pid, const char *key, struct dirlist *d);
void listers_close(struct listers *ls, pid_t process, const char *key);

/* It has read all names. True: it looked at some while it did so, which the kernel may
 * have been told to remember. */
bool listers_end(struct listers *ls, pid_t process, const char *key);

struct look {
	struct dirlist *list;		/* a reference */
	size_t entry;
	bool first;			/* of this entry by this lister */
	bool reading;			/* it still reads names, so that listers_end() will come */
	size_t ahead;			/* entries before this one were asked about ahead */
};

/* Thread pid looks up the name with that segment. False: it is no lister, or the name is
 * not listed. */
bool listers_take(struct listers *ls, pid_t pid, const char *key, const char *segment,
		  struct look *ret);

/* What it was shown is not to be forgotten before it opens that: it may compare inode
 * numbers. Takes a reference of v of its own. */
void listers_keep(struct listers *ls, pid_t pid, const char *key, const char *segment,
		  struct version *v);

/* Entries before `ahead` have been asked about. */
void listers_note_ahead(struct listers *ls, const char *key, const struct dirlist *d,
			size_t ahead);

#endif
