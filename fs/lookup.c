/* What a name is: DIR without asking the origin, or a file for which it is asked.
 *
 * A file answered here holds the kernel's trust for as long as HTTP says; a directory
 * for kernel_ttl. Names that are both are answered as the directory, unless this
 * walk is one that was sent back for the file (revisit.h). */
#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>

#include "../base/counters.h"
#include "../base/log.h"
#include "../fetch/url.h"
#include "ask.h"
#include "attr.h"
#include "cached.h"
#include "control.h"
#include "known.h"
#include "listed.h"
#include "ops.h"
#include "options.h"
#include "origins.h"
#include "path.h"
#include "reply.h"
#include "rules.h"

#define ARRIVING_MS 1000

/* What a parked LOOKUP needs to know when the answer is there. */
struct asked {
	uint64_t parent;
	enum path_guess guess;
	unsigned era;			/* revisit.h */
	char *dir;			/* the key to be a directory by, or NULL */
	char text[];			/* name, and then dir */
};

static int64_t at_most(int64_t ms, int64_t limit)
{
	return ms < limit ? ms : limit;
}

/* era: that it was asked for in; NULL: it is what a revisit is to see. */
static void answer_file(struct fs *fs, struct fuse_req *req, uint64_t parent,
			const char *name, struct version *v, int64_t entry_ms, const unsigned *era)
{
	struct inode *i;
	int r = inodes_show_version(&fs->inodes, v, &i);

	if (r < 0) {
		reply_failed(req, r);
		return;
	}
	if (inodes_name_changes(&fs->inodes, i, parent, name) && era)
		revisit_replaced(&fs->revisits, fuse_req_ctx(req)->pid, parent, name, v, entry_ms,
				 *era);
	reply_entry(fs, req, i, entry_ms, attr_trusted_ms(i));
}

/* A directory that is a page as well may be asked for its attributes each time: then it
 * can be said to be the file (getattr.c). */
static void answer_dir(struct fs *fs, struct fuse_req *req, uint64_t parent,
		       const char *name, const char *key, bool page)
{
	struct inode *i;
	int r = inodes_show_dir(&fs->inodes, fs->index, INODE_DIR, parent, name, key, &i);

	if (r < 0)
		reply_failed(req, r);
	else
		reply_entry(fs, req, i, fs->kernel_ttl_ms, attr_dir_trusted_ms(fs, page));
}

void lookup_answer_version(struct fs *fs, struct fuse_req *req, uint64_t parent,
			   const char *name, struct version *v, int64_t entry_ms)
{
	answer_file(fs, req, parent, name, v, entry_ms, NULL);
}

static void answer_version(struct fs *fs, struct fuse_req *req, const struct asked *a,
			   struct version *v, int64_t ms)
{
	if (version_state(v) == VERSION_ARRIVING)
		ms = at_most(ms, ARRIVING_MS);
	answer_file(fs, req, a->parent, a->text, v, ms, &a->era);
}

/* Many origins give nothing, or refuse, at the URL of a directory: it is not there then,
 * like the index.html that was asked for. */
static void answered_index(struct fs *fs, struct fuse_req *req, void *arg, int err,
			   struct version *v, int64_t fresh_ms, enum cache_status status)
{
	int64_t ms = at_most(fresh_ms, fs->kernel_ttl_ms);

	(void)status;
	if (err == 0)
		answer_version(fs, req, arg, v, ms);
	else if (err == -ENOENT || err == -EACCES || err == -EISDIR)
		reply_no_entry(fs, req, ms);
	else
		reply_err(req, err);
}

/* False: name is not one for which the directory itself may be asked, or cannot be. */
static bool ask_index(struct fs *fs, struct fuse_req *req, const struct asked *a)
{
	size_t len = strlen(a->text) + 1;
	struct inode *parent;
	struct asked *next;

	if (strcmp(a->text, PATH_INDEX) != 0)
		return false;
	parent = inodes_find(&fs->inodes, a->parent);
	next = parent ? calloc(1, sizeof(*next) + len) : NULL;
	if (next) {
		next->parent = a->parent;
		next->guess = a->guess;
		next->era = revisits_era(&fs->revisits);
		memcpy(next->text, a->text, len);
		ask_want(fs, req, parent->key, answered_index, next);
	}
	inode_unref(&fs->inodes, parent);
	return next != NULL;
}

/* The kernel passes these on; after any other it asks once more if it knew the name. */
static void note_failure(struct fs *fs, struct fuse_req *req, const struct asked *a, int err)
{
	if (err != -EINTR && err != -ENOMEM &&
	    inodes_name_fails(&fs->inodes, a->parent, a->text))
		revisit_failed(&fs->revisits, fuse_req_ctx(req)->pid, a->parent, a->text, err,
			       a->era);
}

static void answered(struct fs *fs, struct fuse_req *req, void *arg, int err,
		     struct version *v, int64_t fresh_ms, enum cache_status status)
{
	const struct asked *a = arg;
	int64_t ms = at_most(fresh_ms, fs->kernel_ttl_ms);

	if (err == 0) {
		answer_version(fs, req, a, v, ms);
	} else if (a->dir && (err == -EISDIR || (err == -ENOENT && a->guess == PATH_EITHER))) {
		answer_dir(fs, req, a->parent, a->text, a->dir, false);
	} else if (err == -ENOENT) {
		/* Behind, index.html is on its way: only when it is known not to be there. */
		if ((fs->options->miss_background && status != CACHE_NEGATIVE) ||
		    !ask_index(fs, req, a)) {
			note_failure(fs, req, a, err);
			reply_no_entry(fs, req, ms);
		}
	} else {
		note_failure(fs, req, a, err);
		reply_err(req, err);
	}
}

