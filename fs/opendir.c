/* OPENDIR is how the kernel opens a name that we called a directory. Without O_DIRECTORY
 * it may be that somebody opens it as a file: then the origin is asked, for the first
 * time. If it is one, ESTALE makes the kernel walk to it again. */
#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <unistd.h>

#include "attr.h"
#include "known.h"
#include "listed.h"
#include "ops.h"
#include "options.h"
#include "page.h"
#include "path.h"
#include "reply.h"

static void no_page(struct fs *fs, struct fuse_req *req, struct inode *i, int err,
		    struct fuse_file_info *fi)
{
	/* It may be a directory for certain. */
	if (i && (err == -EISDIR || (err != -EINTR && known_below(fs, i->key))))
		listing_open(fs, req, i, fi);
	else
		reply_err(req, err);
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
	int err;

	if (!(fi->flags & O_DIRECTORY) && i->ino != INODE_ROOT && !is_top_of_web(fs, i) &&
	    !known_dir_by_rule(fs, i) && !listed_dir(fs, i))
		page = path_page_key(i->key);
	if (!page) {
		listing_open(fs, req, i, fi);
		return;
	}
	err = page_ask(fs, req, i, page, fi, no_page);
	if (err < 0)
		reply_err(req, err);
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
