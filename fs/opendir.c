/* OPENDIR is how the kernel opens a name that we called a directory. Without O_DIRECTORY
 * it may be that somebody opens it as a file: then the origin is asked, for the first
 * time. If it is one, ESTALE makes the kernel walk to it again. */
#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <unistd.h>

#include "ask.h"
#include "attr.h"
#include "known.h"
#include "listed.h"
#include "ops.h"
#include "options.h"
#include "path.h"
#include "reply.h"

struct asked {
	uint64_t ino;
	unsigned era;			/* revisit.h */
	struct fuse_file_info fi;
};

static void answered(struct fs *fs, struct fuse_req *req, void *arg, int err,
		     struct version *v, int64_t fresh_ms, enum cache_status status)
{
	const struct asked *a = arg;
	struct inode *i = inodes_find(&fs->inodes, a->ino);

	(void)fresh_ms;
	(void)status;
	if (!i)
		err = -ESTALE;
	else if (err == 0)
		err = revisit_sent_back(&fs->revisits, fuse_req_ctx(req)->pid, i->ino,
					i->parent, i->name, v, a->era);
	if (err == 0)
		reply_err(req, -ESTALE);
	else if (i && (err == -EISDIR || (err != -EINTR && known_below(fs, i->key))))
		/* No page, or none that can be had, but a directory for certain. */
		listing_open(fs, req, i, &a->fi);
	else
		reply_err(req, err);
	inode_unref(&fs->inodes, i);
}

/* A scheme, or an origin: what is above that is not its own. */
static bool is_top_of_web(struct fs *fs, const struct inode *i)
{
	return i->parent == INODE_ROOT && !*fs->options->base_url;
}

static void open_dir(struct fs *fs, struct fuse_req *req, struct inode *i,
		     struct fuse_file_info *fi)
{
	_cleanup_(cleanup_free) char *page = NULL;
	struct asked *a;

	if (!(fi->flags & O_DIRECTORY) && i->ino != INODE_ROOT && !is_top_of_web(fs, i) &&
	    !known_dir_by_rule(fs, i) && !listed_dir(fs, i))
		page = path_page_key(i->key);
	if (!page) {
		listing_open(fs, req, i, fi);
		return;
	}
	a = malloc(sizeof(*a));
	if (!a) {
		reply_err(req, -ENOMEM);
		return;
	}
	a->ino = i->ino;
	a->era = revisits_era(&fs->revisits);
	a->fi = *fi;
	ask_want(fs, req, page, answered, a);
}

void opendir_op(struct fuse_req *req, uint64_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct inode *i = inodes_find(&fs->inodes, ino);

	if (!i)
		reply_err(req, -ESTALE);
	else if (!attr_may(fs, req, i, R_OK))
		reply_err(req, -EACCES);
	else if (i->kind == INODE_CONTROL_DIR || i->kind == INODE_CACHED_DIR)
		listing_open(fs, req, i, fi);
	else if (i->kind == INODE_DIR)
		open_dir(fs, req, i, fi);
	else
		reply_err(req, -ENOTDIR);
	inode_unref(&fs->inodes, i);
}
