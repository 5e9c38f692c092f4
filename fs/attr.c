#include "fs.h"

#include <fuse_lowlevel.h>
#include <string.h>
#include <unistd.h>

#include "attr.h"
#include "control.h"
#include "options.h"

#define READ_SIZE (128 * 1024)		/* what programs should read at once */
#define YEAR_MS (365LL * 24 * 3600 * 1000)
#define ARRIVING_MS 1000

/* What the owner may do with a file, all may that control_mode names. */
static mode_t control_mode(const struct options *o, const struct control_file *c)
{
	mode_t mode = c->mode & 0700;

	return (mode | mode >> 3 | mode >> 6) & o->control_mode;
}

static mode_t mode_of(const struct fs *fs, const struct inode *i)
{
	const struct options *o = fs->options;

	switch (i->kind) {
	case INODE_DIR:
	case INODE_CACHED_DIR:
		return S_IFDIR | (0755 & ~o->umask);
	case INODE_CONTROL_DIR:
		return S_IFDIR | (o->control_mode & 0777);
	case INODE_CONTROL_FILE:
		return S_IFREG | control_mode(o, i->control);
	case INODE_FILE:
		break;
	}
	return S_IFREG | (0444 & ~o->umask);
}

static void fill_version(struct version *v, struct stat *ret)
{
	struct meta *m _cleanup_(meta_unrefp) = version_meta(v);
	int64_t length = version_length(v);

	ret->st_size = length > 0 ? length : 0;
	ret->st_blocks = (version_stored(v) + 511) / 512;
	ret->st_mtime = ret->st_ctime = ret->st_atime = m ? m->mtime_s : 0;
}

void attr_fill(const struct fs *fs, const struct inode *i, struct stat *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->st_ino = i->ino;
	ret->st_mode = mode_of(fs, i);
	ret->st_uid = fs->options->uid;
	ret->st_gid = fs->options->gid;
	ret->st_nlink = S_ISDIR(ret->st_mode) ? 2 : 1;
	ret->st_blksize = READ_SIZE;
	ret->st_mtime = ret->st_ctime = ret->st_atime = i->made_s;
	if (i->kind == INODE_FILE)
		fill_version(i->version, ret);
	else if (i->kind == INODE_CONTROL_FILE)
		ret->st_size = (off_t)i->len;
}

int64_t attr_trusted_ms(const struct inode *i)
{
	/* du and ls -s should see the blocks grow. */
	if (i->kind == INODE_FILE && version_state(i->version) == VERSION_ARRIVING)
		return ARRIVING_MS;
	return YEAR_MS;
}

int64_t attr_dir_trusted_ms(const struct fs *fs, bool page)
{
	return page && !fs->default_permissions ? 0 : fs->kernel_ttl_ms;
}

bool attr_is_owner(const struct fs *fs, struct fuse_req *req)
{
	uid_t uid = fuse_req_ctx(req)->uid;

	return uid == 0 || uid == fs->options->uid;
}

bool attr_may(const struct fs *fs, struct fuse_req *req, const struct inode *i, int mask)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	mode_t mode = mode_of(fs, i);

	if (ctx->uid == 0)
		return !(mask & X_OK) || S_ISDIR(mode) || (mode & 0111);
	if (ctx->uid == fs->options->uid)
		mode >>= 6;
	else if (ctx->gid == fs->options->gid)
		mode >>= 3;
	return ((unsigned)mask & 7 & ~mode) == 0;
}
