/* Attributes of files never change. Those of a directory that is known to be a page as
 * well are asked for only by who stats it, not by who walks through it (fs/fuse/dir.c,
 * fuse_permission: without default_permissions it needs none). So a stat of it is sent
 * back, to find the file. Where the kernel checks modes nobody can tell the two apart: there
 * it is a directory for stat, and the page for open. */
#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>

#include "attr.h"
#include "known.h"
#include "ops.h"
#include "page.h"
#include "path.h"
#include "reply.h"

static void reply_dir(struct fs *fs, struct fuse_req *req, const struct inode *i, bool page)
{
	reply_attr(fs, req, i, attr_dir_trusted_ms(fs, page));
}

/* Whether thread pid can only mean the directory: it has it open (maybe since before this
 * daemon), or has just been sent back and knows no other name for it. */
static bool means_directory(struct fs *fs, const struct inode *i, pid_t pid)
{
	return fs->default_permissions || atomic_load(&i->adopted) ||
	       listing_is_open(fs, i->ino, pid) ||
	       revisit_came_back(&fs->revisits, pid, i->ino);
}

static void no_page(struct fs *fs, struct fuse_req *req, struct inode *i, int err,
		    struct fuse_file_info *fi)
{
	(void)fi;
	if (!i || err == -EINTR)
		reply_err(req, err);
	else
		reply_dir(fs, req, i, true);
}

static void getattr_dir(struct fs *fs, struct fuse_req *req, const struct inode *i)
{
	_cleanup_(cleanup_free) char *page = i->ino == INODE_ROOT ? NULL : path_page_key(i->key);

	if (!page || known_page(fs, page) == KNOWN_NONE || known_dir_by_rule(fs, i))
		reply_dir(fs, req, i, false);
	else if (means_directory(fs, i, fuse_req_ctx(req)->pid) ||
		 page_ask(fs, req, i, page, NULL, no_page) < 0)
		reply_dir(fs, req, i, true);
}

void getattr_op(struct fuse_req *req, uint64_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct inode *i = inodes_find(&fs->inodes, ino);

	(void)fi;
	if (!i)
		reply_err(req, -ESTALE);
	else if (i->kind == INODE_DIR)
		getattr_dir(fs, req, i);
	else
		reply_attr(fs, req, i, attr_trusted_ms(i));
	inode_unref(&fs->inodes, i);
}
