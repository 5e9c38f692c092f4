/* Names of an open directory go to the kernel, with their attributes if it asks for these
 * and they are known.
 *
 * It asks for them with the first names (FUSE_READDIRPLUS_AUTO), and from then on if somebody
 * looked at some. What was promised has to be taken back at the end, which costs the kernel all
 * it remembers (notify.h). So what could be promised is not at first, and the first reply ends
 * behind a few of these: ls -l looks them up and gets the others with attributes, ls and
 * find do not look, and nothing has to be taken back. */
#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/clock.h"
#include "attr.h"
#include "cached.h"
#include "listing.h"
#include "listing_private.h"
#include "options.h"
#include "reply.h"

#define PROBES 4			/* some may be names that ls skips */

/* A reply under way. */
struct page {
	struct fs *fs;
	struct fuse_req *req;
	struct listing *l;
	bool plus, may_promise;
	bool first;			/* nobody can have looked at any name so far */
	int probes;			/* names that could have been promised */
	char *data;
	size_t len, size;
	struct buf key;			/* of the name that is being added */
	uint64_t *shown;		/* lookups to undo when it does not arrive */
	size_t n_shown;
};

/* NULL: nothing but its type is shown. Those of large listings are made when they are needed:
 * who lists without looking needs none. */
static const char *key_of(struct page *p, const struct listed *name)
{
	struct listing *l = p->l;

	if (name->key || name->entry < 0 || !S_ISREG(name->type))
		return name->key;
	buf_reset(&p->key);
	buf_str_append(&p->key, l->inode->key);
	buf_str_append(&p->key, l->list->entries[name->entry].name);
	return buf_ok(&p->key) ? buf_str(&p->key) : NULL;
}

/* What the index knows of a fresh file, without asking anybody: counts a lookup. */
static struct inode *known_fresh(struct fs *fs, const char *key, int64_t *ret_entry_ms)
{
	struct version *v _cleanup_(version_unrefp) = NULL;
	struct inode *i = NULL;
	int64_t fresh_ms;

	if (!key || !policies_store(&fs->options->policies, key) ||
	    cached_find(fs, key, &v, &fresh_ms) < 0 || fresh_ms == 0 ||
	    inodes_show_version(&fs->inodes, v, &i) < 0)
		return NULL;
	*ret_entry_ms = fresh_ms < fs->kernel_ttl_ms ? fresh_ms : fs->kernel_ttl_ms;
	return i;
}

/* What its origin lists, exactly: it need not be asked for until somebody reads it. */
static struct inode *promised(struct page *p, const struct listed *name, const char *key,
			      int64_t *ret_entry_ms)
{
	struct dirlist *d = p->l->list;
	struct version *v _cleanup_(version_unrefp) = NULL;
	struct dirlist_entry e;
	struct inode *i = NULL;
	int64_t left_ms;

	if (!p->may_promise || !key || name->stored || name->entry < 0 ||
	    !policies_store(&p->fs->options->policies, key))
		return NULL;
	e = dirlist_get(d, (size_t)name->entry);
	left_ms = d->fresh_until_ms - clock_wall_ms();
	if (!e.exact || e.size <= 0 || left_ms <= 0 || atomic_load(&d->dropped))
		return NULL;
	if (p->first) {
		p->probes++;
		return NULL;
	}
	if (fetch_promise(p->fs->fetch, key, e.size, e.mtime_s, &v) < 0 ||
	    inodes_show_version(&p->fs->inodes, v, &i) < 0)
		return NULL;
	p->l->promised = true;
	*ret_entry_ms = left_ms < p->fs->kernel_ttl_ms ? left_ms : p->fs->kernel_ttl_ms;
	return i;
}

