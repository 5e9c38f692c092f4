/* An open directory remembers the names it gave, so that offsets stay true while the
 * cache changes below it: offset N is behind its N-th name. They are taken from the
 * index a page at a time, as far as somebody reads. */
#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>

#include "../fetch/url.h"
#include "attr.h"
#include "cached.h"
#include "control.h"
#include "known.h"
#include "listing.h"
#include "options.h"
#include "origins.h"
#include "path.h"
#include "reply.h"
#include "rules.h"

#define PAGE_NAMES 512
#define NAME_BYTES_MAX 1024		/* FUSE_NAME_MAX of the kernel */
#define UNKNOWN_INO 0xffffffff

struct listed {
	char *name;			/* as shown */
	char *key;			/* of a file that may be shown with its size, or NULL */
	uint64_t ino;
	mode_t type;
};

struct listing {
	struct list link;		/* listings.open */
	struct inode *inode;		/* a reference */
	pid_t pid;

	/* Guarded by lock. */
	pthread_mutex_t lock;
	struct listed *names;
	size_t n, cap;
	char *after;			/* the last name of the index, undecoded */
	bool complete;
	int err;
};

/* A reply under way. */
struct page {
	struct fs *fs;
	struct fuse_req *req;
	bool plus;
	char *data;
	size_t len, size;
	uint64_t *shown;		/* lookups to undo when it does not arrive */
	size_t n_shown;
};

void listings_init(struct listings *l)
{
	pthread_mutex_init(&l->lock, NULL);
	list_init(&l->open);
}

void listings_fini(struct listings *l)
{
	pthread_mutex_destroy(&l->lock);
}

static void forget_names(struct listing *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		free(l->names[i].name);
		free(l->names[i].key);
	}
	free(l->after);
	l->after = NULL;
	l->n = 0;
	l->complete = false;
	l->err = 0;
}

static void listing_free(struct fs *fs, struct listing *l)
{
	forget_names(l);
	free(l->names);
	inode_unref(&fs->inodes, l->inode);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Takes name and key. */
static int add_name(struct listing *l, char *name, char *key, uint64_t ino, mode_t type)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct listed *names = name ? reallocarray(l->names, cap, sizeof(*names)) : NULL;

		if (!names) {
			free(name);
			free(key);
			return -ENOMEM;
		}
		l->names = names;
		l->cap = cap;
	}
	l->names[l->n++] = (struct listed){ name, key, ino, type };
	return 0;
}

static int add_fixed(struct listing *l, const char *name, uint64_t ino, mode_t type)
{
	return add_name(l, strdup(name), NULL, ino, type);
}

struct filling {
	struct fs *fs;
	struct listing *l;
	size_t left;
	int err;
};

static char *join(const char *a, const char *b)
{
	char *joined;

	return asprintf(&joined, "%s%s", a, b) < 0 ? NULL : joined;
}

/* A host that is not allowed (any more) would only be refused, and one that allow names
 * is listed already. */
static bool may_list_host(struct fs *fs, const struct listing *l, const char *name)
{
	_cleanup_(cleanup_free) char *key = join(l->inode->key, name);
	size_t i;

	if (!key || !origins_may_walk(fs->options, key))
		return false;
	for (i = 0; i < l->n; i++)
		if (strcmp(l->names[i].name, name) == 0)
			return false;
	return true;
}

/* What is still arriving is not there. */
static bool may_list_cached(struct fs *fs, const struct listing *l, const struct index_name *in)
{
	_cleanup_(cleanup_free) char *key = join(l->inode->key, in->name);

	return in->dir || (key && cached_has(fs, key));
}

static bool is_shown_as_dir(struct fs *fs, const struct listing *l, const struct index_name *in,
			    const char *name)
{
	if (strchr(in->name, '?') || path_is_scheme(l->inode->key) ||
	    l->inode->kind == INODE_CACHED_DIR)
		return in->dir;
	switch (rules_find(fs->options, l->inode->key, name)) {
	case RULE_FILE:
		return !in->file;
	case RULE_DIR:
		return true;
	case RULE_NONE:
		break;
	}
	return in->dir;
}

