/* The table of operations, and those that are one line. What is not in the table is
 * answered ENOSYS by libfuse, once: the kernel then does without (FLUSH, FSYNC, LSEEK,
 * IOCTL, POLL, ...). */
#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/counters.h"
#include "../base/log.h"
#include "attr.h"
#include "ops.h"
#include "options.h"
#include "reply.h"

#define MAX_BACKGROUND 4096		/* parked read-ahead counts as such */
#define EPOCH_PROTOCOL_MINOR 44		/* Linux 6.16 */
#define EPOCH_TTL_MS (60 * 1000)
#define NO_EPOCH_TTL_MS 1000
#define STATFS_BLOCK 4096

/* Names are trusted long only where one message makes the kernel ask again. */
static void choose_ttl(struct fs *fs, unsigned kernel_minor)
{
	bool epochs = kernel_minor >= EPOCH_PROTOCOL_MINOR && !getenv("WEBCACHEFS_NO_EPOCH");
	int64_t ttl = fs->options->kernel_ttl_ms;

	if (ttl < 0)
		ttl = epochs ? EPOCH_TTL_MS : NO_EPOCH_TTL_MS;
	atomic_store(&fs->kernel_ttl_ms, ttl);
	atomic_store(&fs->notify.epochs, epochs ? EPOCHS_WORK : EPOCHS_NONE);
	log_debug("kernel protocol 7.%u, epochs %s, kernel_ttl %lld ms", kernel_minor,
		  epochs ? "yes" : "no", (long long)ttl);
}

static void init_op(void *userdata, struct fuse_conn_info *conn)
{
	struct fs *fs = userdata;

	/* Pages of a version are right for ever. */
	conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA;
	/* Else "> file" would empty a file in the kernel without asking, as OPEN is not
	 * sent; now it sends SETATTR, which is refused. */
	conn->want &= ~(unsigned)FUSE_CAP_ATOMIC_O_TRUNC;
	conn->want &= ~(unsigned)FUSE_CAP_SPLICE_READ;
	conn->want |= conn->capable & (FUSE_CAP_SPLICE_WRITE | FUSE_CAP_READDIRPLUS |
				       FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_ASYNC_READ |
				       FUSE_CAP_ASYNC_DIO);
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = MAX_BACKGROUND;
	conn->max_read = fs->max_read;
	choose_ttl(fs, conn->proto_minor);
}

static void forget_op(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	struct fs *fs = fuse_req_userdata(req);

	inodes_forget(&fs->inodes, ino, nlookup);
	fuse_reply_none(req);
}

