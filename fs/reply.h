/* reply.h - answers to the kernel. Every one goes through here, so that no errno
 * leaves that would mean something else to it: ENOSYS switches an operation off for
 * the whole mount.
 *
 * Any thread, with no lock held. Each ends req: it may not be touched after. */
#ifndef FS_REPLY_H
#define FS_REPLY_H

#include <stdint.h>

struct bytes;
struct fs;
struct fuse_req;
struct inode;

/* What the kernel is told for -errno (positive; 0 for 0). EIO if it would not do. */
int reply_errno(int err);

void reply_err(struct fuse_req *req, int err);		/* 0 or -errno */

/* As reply_err, for an error of the origin or the store that nobody has counted yet (wants
 * are counted by fetch). */
void reply_failed(struct fuse_req *req, int err);

/* Answers with a name. Takes i with the reference and the lookup that inodes_show_*
 * gave; the lookup is undone when the reply does not arrive. */
void reply_entry(struct fs *fs, struct fuse_req *req, struct inode *i, int64_t entry_ms,
		 int64_t attr_ms);

/* There is no such name; for ms the kernel need not ask again. */
void reply_no_entry(struct fs *fs, struct fuse_req *req, int64_t ms);

/* i is borrowed. */
void reply_attr(struct fs *fs, struct fuse_req *req, const struct inode *i, int64_t ms);

/* All of b, which is bytes_fini()ed. */
void reply_bytes(struct fuse_req *req, struct bytes *b);

#endif
