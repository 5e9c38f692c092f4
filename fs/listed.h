/* listed.h - LOOKUP of names that the origin lists. Any thread. */
#ifndef FS_LISTED_H
#define FS_LISTED_H

#include <stdbool.h>
#include <stdint.h>

struct fs;
struct fuse_req;
struct inode;
struct path;

/* What the last listing of parent says of p: it is a file or a directory. Asks nobody. */
enum listed_as { LISTED_NOT, LISTED_FILE, LISTED_DIR };
enum listed_as listed_as(struct fs *fs, const struct inode *parent, const struct path *p);

/* Whether the last listing of what it is in says that i, a directory, is one. */
bool listed_dir(struct fs *fs, const struct inode *i);

/* Whoever lists the directory and now looks at a file in it is told what the listing says
 * of that, or a HEAD: the file itself is not asked for. True: req is answered, or will be.
 * False: he is to get the file. */
bool listed_lookup(struct fs *fs, struct fuse_req *req, const struct inode *parent,
		   const char *name, const struct path *p);

#endif