static void forget_multi_op(fuse_req_t req, size_t n, struct fuse_forget_data *forgets)
{
	struct fs *fs = fuse_req_userdata(req);
	size_t i;

	for (i = 0; i < n; i++)
		inodes_forget(&fs->inodes, forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}



static void setattr_op(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct inode *i = inodes_find(&fs->inodes, ino);

	(void)fi;
	if (i && i->kind == INODE_CONTROL_FILE)
		control_setattr(fs, req, i, attr, to_set);
	else
		reply_err(req, i ? -EROFS : -ESTALE);
	inode_unref(&fs->inodes, i);
}

/* ENOSYS, the only one on purpose: the kernel opens everything itself from now on, and
 * keeps the pages (FUSE_NO_OPEN_SUPPORT). */
static void open_op(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct inode *i;

	if (!fs->options->count_opens) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	i = inodes_find(&fs->inodes, ino);
	if (!i) {
		reply_err(req, -ESTALE);
		return;
	}
	if (i->kind == INODE_FILE && (fi->flags & O_ACCMODE) != O_RDONLY) {
		reply_err(req, -EROFS);
	} else {
		count(opens);
		fi->keep_cache = 1;
		fuse_reply_open(req, fi);
	}
	inode_unref(&fs->inodes, i);
}

static void release_op(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	reply_err(req, 0);
}

static void write_op(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct inode *i = inodes_find(&fs->inodes, ino);

	(void)off;
	(void)fi;
	if (i && i->kind == INODE_CONTROL_FILE)
		control_write(fs, req, i, data, size);
	else
		reply_err(req, i ? -EROFS : -ESTALE);
	if (i && i->kind == INODE_FILE)
		notify_scribbled(fs, ino);
	inode_unref(&fs->inodes, i);
}

static void access_op(fuse_req_t req, fuse_ino_t ino, int mask)
{
	struct fs *fs = fuse_req_userdata(req);
	struct inode *i = inodes_find(&fs->inodes, ino);

	if (!i)
		reply_err(req, -ESTALE);
	else if (i->kind == INODE_FILE && (mask & W_OK))
		reply_err(req, -EROFS);
	else
		reply_err(req, attr_may(fs, req, i, mask) ? 0 : -EACCES);
	inode_unref(&fs->inodes, i);
}

static void statfs_op(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = fuse_req_userdata(req);
	struct index_sums sums;
	struct statvfs st = { .f_bsize = STATFS_BLOCK, .f_frsize = STATFS_BLOCK };
	int64_t left;

	(void)ino;
	index_sums(fs->index, &sums);
	left = sums.bytes_limit - sums.bytes_used;
	st.f_blocks = (fsblkcnt_t)(sums.bytes_limit / STATFS_BLOCK);
	st.f_bfree = st.f_bavail = (fsblkcnt_t)(left > 0 ? left / STATFS_BLOCK : 0);
	/* As many more as there are blocks: monitors warn of file systems without inodes. */
	st.f_ffree = st.f_favail = st.f_bfree;
	st.f_files = (fsfilcnt_t)sums.objects + st.f_ffree;
	st.f_namemax = 1024;
	fuse_reply_statfs(req, &st);
}

/* --- what nobody may do --- */

static void mknod_op(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
{
	(void)parent;
	(void)name;
	(void)mode;
	(void)dev;
	reply_err(req, -EROFS);
}

static void create_op(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	(void)parent;
	(void)name;
	(void)mode;
	(void)fi;
	reply_err(req, -EROFS);
}

static void symlink_op(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	(void)target;
	(void)parent;
	(void)name;
	reply_err(req, -EROFS);
}

static void link_op(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	(void)ino;
	(void)parent;
	(void)name;
	reply_err(req, -EROFS);
}

static void rename_op(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to,
		      const char *to_name, unsigned int flags)
{
	(void)parent;
	(void)name;
	(void)to;
	(void)to_name;
	(void)flags;
	reply_err(req, -EROFS);
}

static void setxattr_op(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
			size_t size, int flags)
{
	(void)ino;
	(void)name;
	(void)value;
	(void)size;
	(void)flags;
	reply_err(req, -EROFS);
}

static void removexattr_op(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	(void)ino;
	(void)name;
	reply_err(req, -EROFS);
}

static void readlink_op(fuse_req_t req, fuse_ino_t ino)
{
	(void)ino;
	reply_err(req, -EINVAL);
}

const struct fuse_lowlevel_ops ops_table = {
	.init = init_op,
	.lookup = lookup_op,
	.forget = forget_op,
	.forget_multi = forget_multi_op,
	.getattr = getattr_op,
	.setattr = setattr_op,
	.access = access_op,
	.open = open_op,
	.read = read_op,
	.write = write_op,
	.release = release_op,
	.opendir = opendir_op,
	.readdir = listing_readdir,
	.readdirplus = listing_readdirplus,
	.releasedir = listing_release,
	.statfs = statfs_op,
	.getxattr = xattr_get,
	.listxattr = xattr_list,
	.unlink = edit_unlink,
	.rmdir = edit_rmdir,
	.mkdir = edit_mkdir,
	.mknod = mknod_op,
	.create = create_op,
	.symlink = symlink_op,
	.link = link_op,
	.rename = rename_op,
	.setxattr = setxattr_op,
	.removexattr = removexattr_op,
	.readlink = readlink_op,
};
