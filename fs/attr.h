/* attr.h - what stat shows, and who may do what. Any thread. */
#ifndef FS_ATTR_H
#define FS_ATTR_H

#include <stdbool.h>
#include <sys/stat.h>

struct fs;
struct fuse_req;
struct inode;
struct version;

void attr_fill(const struct fs *fs, const struct inode *i, struct stat *ret);

/* How long the kernel may keep that: versions never change once they are there. */
int64_t attr_trusted_ms(const struct inode *i);

/* The same of a directory. page: it is known to be a page as well, so that who stats it may mean
 * that (getattr.c). */
int64_t attr_dir_trusted_ms(const struct fs *fs, bool page);

/* Whether who sent req has these permissions (R_OK, W_OK, X_OK) by the mode of i. Root
 * has all but X_OK on files that nobody may execute. */
bool attr_may(const struct fs *fs, struct fuse_req *req, const struct inode *i, int mask);

/* Whether who sent req may purge, declare and use .control as its owner does. */
bool attr_is_owner(const struct fs *fs, struct fuse_req *req);

#endif
