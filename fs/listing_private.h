/* listing_private.h - what the files of an open directory share: listing.c opens and
 * closes it, readdir.c answers for its names. */
#ifndef FS_LISTING_PRIVATE_H
#define FS_LISTING_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "../base/list.h"
#include "names.h"

struct listing {
	struct list link;		/* listings.open */
	struct inode *inode;		/* a reference */
	struct dirlist *list;		/* a reference; NULL: the origin lists nothing */
	pid_t pid;
	pid_t process;			/* with a list: who listed it */

	/* Guarded by lock. */
	pthread_mutex_t lock;
	struct names names;
	bool promised;			/* files were shown of which nothing has come yet */
};

/* All names were given, or it is closed: whoever opens one of the files from now on is to
 * see what its origin has by then. Lock held, or nobody else has it. */
void listing_end(struct fs *fs, struct listing *l);

#endif