void lookup_ask(struct fs *fs, struct fuse_req *req, uint64_t parent, const char *name,
		const struct path *p)
{
	size_t name_len = strlen(name) + 1, dir_len = p->dir ? strlen(p->dir) + 1 : 0;
	struct asked *a = malloc(sizeof(*a) + name_len + dir_len);

	if (!a) {
		reply_err(req, -ENOMEM);
		return;
	}
	a->parent = parent;
	a->guess = p->guess;
	a->era = revisits_era(&fs->revisits);
	memcpy(a->text, name, name_len);
	a->dir = p->dir ? memcpy(a->text + name_len, p->dir, dir_len) : NULL;
	log_debug("lookup of %s", p->file);
	ask_want(fs, req, p->url ? p->url : p->file, answered, a);
}

/* False: there is none. */
static bool apply_rule(struct fs *fs, const struct inode *parent, const char *name,
		       struct path *p)
{
	enum rule rule = p->file ? rules_find(fs->options, parent->key, name) : RULE_NONE;

	if (rule == RULE_FILE) {
		p->guess = PATH_FILE;
		free(TAKE_PTR(p->dir));
	} else if (rule == RULE_DIR && p->dir) {
		p->guess = PATH_DIR;
	}
	return rule != RULE_NONE;
}

static void lookup_child(struct fs *fs, struct fuse_req *req, const struct inode *parent,
			 const char *name)
{
	struct path p _cleanup_(path_fini) = { .guess = PATH_EITHER };
	struct version *again _cleanup_(version_unrefp) = NULL;
	enum listed_as listed = LISTED_NOT;
	enum known_page page;
	int64_t entry_ms;
	int r = origins_child(fs->options, parent->key, name, &p);
	bool ask_again;

	if (r == 0)
		listed = apply_rule(fs, parent, name, &p) ? LISTED_NOT : listed_as(fs, parent, &p);
	if (r < 0) {
		reply_err(req, r);
		return;
	}
	if (path_is_scheme(parent->key) && !origins_may_walk(fs->options, p.dir)) {
		count(refused);
		reply_err(req, -EACCES);
		return;
	}
	if (p.guess == PATH_DIR) {
		answer_dir(fs, req, parent->ino, name, p.dir, false);
		return;
	}
	r = revisit_take_error(&fs->revisits, fuse_req_ctx(req)->pid, parent->ino, name);
	if (r < 0) {
		reply_err(req, r);
		return;
	}
	again = revisit_take(&fs->revisits, fuse_req_ctx(req)->pid, parent->ino, name, &entry_ms,
			     &ask_again);
	if (again) {
		answer_file(fs, req, parent->ino, name, again, entry_ms, NULL);
		return;
	}
	if (ask_again) {
		free(TAKE_PTR(p.dir));
		lookup_ask(fs, req, parent->ino, name, &p);
		return;
	}
	if (listed == LISTED_FILE) {
		p.guess = PATH_FILE;
		if (!listed_lookup(fs, req, parent, name, &p))
			lookup_ask(fs, req, parent->ino, name, &p);
		return;
	}
	page = known_page(fs, p.file);
	if (listed == LISTED_DIR && p.dir)
		answer_dir(fs, req, parent->ino, name, p.dir, page != KNOWN_NONE);
	else if (p.guess == PATH_FILE && (page != KNOWN_NONE || !p.dir))
		lookup_ask(fs, req, parent->ino, name, &p);
	else if (p.guess == PATH_EITHER && page != KNOWN_LEAF)
		answer_dir(fs, req, parent->ino, name, p.dir, page == KNOWN_PAGE);
	else if (known_below(fs, p.dir))
		answer_dir(fs, req, parent->ino, name, p.dir, page != KNOWN_NONE);
	else
		lookup_ask(fs, req, parent->ino, name, &p);
}

static void lookup_control_dir(struct fs *fs, struct fuse_req *req)
{
	struct inode *i;
	int r = inodes_show_dir(&fs->inodes, fs->index, INODE_CONTROL_DIR, INODE_ROOT,
				CONTROL_DIR, NULL, &i);

	if (r < 0)
		reply_failed(req, r);
	else
		reply_entry(fs, req, i, fs->kernel_ttl_ms, fs->kernel_ttl_ms);
}

void lookup_op(struct fuse_req *req, uint64_t parent, const char *name)
{
	struct fs *fs = fuse_req_userdata(req);
	struct inode *i = inodes_find(&fs->inodes, parent);

	count(lookups);
	chores_note_activity(fs);
	if (!i)
		reply_err(req, -ESTALE);
	else if (i->kind == INODE_CONTROL_DIR)
		control_lookup(fs, req, i, name);
	else if (i->kind == INODE_CACHED_DIR)
		cached_lookup(fs, req, i, name);
	else if (i->kind != INODE_DIR)
		reply_err(req, -ENOTDIR);
	else if (i->ino == INODE_ROOT && strcmp(name, CONTROL_DIR) == 0)
		lookup_control_dir(fs, req);
	else if (i->ino == INODE_ROOT && strcmp(name, CACHED_DIR) == 0)
		cached_lookup_root(fs, req);
	else
		lookup_child(fs, req, i, name);
	inode_unref(&fs->inodes, i);
}
