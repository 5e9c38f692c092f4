/* Opening a directory asks its origin what is in it, if it may be asked; what it says is
 * what this handle shows until it is closed. */
#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "listing.h"
#include "listing_private.h"
#include "options.h"
#include "path.h"
#include "reply.h"

struct asked {
	uint64_t ino;
	struct fuse_file_info fi;
};

void listings_init(struct listings *l)
{
	pthread_mutex_init(&l->lock, NULL);
	list_init(&l->open);
	listers_init(&l->listers);
}

void listings_fini(struct listings *l)
{
	listers_fini(&l->listers);
	pthread_mutex_destroy(&l->lock);
}

static void listing_free(struct fs *fs, struct listing *l)
{
	names_fini(&l->names);
	dirlist_unref(l->list);
	inode_unref(&fs->inodes, l->inode);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Takes d. */
static void open_with(struct fs *fs, struct fuse_req *req, uint64_t ino,
		      const struct fuse_file_info *fi, struct dirlist *d)
{
	struct fuse_file_info out = *fi;
	struct listing *l = calloc(1, sizeof(*l));

	if (!l) {
		dirlist_unref(d);
		reply_err(req, -ENOMEM);
		return;
	}
	pthread_mutex_init(&l->lock, NULL);
	l->pid = fuse_req_ctx(req)->pid;
	l->list = d;
	l->inode = inodes_find(&fs->inodes, ino);
	if (!l->inode) {
		listing_free(fs, l);
		reply_err(req, -ESTALE);
		return;
	}
	l->names.inode = l->inode;
	l->names.list = d;
	if (d)
		l->process = listers_open(&fs->listings.listers, l->pid, l->inode->key, d);
	WITH_LOCK(&fs->listings.lock)
		list_append(&fs->listings.open, &l->link);
	out.fh = (uintptr_t)l;
	if (fuse_reply_open(req, &out) < 0) {
		WITH_LOCK(&fs->listings.lock)
			list_remove(&l->link);
		if (d)
			listers_close(&fs->listings.listers, l->process, l->inode->key);
		listing_free(fs, l);
	}
}

static void answered(struct fs *fs, struct fuse_req *req, void *arg, int err,
		     struct dirlist *d)
{
	const struct asked *a = arg;

	/* Whatever else went wrong, what is known can be shown. */
	if (err == -EINTR)
		reply_err(req, err);
	else
		open_with(fs, req, a->ino, &a->fi, err || !d ? NULL : dirlist_ref(d));
}

/* A directory of hosts is no URL. */
static bool may_be_listed(struct fs *fs, const struct inode *i)
{
	size_t n = i->kind == INODE_DIR ? strlen(i->key) : 0;

	return n > 3 && fs->options->fetch.listing != LISTING_OFF &&
	       strcmp(i->key + n - 3, "://") != 0;
}

void listing_open(struct fs *fs, struct fuse_req *req, struct inode *i,
		  const struct fuse_file_info *fi)
{
	struct asked *a;

	if (!may_be_listed(fs, i)) {
		open_with(fs, req, i->ino, fi, NULL);
		return;
	}
	a = malloc(sizeof(*a));
	if (!a) {
		reply_err(req, -ENOMEM);
		return;
	}
	a->ino = i->ino;
	a->fi = *fi;
	ask_list(fs, req, i->key, answered, a);
}

void listing_end(struct fs *fs, struct listing *l)
{
	bool told;

	if (!l->list)
		return;
	told = listers_end(&fs->listings.listers, l->process, l->inode->key) || l->promised;
	l->promised = false;
	if (told && notify_has_epochs(fs))
		notify_purged(fs);
}

bool listing_is_open(struct fs *fs, uint64_t ino, pid_t pid)
{
	bool found = false;
	struct listing *l;

	WITH_LOCK(&fs->listings.lock)
		list_for_each(l, &fs->listings.open, link)
			if (l->inode->ino == ino && l->pid == pid)
				found = true;
	return found;
}

void listing_release(struct fuse_req *req, uint64_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct listing *l = (struct listing *)(uintptr_t)fi->fh;

	(void)ino;
	WITH_LOCK(&fs->listings.lock)
		list_remove(&l->link);
	listing_end(fs, l);
	if (l->list)
		listers_close(&fs->listings.listers, l->process, l->inode->key);
	listing_free(fs, l);
	reply_err(req, 0);
}
