/* listing_private.h - what the files of an open directory share: listing.c opens and
 * closes it, readdir.c answers for its names. */
#ifndef FS_LISTING_PRIVATE_H
#define FS_LISTING_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "../base/list.h"
#include "../base/map.h"
#include "names.h"

struct fs;
struct fuse_req;

struct listing {
	struct list link;		/* listings.open */
	struct map_node by_id;
	uint64_t id;			/* the kernel's handle */
	struct inode *inode;		/* a reference */
	struct dirlist *list;		/* a reference; NULL: the origin lists nothing */
	pid_t pid;
	pid_t process;			/* with a list: who listed it */

	/* Guarded by lock. */
	pthread_mutex_t lock;
	struct names names;
	bool promised;			/* files were shown of which nothing has come yet */
};

/* What a READDIR asks for. */
struct page_wanted {
	size_t size;
	off_t off;
	bool plus;
};

/* NULL: the daemon before this one opened it. */
struct listing *listing_find(struct fs *fs, uint64_t id);

/* Opens directory ino anew under that handle, and goes on with listing_answer(). */
void listing_reopen(struct fs *fs, struct fuse_req *req, uint64_t ino, uint64_t id,
		    const struct page_wanted *wanted);
void listing_answer(struct fs *fs, struct fuse_req *req, struct listing *l,
		    const struct page_wanted *wanted);

/* All names were given, or it is closed: whoever opens one of the files from now on is to
 * see what its origin has by then. Lock held, or nobody else has it. */
void listing_end(struct fs *fs, struct listing *l);

#endif
