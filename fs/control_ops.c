/* OPEN is not sent, so nothing can happen at an open: a control file is rendered when
 * its name is looked up, into an inode of its own with the exact size, and the name is
 * not trusted at all. Each write(2) is a command. */
#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/buf.h"
#include "attr.h"
#include "control.h"
#include "ops.h"
#include "reply.h"

/* Shows c with the text that was rendered, r or not. Takes text. */
static void show_text(struct fs *fs, struct fuse_req *req, const struct control_file *c,
		      struct buf *text, int r)
{
	struct inode *shown;
	size_t len;

	if (r == 0 && !buf_ok(text))
		r = -ENOMEM;
	if (r < 0) {
		buf_fini(text);
		reply_failed(req, r);
		return;
	}
	len = text->len;
	r = inodes_show_text(&fs->inodes, fs->index, c, buf_take(text), len, &shown);
	if (r < 0)
		reply_failed(req, r);
	else
		reply_entry(fs, req, shown, 0, attr_trusted_ms(shown));
}

static void lookup_dir(struct fs *fs, struct fuse_req *req, const struct inode *parent,
		       const char *name)
{
	struct inode *shown;
	int r = inodes_show_dir(&fs->inodes, fs->index, INODE_CONTROL_DIR, parent->ino, name,
				NULL, &shown);

	if (r < 0)
		reply_failed(req, r);
	else
		reply_entry(fs, req, shown, fs->kernel_ttl_ms, fs->kernel_ttl_ms);
}

void control_lookup(struct fs *fs, struct fuse_req *req, const struct inode *i,
		    const char *name)
{
	bool inner = strcmp(i->name, CONTROL_DIR) != 0;
	const struct control_file *c = control_find(inner ? i->name : name);
	struct inode file = { .kind = INODE_CONTROL_FILE, .control = c };
	struct buf text = BUF_INIT;
	int r = 0;

	if (!attr_may(fs, req, i, X_OK)) {
		reply_err(req, -EACCES);
		return;
	}
	if (!c) {
		reply_err(req, -ENOENT);
		return;
	}
	if (c->render_name && !inner) {
		lookup_dir(fs, req, i, name);
		return;
	}
	/* Nothing is asked at the open, so who may not read it is shown it empty. */
	if (attr_may(fs, req, &file, R_OK)) {
		if (inner)
			r = c->render_name(fs, name, &text);
		else if (c->render)
			r = c->render(fs, &text);
	}
	show_text(fs, req, c, &text, r);
}

void control_write(struct fs *fs, struct fuse_req *req, const struct inode *i,
		   const char *data, size_t len)
{
	int r;

	if (!i->control->act || !attr_may(fs, req, i, W_OK)) {
		reply_err(req, -EACCES);
		return;
	}
	r = i->control->act(fs, data, len);
	if (r < 0)
		reply_err(req, r);
	else
		fuse_reply_write(req, len);
}

/* What "> file" and touch do before and after they write. */
void control_setattr(struct fs *fs, struct fuse_req *req, const struct inode *i,
		     const struct stat *attr, int to_set)
{
	const int harmless = FUSE_SET_ATTR_SIZE | FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME |
			     FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW |
			     FUSE_SET_ATTR_CTIME;
	struct stat st;

	if (to_set & ~harmless) {
		reply_err(req, -EROFS);
		return;
	}
	if (!i->control->act || !attr_may(fs, req, i, W_OK)) {
		reply_err(req, -EACCES);
		return;
	}
	attr_fill(fs, i, &st);
	if (to_set & FUSE_SET_ATTR_SIZE)
		st.st_size = attr->st_size;
	fuse_reply_attr(req, &st, 0);
}