/* False: there is no room for it any more. */
static bool add_plus(struct page *p, const struct listed *name, off_t next)
{
	struct fuse_entry_param e = { .ino = 0 };
	int64_t entry_ms = 0;
	const char *key = key_of(p, name);
	struct inode *i = promised(p, name, key, &entry_ms);
	size_t need;

	if (!i)
		i = known_fresh(p->fs, key, &entry_ms);
	e.attr.st_ino = name->ino;
	e.attr.st_mode = name->type;
	if (i) {
		if (!version_is_trusted(i->version))
			entry_ms = 0;
		e.ino = i->ino;
		attr_fill(p->fs, i, &e.attr);
		e.entry_timeout = (double)entry_ms / 1000;
		e.attr_timeout = (double)attr_trusted_ms(i) / 1000;
	}
	need = fuse_add_direntry_plus(p->req, p->data + p->len, p->size - p->len, name->name,
				      &e, next);
	if (need <= p->size - p->len) {
		p->len += need;
		if (i)
			p->shown[p->n_shown++] = i->ino;
		inode_unref(&p->fs->inodes, i);
		return true;
	}
	if (i) {
		inodes_forget(&p->fs->inodes, i->ino, 1);
		inode_unref(&p->fs->inodes, i);
	}
	return false;
}

static bool add_plain(struct page *p, const struct listed *name, off_t next)
{
	struct stat st = { .st_ino = name->ino, .st_mode = name->type };
	size_t need = fuse_add_direntry(p->req, p->data + p->len, p->size - p->len, name->name,
					&st, next);

	if (need > p->size - p->len)
		return false;
	p->len += need;
	return true;
}

static int fill_page(struct page *p, off_t off)
{
	struct listing *l = p->l;
	size_t at = (size_t)off;
	int r = 0;

	if (off < 0)
		return -EINVAL;
	/* rewinddir(): what has changed since is to be seen. */
	if (off == 0)
		names_forget(&l->names);
	for (;; at++) {
		struct listed *name;

		r = names_fill(p->fs, &l->names, at);
		if (r < 0 || at >= l->names.n)
			break;
		name = &l->names.all[at];
		if (l->inode->kind != INODE_CONTROL_DIR && name->ino == NAMES_UNKNOWN_INO &&
		    S_ISDIR(name->type)) {
			uint64_t known = inodes_dir_ino(&p->fs->inodes, l->inode->ino, name->name);

			name->ino = known ? known : NAMES_UNKNOWN_INO;
		}
		if (!(p->plus ? add_plus : add_plain)(p, name, (off_t)at + 1) ||
		    p->probes >= PROBES)
			break;
	}
	if (r == 0 && p->len == 0)
		listing_end(p->fs, l);
	/* What was listed before the error is given first. */
	return p->len > 0 ? 0 : r;
}

void listing_answer(struct fs *fs, struct fuse_req *req, struct listing *l,
		    const struct page_wanted *wanted)
{
	size_t size = wanted->size;
	struct page p = { .fs = fs, .req = req, .l = l, .plus = wanted->plus,
			  .first = wanted->off == 0, .size = size, .key = BUF_INIT };
	int turn = notify_begin_reply(fs), r = -ENOMEM;

	/* Without epochs nobody could be told that it was asked for meanwhile. */
	p.may_promise = p.plus && l->list && !fs->options->miss_background &&
			notify_has_epochs(fs);
	p.data = malloc(size ? size : 1);
	/* No entry is smaller than this. */
	p.shown = calloc(size / 128 + 1, sizeof(*p.shown));
	if (p.data && p.shown)
		WITH_LOCK(&l->lock)
			r = fill_page(&p, wanted->off);
	if (r < 0) {
		reply_failed(req, r);
	} else if (fuse_reply_buf(req, p.data, p.len) < 0) {
		while (p.n_shown > 0)
			inodes_forget(&fs->inodes, p.shown[--p.n_shown], 1);
	}
	notify_end_reply(fs, turn, p.n_shown > 0 ? fs->kernel_ttl_ms : 0);
	buf_fini(&p.key);
	free(p.shown);
	free(p.data);
}

static void read_names(struct fuse_req *req, uint64_t ino, uint64_t id,
		       const struct page_wanted *wanted)
{
	struct fs *fs = fuse_req_userdata(req);
	struct listing *l = listing_find(fs, id);

	if (l)
		listing_answer(fs, req, l, wanted);
	else
		listing_reopen(fs, req, ino, id, wanted);
}

void listing_readdir(struct fuse_req *req, uint64_t ino, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	read_names(req, ino, fi->fh, &(struct page_wanted){ size, off, false });
}

void listing_readdirplus(struct fuse_req *req, uint64_t ino, size_t size, off_t off,
			 struct fuse_file_info *fi)
{
	read_names(req, ino, fi->fh, &(struct page_wanted){ size, off, true });
}
