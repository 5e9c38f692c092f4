#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>

#include "../base/counters.h"
#include "ops.h"
#include "reply.h"

/* All that was asked for or up to the end: the kernel takes a short reply for the end of
 * the file (fs/fuse/file.c, fuse_short_read). */
static void read_text(struct fuse_req *req, const struct inode *i, size_t size, off_t off)
{
	size_t at = (size_t)off < i->len ? (size_t)off : i->len;
	size_t n = size < i->len - at ? size : i->len - at;

	/* What the daemon before this one rendered is gone. */
	if (n && !i->text)
		reply_err(req, -ESTALE);
	else
		fuse_reply_buf(req, n ? i->text + at : NULL, n);
}

void read_op(struct fuse_req *req, uint64_t ino, size_t size, off_t off,
	     struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct inode *i = inodes_find(&fs->inodes, ino);

	(void)fi;
	count(reads);
	chores_note_activity(fs);
	if (!i)
		reply_err(req, -ESTALE);
	else if (off < 0)
		reply_err(req, -EINVAL);
	else if (i->kind == INODE_FILE)
		park_read(fs, req, i->version, off, size);
	else if (i->kind == INODE_CONTROL_FILE)
		read_text(req, i, size, off);
	else
		reply_err(req, -EISDIR);
	inode_unref(&fs->inodes, i);
}
