/* Opening a directory asks its origin what is in it, if it may be asked; what it says is
 * what this handle shows until it is closed. */
#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "listing.h"
#include "listing_private.h"
#include "options.h"
#include "path.h"
#include "reply.h"

struct asked {
	uint64_t ino;
	uint64_t id;			/* to be opened anew; 0: it is opened */
	struct fuse_file_info fi;	/* of who opens it */
	struct page_wanted wanted;	/* of who goes on */
};

void listings_init(struct listings *l, unsigned life)
{
	pthread_mutex_init(&l->lock, NULL);
	list_init(&l->open);
	l->by_id = (struct map)MAP_INIT;
	l->next_id = ((uint64_t)life << 40) + 1;
	listers_init(&l->listers);
}

void listings_fini(struct listings *l)
{
	listers_fini(&l->listers);
	map_fini(&l->by_id);
	pthread_mutex_destroy(&l->lock);
}

static void listing_free(struct fs *fs, struct listing *l)
{
	names_fini(&l->names);
	dirlist_unref(l->list);
	inode_unref(&fs->inodes, l->inode);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Known from now on under id, or a new one if that is 0. 0 or -ENOMEM. */
static int enter(struct listings *ls, struct listing *l, uint64_t id)
{
	int r = 0;

	WITH_LOCK(&ls->lock) {
		l->id = id ? id : ls->next_id++;
		r = map_add(&ls->by_id, &l->by_id, map_hash_u64(l->id));
		if (r == 0)
			list_append(&ls->open, &l->link);
	}
	return r;
}

/* Takes d. 0 or -errno. */
static int make(struct fs *fs, struct fuse_req *req, uint64_t ino, uint64_t id,
		struct dirlist *d, struct listing **ret)
{
	struct listing *l = calloc(1, sizeof(*l));
	int r;

	if (!l) {
		dirlist_unref(d);
		return -ENOMEM;
	}
	pthread_mutex_init(&l->lock, NULL);
	l->pid = fuse_req_ctx(req)->pid;
	l->list = d;
	l->inode = inodes_find(&fs->inodes, ino);
	r = l->inode ? enter(&fs->listings, l, id) : -ESTALE;
	if (r < 0) {
		listing_free(fs, l);
		return r;
	}
	l->names.inode = l->inode;
	l->names.list = d;
	if (d)
		l->process = listers_open(&fs->listings.listers, l->pid, l->inode->key, d);
	*ret = l;
	return 0;
}

static void unmake(struct fs *fs, struct listing *l)
{
	WITH_LOCK(&fs->listings.lock) {
		list_remove(&l->link);
		map_remove(&fs->listings.by_id, &l->by_id);
	}
	if (l->list)
		listers_close(&fs->listings.listers, l->process, l->inode->key);
	listing_free(fs, l);
}

/* Takes d. */
static void open_with(struct fs *fs, struct fuse_req *req, const struct asked *a,
		      struct dirlist *d)
{
	struct fuse_file_info out = a->fi;
	struct listing *l;
	int r = make(fs, req, a->ino, a->id, d, &l);

	if (r < 0) {
		reply_err(req, r);
		return;
	}
	if (a->id) {
		listing_answer(fs, req, l, &a->wanted);
		return;
	}
	out.fh = l->id;
	if (fuse_reply_open(req, &out) < 0)
		unmake(fs, l);
}

static void answered(struct fs *fs, struct fuse_req *req, void *arg, int err,
		     struct dirlist *d)
{
	const struct asked *a = arg;

	/* Whatever else went wrong, what is known can be shown. */
	if (err == -EINTR)
		reply_err(req, err);
	else
		open_with(fs, req, a, err || !d ? NULL : dirlist_ref(d));
}

/* A directory of hosts is no URL. */
static bool may_be_listed(struct fs *fs, const struct inode *i)
{
	size_t n = i->kind == INODE_DIR ? strlen(i->key) : 0;

	return n > 3 && fs->options->fetch.listing != LISTING_OFF &&
	       strcmp(i->key + n - 3, "://") != 0;
}

static void ask(struct fs *fs, struct fuse_req *req, const struct inode *i,
		const struct asked *what)
{
	struct asked *a;

	if (!may_be_listed(fs, i)) {
		open_with(fs, req, what, NULL);
		return;
	}
	a = malloc(sizeof(*a));
	if (!a) {
		reply_err(req, -ENOMEM);
		return;
	}
	*a = *what;
	ask_list(fs, req, i->key, answered, a);
}

void listing_open(struct fs *fs, struct fuse_req *req, struct inode *i,
		  const struct fuse_file_info *fi)
{
	const struct asked a = { .ino = i->ino, .fi = *fi };

	ask(fs, req, i, &a);
}

void listing_reopen(struct fs *fs, struct fuse_req *req, uint64_t ino, uint64_t id,
		    const struct page_wanted *wanted)
{
	const struct asked a = { .ino = ino, .id = id, .wanted = *wanted };
	struct inode *i = inodes_find(&fs->inodes, ino);

	if (i)
		ask(fs, req, i, &a);
	else
		reply_err(req, -ESTALE);
	inode_unref(&fs->inodes, i);
}

static bool same_id(const struct map_node *node, const void *id)
{
	return container_of(node, struct listing, by_id)->id == *(const uint64_t *)id;
}

struct listing *listing_find(struct fs *fs, uint64_t id)
{
	struct map_node *node = NULL;

	WITH_LOCK(&fs->listings.lock)
		node = map_find(&fs->listings.by_id, map_hash_u64(id), same_id, &id);
	return node ? container_of(node, struct listing, by_id) : NULL;
}

void listing_end(struct fs *fs, struct listing *l)
{
	bool told;

	if (!l->list)
		return;
	told = listers_end(&fs->listings.listers, l->process, l->inode->key) || l->promised;
	l->promised = false;
	if (told && notify_has_epochs(fs))
		notify_purged(fs);
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
	struct listing *l = listing_find(fs, fi->fh);

	(void)ino;
	if (l) {
		listing_end(fs, l);
		unmake(fs, l);
	}
	reply_err(req, 0);
}
