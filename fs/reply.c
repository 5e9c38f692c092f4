#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <string.h>

#include "../base/counters.h"
#include "../base/log.h"
#include "attr.h"
#include "reply.h"

int reply_errno(int err)
{
	switch (err) {
	case 0:
	case -E2BIG:
	case -EACCES:
	case -EBUSY:
	case -ECONNREFUSED:
	case -EEXIST:
	case -EFBIG:
	case -EHOSTUNREACH:
	case -EINTR:
	case -EINVAL:
	case -EIO:
	case -EISDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
	case -ENETDOWN:
	case -ENETUNREACH:
	case -ENODATA:
	case -ENOENT:
	case -ENOMEM:
	case -ENOSPC:
	case -ENOTDIR:
	case -ENOTEMPTY:
	case -EOPNOTSUPP:
	case -EPERM:
	case -ERANGE:
	case -EROFS:
	case -ESTALE:
	case -ETIMEDOUT:
		return -err;
	default:
		log_warn("an error that the kernel must not see: %s", strerror(-err));
		return EIO;
	}
}

void reply_err(struct fuse_req *req, int err)
{
	fuse_reply_err(req, reply_errno(err));
}

void reply_failed(struct fuse_req *req, int err)
{
	if (err != -ENOENT && err != -EINTR)
		count(errors);
	reply_err(req, err);
}

void reply_entry(struct fs *fs, struct fuse_req *req, struct inode *i, int64_t entry_ms,
		 int64_t attr_ms)
{
	struct fuse_entry_param e = { .ino = i->ino, .generation = 0 };

	bool file = i->kind == INODE_FILE;
	int turn = file ? notify_begin_reply(fs) : 0;

	if (file && !version_is_trusted(i->version))
		entry_ms = 0;
	attr_fill(fs, i, &e.attr);
	e.entry_timeout = (double)entry_ms / 1000;
	e.attr_timeout = (double)attr_ms / 1000;
	if (fuse_reply_entry(req, &e) < 0)
		inodes_forget(&fs->inodes, e.ino, 1);
	if (file)
		notify_end_reply(fs, turn, entry_ms);
	inode_unref(&fs->inodes, i);
}

void reply_no_entry(struct fs *fs, struct fuse_req *req, int64_t ms)
{
	struct fuse_entry_param e = { .ino = 0 };

	/* A negative dentry that no epoch can end would hide a name that a purge is to
	 * bring back. */
	if (ms <= 0 || !notify_has_epochs(fs)) {
		reply_err(req, -ENOENT);
		return;
	}
	e.entry_timeout = (double)ms / 1000;
	fuse_reply_entry(req, &e);
}

void reply_attr(struct fs *fs, struct fuse_req *req, const struct inode *i, int64_t ms)
{
	struct stat st;

	attr_fill(fs, i, &st);
	fuse_reply_attr(req, &st, (double)ms / 1000);
}

void reply_bytes(struct fuse_req *req, struct bytes *b)
{
	struct fuse_bufvec v = FUSE_BUFVEC_INIT(b->len);

	count_by(read_bytes, (int64_t)b->len);
	if (b->data || b->len == 0) {
		fuse_reply_buf(req, b->data, b->len);
	} else {
		v.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK | FUSE_BUF_FD_RETRY;
		v.buf[0].fd = b->fd;
		v.buf[0].pos = b->pos;
		fuse_reply_data(req, &v, 0);
	}
	bytes_fini(b);
}