static bool each_name(void *arg, const struct index_name *in)
{
	struct filling *f = arg;
	struct listing *l = f->l;
	char *name, *after, *key;
	bool dir;

	after = strdup(in->name);
	if (!after) {
		f->err = -ENOMEM;
		return false;
	}
	free(l->after);
	l->after = after;
	/* The directory itself as a page ("docs/") has no name here, and a name that the
	 * kernel would refuse would end the whole listing. */
	if (!in->name[0] || url_segment_to_name(in->name, &name) < 0)
		return true;
	if (strlen(name) > NAME_BYTES_MAX ||
	    (l->inode->ino == INODE_ROOT && (strcmp(name, CONTROL_DIR) == 0 ||
					     strcmp(name, CACHED_DIR) == 0)) ||
	    (l->inode->kind == INODE_CACHED_DIR && !may_list_cached(f->fs, l, in))) {
		free(name);
		return true;
	}
	if (path_is_scheme(l->inode->key) && !may_list_host(f->fs, l, name)) {
		free(name);
		return true;
	}
	/* Only what LOOKUP would answer as a file, too, may enter the kernel's cache as
	 * one. */
	dir = is_shown_as_dir(f->fs, l, in, name);
	key = !dir && path_is_file_name(name) ? join(l->inode->key, in->name) : NULL;
	f->err = add_name(l, name, key, in->file ? in->ino : UNKNOWN_INO,
			  dir ? S_IFDIR : S_IFREG);
	return f->err == 0 && --f->left > 0;
}

static int fill_control(struct listing *l)
{
	const struct control_file *c;
	size_t i;
	int r = 0;

	/* Its other directories have a file for whatever name is asked for. */
	for (i = 0; strcmp(l->inode->name, CONTROL_DIR) == 0 && r == 0 && (c = control_at(i)); i++)
		r = add_fixed(l, c->name, UNKNOWN_INO, c->render_name ? S_IFDIR : S_IFREG);
	l->complete = true;
	return r;
}

/* The hosts that allow names, before those that are known. */
static int fill_allowed(struct fs *fs, struct listing *l)
{
	const char *host;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && fs->options->allowed &&
		    (host = hosts_name(fs->options->allowed, i)); i++) {
		char *name;

		if (asprintf(&name, strchr(host, ':') ? "[%s]" : "%s", host) < 0)
			return -ENOMEM;
		r = add_name(l, name, NULL, UNKNOWN_INO, S_IFDIR);
	}
	return r;
}

static int fill_web(struct fs *fs, struct listing *l)
{
	int r = add_fixed(l, "http:", UNKNOWN_INO, S_IFDIR);
	const char *name;
	size_t i;

	if (r == 0)
		r = add_fixed(l, "https:", UNKNOWN_INO, S_IFDIR);
	for (i = 0; r == 0 && (name = origins_name(fs->options, i)); i++)
		r = add_fixed(l, name, UNKNOWN_INO, S_IFDIR);
	l->complete = true;
	return r;
}

/* The page at a directory's own URL ("docs/") has the name that LOOKUP finds it by. */
static int fill_index(struct fs *fs, struct listing *l)
{
	_cleanup_(cleanup_free) char *key = join(l->inode->key, PATH_INDEX);
	struct version *v _cleanup_(version_unrefp) = NULL;

	if (!key)
		return -ENOMEM;
	if (known_page(fs, l->inode->key) == KNOWN_NONE || known_page(fs, key) != KNOWN_NONE ||
	    index_find(fs->index, l->inode->key, &v) < 0)
		return 0;
	return add_fixed(l, PATH_INDEX, version_ino(v), S_IFREG);
}

static int begin(struct fs *fs, struct listing *l)
{
	int r = add_fixed(l, ".", l->inode->ino, S_IFDIR);

	if (r == 0)
		r = add_fixed(l, "..", l->inode->parent ? l->inode->parent : l->inode->ino,
			      S_IFDIR);
	if (r == 0 && l->inode->ino == INODE_ROOT)
		r = add_fixed(l, CONTROL_DIR, UNKNOWN_INO, S_IFDIR);
	if (r == 0 && l->inode->kind == INODE_CONTROL_DIR)
		return fill_control(l);
	if (r == 0 && l->inode->kind == INODE_CACHED_DIR)
		return l->inode->key[0] ? fill_index(fs, l) : 0;
	if (r == 0 && !l->inode->key[0])
		return fill_web(fs, l);
	if (r == 0 && path_is_scheme(l->inode->key))
		return fill_allowed(fs, l);
	if (r == 0)
		r = fill_index(fs, l);
	return r;
}

