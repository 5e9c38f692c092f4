#include "listed.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/counters.h"
#include "ask.h"
#include "cached.h"
#include "fs.h"
#include "ops.h"
#include "options.h"
#include "path.h"
#include "reply.h"

/* How many names are asked about before somebody looks at them: he will, one by one. */
#define AHEAD 24

static enum listed_as find(struct fs *fs, const char *dir_key, const char *segment)
{
	struct dirlist *d _cleanup_(dirlist_unrefp) = NULL;
	bool known, found;
	size_t i;

	d = fetch_list_known(fs->fetch, dir_key, &known);
	if (!d)
		return LISTED_NOT;
	i = dirlist_find(d, segment, &found);
	if (!found)
		return LISTED_NOT;
	return d->entries[i].dir ? LISTED_DIR : LISTED_FILE;
}

enum listed_as listed_as(struct fs *fs, const struct inode *parent, const struct path *p)
{
	return p->file ? find(fs, parent->key, p->file + strlen(parent->key)) : LISTED_NOT;
}

bool listed_dir(struct fs *fs, const struct inode *i)
{
	_cleanup_(cleanup_free) char *key = strndup(i->key, strlen(i->key) - 1);
	char *slash = key ? strrchr(key, '/') : NULL;
	_cleanup_(cleanup_free) char *segment = slash ? strdup(slash + 1) : NULL;

	if (!segment)
		return false;
	slash[1] = '\0';
	return find(fs, key, segment) == LISTED_DIR;
}

static void keep(struct fs *fs, struct fuse_req *req, const char *key, struct version *v)
{
	const char *segment = strrchr(key, '/') + 1;
	_cleanup_(cleanup_free) char *dir = strndup(key, (size_t)(segment - key));

	if (dir)
		listers_keep(&fs->listings.listers, fuse_req_ctx(req)->pid, dir, segment, v);
}

/* remember: while its lister reads on. */
static void answer_promise(struct fs *fs, struct fuse_req *req, uint64_t parent,
			   const char *name, const char *key, const struct dirlist_entry *e,
			   bool remember)
{
	struct version *v _cleanup_(version_unrefp) = NULL;
	int err = fetch_promise(fs->fetch, key, e->size, e->mtime_s, &v);
	int64_t ms = remember && notify_has_epochs(fs) ? fs->kernel_ttl_ms : 0;

	if (err < 0) {
		reply_failed(req, err);
		return;
	}
	keep(fs, req, key, v);
	lookup_answer_version(fs, req, parent, name, v, ms);
}

/* --- HEAD --- */

struct ahead {
	struct want want;
	struct dirlist *list;
	size_t entry;
};

static struct dirlist_entry learn(struct dirlist *d, size_t entry, int err, struct version *v)
{
	int64_t size = -1, mtime_s = -1;

	if (err == 0)
		fetch_head_read(v, &size, &mtime_s);
	dirlist_learn(d, entry, size, mtime_s);
	return dirlist_get(d, entry);
}

static void ahead_done(struct want *w, int err, struct version *v, int64_t fresh_ms)
{
	struct ahead *a = container_of(w, struct ahead, want);

	(void)fresh_ms;
	if (err != -EINTR)
		learn(a->list, a->entry, err, v);
	version_unref(v);
	dirlist_unref(a->list);
	free(a);
}

static void ask_ahead_one(struct fs *fs, struct dirlist *d, size_t entry, const char *dir_key)
{
	struct dirlist_entry e = dirlist_get(d, entry);
	_cleanup_(cleanup_free) char *key = NULL, *question = NULL;
	struct ahead *a;

	if (e.dir || e.exact || e.asked)
		return;
	if (asprintf(&key, "%s%s", dir_key, e.name) < 0) {
		key = NULL;
		return;
	}
	question = cached_has(fs, key) ? NULL : fetch_head_key(key);
	a = question ? calloc(1, sizeof(*a)) : NULL;
	if (!a)
		return;
	a->list = dirlist_ref(d);
	a->entry = entry;
	a->want.done = ahead_done;
	fetch_want(fs->fetch, question, 0, &a->want);
}

/* In the order in which they were listed, which is the one they are looked at. */
static void ask_ahead(struct fs *fs, const struct inode *parent, const struct look *look)
{
	size_t from = look->entry + 1 > look->ahead ? look->entry + 1 : look->ahead;
	size_t end = look->entry + 1 + AHEAD;

	if (end > look->list->n)
		end = look->list->n;
	if (from >= end)
		return;
	listers_note_ahead(&fs->listings.listers, parent->key, look->list, end);
	for (; from < end; from++)
		ask_ahead_one(fs, look->list, from, parent->key);
}

