/* rm purges, mkdir declares a directory, rmdir takes that back. They are for the owner of
 * the mount and root: checked here, since the kernel is not asked to check modes. */
#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <string.h>

#include "attr.h"
#include "cached.h"
#include "control.h"
#include "known.h"
#include "ops.h"
#include "options.h"
#include "origins.h"
#include "path.h"
#include "reply.h"

/* The directory (a reference) and what name is in it. 0 or -errno. */
static int begin(struct fs *fs, struct fuse_req *req, uint64_t parent, const char *name,
		 struct inode **ret_dir, struct path *ret)
{
	struct inode *dir = inodes_find(&fs->inodes, parent);
	int r;

	if (!dir)
		return -ESTALE;
	if (dir->kind != INODE_DIR || (parent == INODE_ROOT && (strcmp(name, CONTROL_DIR) == 0 ||
								strcmp(name, CACHED_DIR) == 0)))
		r = -EROFS;
	else if (!attr_is_owner(fs, req))
		r = -EACCES;
	else if (fs->options->read_only)
		r = -EROFS;
	else
		r = origins_child(fs->options, dir->key, name, ret);
	if (r == 0)
		*ret_dir = dir;
	else
		inode_unref(&fs->inodes, dir);
	return r;
}

static int purge(struct fs *fs, char *file, char *dir)
{
	struct target targets[] = {
		{ .kind = TARGET_KEY, .key = file },
		{ .kind = TARGET_KEY, .key = dir },
	};
	int64_t removed;
	int r = fetch_purge(fs->fetch, targets, dir ? 2 : 1, &removed);

	notify_purged(fs);
	return r;
}

void edit_unlink(struct fuse_req *req, uint64_t parent, const char *name)
{
	struct path p _cleanup_(path_fini) = { .guess = PATH_EITHER };
	struct fs *fs = fuse_req_userdata(req);
	struct inode *dir = NULL;
	int r = begin(fs, req, parent, name, &dir, &p);

	if (r == 0)
		r = !p.file ? -EISDIR :
		    purge(fs, p.file, strcmp(name, PATH_INDEX) == 0 ? dir->key : NULL);
	inode_unref(&fs->inodes, dir);
	reply_err(req, r);
}

static int remove_dir(struct fs *fs, const struct path *p)
{
	int r;

	if (!p->dir)
		return -ENOTDIR;
	if (!p->file)
		return -EPERM;
	if (known_not_empty(fs, p->dir))
		return -ENOTEMPTY;
	r = index_declare(fs->index, p->dir, false);
	if (r < 0 && r != -ENOENT)
		return r;
	return purge(fs, p->file, p->dir);
}

void edit_rmdir(struct fuse_req *req, uint64_t parent, const char *name)
{
	struct path p _cleanup_(path_fini) = { .guess = PATH_EITHER };
	struct fs *fs = fuse_req_userdata(req);
	struct inode *dir = NULL;
	int r = begin(fs, req, parent, name, &dir, &p);

	if (r == 0)
		r = remove_dir(fs, &p);
	inode_unref(&fs->inodes, dir);
	reply_err(req, r);
}

void edit_mkdir(struct fuse_req *req, uint64_t parent, const char *name, mode_t mode)
{
	struct path p _cleanup_(path_fini) = { .guess = PATH_EITHER };
	struct fs *fs = fuse_req_userdata(req);
	struct inode *made, *dir = NULL;
	int r = begin(fs, req, parent, name, &dir, &p);

	(void)mode;
	if (r == 0)
		r = !p.dir ? -EINVAL : !p.file ? -EEXIST : index_declare(fs->index, p.dir, true);
	if (r == 0)
		r = inodes_show_dir(&fs->inodes, fs->index, INODE_DIR, parent, name, p.dir,
				    &made);
	inode_unref(&fs->inodes, dir);
	if (r < 0)
		reply_err(req, r);
	else
		reply_entry(fs, req, made, fs->kernel_ttl_ms, fs->kernel_ttl_ms);
}
