/* listing.h - an open directory. Any thread; calls on one handle are serialised. */
#ifndef FS_LISTING_H
#define FS_LISTING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/list.h"
#include "../base/map.h"
#include "listers.h"

struct fs;
struct fuse_file_info;
struct fuse_req;
struct inode;

struct listings {
	pthread_mutex_t lock;
	struct list open;		/* struct listing; guarded by lock */
	struct map by_id;		/* the same; guarded by lock */
	uint64_t next_id;		/* guarded by lock */
	struct listers listers;		/* has its own lock */
};

/* life: how many daemons had the mount before; their handles are none of this one's. */
void listings_init(struct listings *l, unsigned life);
void listings_fini(struct listings *l);

/* Answers an OPENDIR, once its origin has said what is in it: i can be read as a directory.
 * Borrows i. */
void listing_open(struct fs *fs, struct fuse_req *req, struct inode *i,
		  const struct fuse_file_info *fi);

/* Whether thread pid has that directory open, so that it may ask about it through
 * the descriptor. */
bool listing_is_open(struct fs *fs, uint64_t ino, pid_t pid);

void listing_readdir(struct fuse_req *req, uint64_t ino, size_t size, off_t off,
		     struct fuse_file_info *fi);
void listing_readdirplus(struct fuse_req *req, uint64_t ino, size_t size, off_t off,
			 struct fuse_file_info *fi);
void listing_release(struct fuse_req *req, uint64_t ino, struct fuse_file_info *fi);

#endif