/* What a parked LOOKUP needs when the HEAD is there. */
struct asked {
	uint64_t parent;
	size_t key, dir;		/* where they begin in text */
	bool reading;			/* as in struct look */
	char text[];			/* name, key, key as a directory */
};

/* The list it was looked up in may be gone by now: then the HEAD alone counts. */
static struct dirlist_entry learn_by_key(struct fs *fs, const struct asked *a, int err,
					 struct version *v)
{
	struct dirlist_entry e = { .size = -1, .mtime_s = -1 };
	struct inode *parent = inodes_find(&fs->inodes, a->parent);
	struct dirlist *d _cleanup_(dirlist_unrefp) = NULL;
	bool known, found = false;
	size_t i;

	d = parent ? fetch_list_known(fs->fetch, parent->key, &known) : NULL;
	i = d ? dirlist_find(d, a->text + a->key + strlen(parent->key), &found) : 0;
	if (found)
		e = learn(d, i, err, v);
	else if (err == 0)
		fetch_head_read(v, &e.size, &e.mtime_s);
	e.exact = e.size > 0 && e.mtime_s >= 0;
	inode_unref(&fs->inodes, parent);
	return e;
}

static void answered(struct fs *fs, struct fuse_req *req, void *arg, int err,
		     struct version *v, int64_t fresh_ms, enum cache_status status)
{
	const struct asked *a = arg;
	const char *key = a->text + a->key;
	struct path p = { PATH_FILE, (char *)(uintptr_t)key, NULL };
	struct dirlist_entry e;

	(void)fresh_ms;
	(void)status;
	if (err == -EINTR || err == -ENOENT) {
		reply_err(req, err);
		return;
	}
	e = learn_by_key(fs, a, err, v);
	/* Empty ones cannot be promised: see index_promise(). */
	if (e.exact) {
		answer_promise(fs, req, a->parent, a->text, key, &e, a->reading);
		return;
	}
	if (a->dir)
		p.dir = (char *)(uintptr_t)(a->text + a->dir);
	lookup_ask(fs, req, a->parent, a->text, &p);
}

static bool ask_head(struct fs *fs, struct fuse_req *req, uint64_t parent, const char *name,
		     const struct path *p, bool reading)
{
	_cleanup_(cleanup_free) char *question = fetch_head_key(p->file);
	size_t n = strlen(name) + 1, key = strlen(p->file) + 1;
	size_t dir = p->dir ? strlen(p->dir) + 1 : 0;
	struct asked *a = question ? malloc(sizeof(*a) + n + key + dir) : NULL;

	if (!a)
		return false;
	a->parent = parent;
	a->key = n;
	a->reading = reading;
	a->dir = dir ? n + key : 0;
	memcpy(a->text, name, n);
	memcpy(a->text + n, p->file, key);
	if (dir)
		memcpy(a->text + n + key, p->dir, dir);
	park_want(fs, req, question, 0, answered, a);
	return true;
}

/* --- */

/* What is stored is what is listed: it may be shown, though not opened unasked. */
static bool agrees(struct version *v, const struct dirlist_entry *e)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);

	return e->exact && version_length(v) == e->size && m->mtime_s == e->mtime_s;
}

static bool answer(struct fs *fs, struct fuse_req *req, const struct inode *parent,
		   const char *name, const struct path *p, const struct look *look)
{
	struct dirlist_entry e = dirlist_get(look->list, look->entry);
	struct version *v _cleanup_(version_unrefp) = NULL;
	int64_t fresh_ms;

	if (cached_find(fs, p->file, &v, &fresh_ms) == 0) {
		if (fresh_ms > 0 || !agrees(v, &e))
			return false;
		lookup_answer_version(fs, req, parent->ino, name, v, 0);
		return true;
	}
	if (e.exact && e.size > 0) {
		answer_promise(fs, req, parent->ino, name, p->file, &e, look->reading);
		return true;
	}
	/* Empty ones come whole with their headers; and those that were asked for in vain. */
	if (e.exact || e.asked || fetch_is_offline(fs->fetch) || ask_sees_only_cached(fs, req))
		return false;
	ask_ahead(fs, parent, look);
	return ask_head(fs, req, parent->ino, name, p, look->reading);
}

bool listed_lookup(struct fs *fs, struct fuse_req *req, const struct inode *parent,
		   const char *name, const struct path *p)
{
	const char *segment = p->file + strlen(parent->key);
	struct look look;
	bool done;

	if (fs->options->miss_background || !policies_store(&fs->options->policies, p->file) ||
	    !listers_take(&fs->listings.listers, fuse_req_ctx(req)->pid, parent->key, segment,
			  &look))
		return false;
	done = look.first && !look.list->entries[look.entry].dir &&
	       answer(fs, req, parent, name, p, &look);
	dirlist_unref(look.list);
	return done;
}
