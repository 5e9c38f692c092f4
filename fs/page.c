/* page.c - see page.h. */
#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>

#include "ask.h"
#include "page.h"
#include "reply.h"

struct asked {
	uint64_t ino;
	unsigned era;			/* revisit.h */
	struct fuse_file_info fi;
	page_none *none;
};

static void answered(struct fs *fs, struct fuse_req *req, void *arg, int err,
		     struct version *v, int64_t fresh_ms, enum cache_status status)
{
	struct asked *a = arg;
	struct inode *i = inodes_find(&fs->inodes, a->ino);

	(void)fresh_ms;
	(void)status;
	if (!i)
		err = -ESTALE;
	else if (err == 0)
		err = revisit_sent_back(&fs->revisits, fuse_req_ctx(req)->pid, i->ino,
					i->parent, i->name, v, a->era);
	if (err == 0)
		reply_err(req, -ESTALE);
	else
		a->none(fs, req, i, err, &a->fi);
	inode_unref(&fs->inodes, i);
}

int page_ask(struct fs *fs, struct fuse_req *req, const struct inode *i, const char *page,
	     const struct fuse_file_info *fi, page_none *none)
{
	struct asked *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->ino = i->ino;
	a->era = revisits_era(&fs->revisits);
	a->none = none;
	if (fi)
		a->fi = *fi;
	ask_want(fs, req, page, answered, a);
	return 0;
}