/* Makes names up to number `want` known, if there are as many. */
static int fill(struct fs *fs, struct listing *l, size_t want)
{
	if (l->n == 0)
		l->err = begin(fs, l);
	while (l->err == 0 && !l->complete && l->n <= want) {
		struct filling f = { fs, l, PAGE_NAMES, 0 };
		_cleanup_(cleanup_free) char *after = strdup(l->after ? l->after : "");

		if (!after)
			return -ENOMEM;
		l->err = index_list(fs->index, l->inode->key, after, each_name, &f);
		if (l->err == 0)
			l->err = f.err;
		if (f.left > 0)
			l->complete = true;
	}
	return l->err;
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

/* False: there is no room for it any more. */
static bool add_plus(struct page *p, const struct listed *name, off_t next)
{
	struct fuse_entry_param e = { .ino = 0 };
	int64_t entry_ms = 0;
	struct inode *i = known_fresh(p->fs, name->key, &entry_ms);
	size_t need;

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

static int fill_page(struct page *p, struct listing *l, off_t off)
{
	size_t at = (size_t)off;
	int r = 0;

	if (off < 0)
		return -EINVAL;
	/* rewinddir(): what has changed since is to be seen. */
	if (off == 0)
		forget_names(l);
	for (;; at++) {
		struct listed *name;

		r = fill(p->fs, l, at);
		if (r < 0 || at >= l->n)
			break;
		name = &l->names[at];
		if (l->inode->kind != INODE_CONTROL_DIR && name->ino == UNKNOWN_INO) {
			uint64_t known = inodes_dir_ino(&p->fs->inodes, l->inode->ino, name->name);

			name->ino = known ? known : UNKNOWN_INO;
		}
		if (!(p->plus ? add_plus : add_plain)(p, name, (off_t)at + 1))
			break;
	}
	/* What was listed before the error is given first. */
	return p->len > 0 ? 0 : r;
}

static void read_names(struct fuse_req *req, size_t size, off_t off,
		       struct fuse_file_info *fi, bool plus)
{
	struct fs *fs = fuse_req_userdata(req);
	struct listing *l = (struct listing *)(uintptr_t)fi->fh;
	struct page p = { .fs = fs, .req = req, .plus = plus, .size = size };
	int turn = notify_begin_reply(fs), r = -ENOMEM;

	p.data = malloc(size ? size : 1);
	/* No entry is smaller than this. */
	p.shown = calloc(size / 128 + 1, sizeof(*p.shown));
	if (p.data && p.shown)
		WITH_LOCK(&l->lock)
			r = fill_page(&p, l, off);
	if (r < 0) {
		reply_failed(req, r);
	} else if (fuse_reply_buf(req, p.data, p.len) < 0) {
		while (p.n_shown > 0)
			inodes_forget(&fs->inodes, p.shown[--p.n_shown], 1);
	}
	notify_end_reply(fs, turn, p.n_shown > 0 ? fs->kernel_ttl_ms : 0);
	free(p.shown);
	free(p.data);
}

void listing_readdir(struct fuse_req *req, uint64_t ino, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	(void)ino;
	read_names(req, size, off, fi, false);
}

void listing_readdirplus(struct fuse_req *req, uint64_t ino, size_t size, off_t off,
			 struct fuse_file_info *fi)
{
	(void)ino;
	read_names(req, size, off, fi, true);
}

void listing_open(struct fs *fs, struct fuse_req *req, struct inode *i,
		  const struct fuse_file_info *fi)
{
	struct fuse_file_info out = *fi;
	struct listing *l = calloc(1, sizeof(*l));

	if (!l) {
		reply_err(req, -ENOMEM);
		return;
	}
	pthread_mutex_init(&l->lock, NULL);
	l->pid = fuse_req_ctx(req)->pid;
	l->inode = inodes_find(&fs->inodes, i->ino);
	if (!l->inode) {
		listing_free(fs, l);
		reply_err(req, -ESTALE);
		return;
	}
	WITH_LOCK(&fs->listings.lock)
		list_append(&fs->listings.open, &l->link);
	out.fh = (uintptr_t)l;
	if (fuse_reply_open(req, &out) < 0) {
		WITH_LOCK(&fs->listings.lock)
			list_remove(&l->link);
		listing_free(fs, l);
	}
}

bool listing_is_open(struct fs *fs, uint64_t ino, pid_t pid)
{
	bool found = false;
	struct listing *l;

	WITH_LOCK(&fs->listings.lock)
		list_for_each(l, &fs->listings.open, link)
			if (l->inode->ino == ino && l->pid == pid)
				found = true;
	return found;
}

void listing_release(struct fuse_req *req, uint64_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct listing *l = (struct listing *)(uintptr_t)fi->fh;

	(void)ino;
	WITH_LOCK(&fs->listings.lock)
		list_remove(&l->link);
	listing_free(fs, l);
	reply_err(req, 0);
}
