/* cached.h - .cached in the root directory: the same tree, of what is stored whole, for
 * who must never make the daemon ask an origin. W. */
#ifndef FS_CACHED_H
#define FS_CACHED_H

#include <stdbool.h>
#include <stdint.h>

struct fs;
struct fuse_req;
struct inode;
struct version;

#define CACHED_DIR ".cached"

/* A response with content that is stored, whole: 0 and a new reference, and for how long
 * it is fresh; else -ENOENT. */
int cached_find(struct fs *fs, const char *key, struct version **ret, int64_t *ret_fresh_ms);
bool cached_has(struct fs *fs, const char *key);

/* Answer LOOKUPs: of .cached itself, and of a name in i, which is below it. */
void cached_lookup_root(struct fs *fs, struct fuse_req *req);
void cached_lookup(struct fs *fs, struct fuse_req *req, const struct inode *i, const char *name);

#endif
