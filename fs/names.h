/* names.h - the names of an open directory, in the order in which they are given: what
 * the index knows below it and what its origin lists, each once, by their bytes. They are
 * remembered, so that offsets stay true while the cache changes: offset N is behind the
 * N-th name. Those of the index are taken from it a page at a time, as far as somebody
 * reads. The caller keeps to one thread at a time. */
#ifndef FS_NAMES_H
#define FS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct dirlist;
struct fs;
struct inode;

#define NAMES_UNKNOWN_INO 0xffffffff

struct listed {
	char *name;			/* as shown */
	char *key;			/* of a file that may be shown with its size; NULL: of none,
					 * or (S_IFREG) of what only the dirlist has: that entry's */
	uint64_t ino;
	mode_t type;
	bool stored;			/* the index knows it */
	ssize_t entry;			/* of the dirlist; -1: not in it */
};

struct names {
	struct inode *inode;		/* borrowed */
	struct dirlist *list;		/* borrowed; NULL: the origin lists nothing */
	struct listed *all;
	size_t n, cap;
	char *after;			/* the last name of the index, undecoded */
	size_t next_entry;		/* of the dirlist, not merged yet */
	bool complete;
	int err;
};

/* Makes names up to number `want` known, if there are as many. 0 or -errno. */
int names_fill(struct fs *fs, struct names *l, size_t want);

/* What has changed since is to be seen. */
void names_forget(struct names *l);
void names_fini(struct names *l);

#endif
