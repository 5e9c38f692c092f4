#include "inode.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../index/index.h"
#include "inode_handed.h"

struct dir_name {
	uint64_t parent;
	const char *name;
};

static bool same_ino(const struct map_node *node, const void *arg)
{
	return container_of(node, struct inode, by_ino)->ino == *(const uint64_t *)arg;
}

static bool same_name(const struct map_node *node, const void *arg)
{
	const struct inode *i = container_of(node, struct inode, by_name);
	const struct dir_name *n = arg;

	return i->parent == n->parent && strcmp(i->name, n->name) == 0;
}

static uint64_t hash_name(uint64_t parent, const char *name)
{
	return map_hash_u64(parent ^ map_hash_str(name));
}

static bool is_dir(const struct inode *i)
{
	return i->kind == INODE_DIR || i->kind == INODE_CACHED_DIR ||
	       i->kind == INODE_CONTROL_DIR;
}

static void inode_free(struct inode *i)
{
	if (!i)
		return;
	version_unref(i->version);
	free(i->name);
	free(i->key);
	free(i->text);
	free(i);
}

void inodes_init(struct inodes *t)
{
	pthread_mutex_init(&t->lock, NULL);
	t->by_ino = (struct map)MAP_INIT;
	t->by_name = (struct map)MAP_INIT;
	t->by_shown = (struct map)MAP_INIT;
	t->handover = NULL;
	t->shown = NULL;
	t->handed_bytes = 0;
}

static bool free_one(struct map_node *node, void *arg)
{
	(void)arg;
	inode_free(container_of(node, struct inode, by_ino));
	return true;
}

void inodes_fini(struct inodes *t)
{
	map_each(&t->by_ino, free_one, NULL);
	map_fini(&t->by_ino);
	map_fini(&t->by_name);
	map_fini(&t->by_shown);
	pthread_mutex_destroy(&t->lock);
}

/* The three below are called with the lock held. */
static struct inode *find_ino(struct inodes *t, uint64_t ino)
{
	struct map_node *node = map_find(&t->by_ino, map_hash_u64(ino), same_ino, &ino);

	return node ? container_of(node, struct inode, by_ino) : NULL;
}

static struct inode *find_dir(struct inodes *t, uint64_t parent, const char *name)
{
	struct dir_name n = { parent, name };
	struct map_node *node;

	node = map_find(&t->by_name, hash_name(parent, name), same_name, &n);
	return node ? container_of(node, struct inode, by_name) : NULL;
}

static struct inode *put_refs(struct inodes *t, struct inode *i, int refs)
{
	assert(i->refs >= refs);
	i->refs -= refs;
	if (i->refs > 0)
		return NULL;
	map_remove(&t->by_ino, &i->by_ino);
	if (is_dir(i) && map_has(&t->by_name, &i->by_name))
		map_remove(&t->by_name, &i->by_name);
	if (map_has(&t->by_shown, &i->by_shown))
		map_remove(&t->by_shown, &i->by_shown);
	handed_drop(t, i);
	return i;
}

static struct inode *find_shown(struct inodes *t, uint64_t ino);

struct inode *inodes_find(struct inodes *t, uint64_t ino)
{
	struct inode *i = NULL;

	WITH_LOCK(&t->lock) {
		i = find_ino(t, ino);
		if (i)
			i->refs++;
	}
	return i || !t->shown ? i : find_shown(t, ino);
}

void inode_unref(struct inodes *t, struct inode *i)
{
	struct inode *last = NULL;

	if (!i)
		return;
	WITH_LOCK(&t->lock)
		last = put_refs(t, i, 1);
	inode_free(last);
}

/* Called with the lock held: one more lookup of the kernel, and a reference. */
static struct inode *show(struct inode *i)
{
	if (i->nlookup++ == 0)
		i->refs++;
	i->refs++;
	atomic_store_explicit(&i->adopted, false, memory_order_relaxed);
	handed_count(i);
	return i;
}

/* Called with the lock held: makes a new one known. */
static int enter(struct inodes *t, struct inode *i)
{
	int r = map_add(&t->by_ino, &i->by_ino, map_hash_u64(i->ino));

	if (r == 0 && is_dir(i)) {
		r = map_add(&t->by_name, &i->by_name, hash_name(i->parent, i->name));
		if (r < 0)
			map_remove(&t->by_ino, &i->by_ino);
	}
	if (r == 0)
		handed_add(t, i);
	return r;
}

/* Takes made, which is shown unless there is one like it already. */
static int enter_or_find(struct inodes *t, struct inode *made, struct inode **ret)
{
	struct inode *i = NULL;
	int r = 0;

	WITH_LOCK(&t->lock) {
		i = is_dir(made) ? find_dir(t, made->parent, made->name) :
				   find_ino(t, made->ino);
		if (!i) {
			r = enter(t, made);
			if (r == 0)
				i = TAKE_PTR(made);
		}
		if (i)
			*ret = show(i);
	}
	inode_free(made);
	return r;
}

int inode_adopt(struct inodes *t, struct inode *i, uint64_t nlookup)
{
	int r = 0;

	WITH_LOCK(&t->lock) {
		if (find_ino(t, i->ino) || (is_dir(i) && find_dir(t, i->parent, i->name)))
			break;
		i->nlookup = nlookup;
		i->refs = 1;
		r = enter(t, i);
		if (r == 0)
			i = NULL;
	}
	inode_free(i);
	return r;
}

static struct inode *inode_new(enum inode_kind kind)
{
	struct inode *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	i->kind = kind;
	i->made_s = clock_wall_s();
	return i;
}

/* key NULL: a directory without one. */
static struct inode *dir_new(enum inode_kind kind, uint64_t parent, const char *name,
			     const char *key)
{
	struct inode *i = inode_new(kind);

	if (!i)
		return NULL;
	i->parent = parent;
	i->name = strdup(name);
	i->key = key ? strdup(key) : NULL;
	if (!i->name || (key && !i->key)) {
		inode_free(i);
		return NULL;
	}
	return i;
}

int inodes_show_root(struct inodes *t, const char *key)
{
	struct inode *shown = NULL, *i = dir_new(INODE_DIR, 0, "", key);
	int r;

	if (!i)
		return -ENOMEM;
	i->ino = INODE_ROOT;
	r = enter_or_find(t, i, &shown);
	inode_unref(t, shown);
	return r;
}

/* The kernel may hold it since before this daemon: then it counts as looked up once, however
 * many come to find it at the same time. */
static struct inode *find_shown(struct inodes *t, uint64_t ino)
{
	struct inode *made = inode_new(INODE_FILE), *i = NULL;

	if (!made || index_find_shown(t->shown, ino, &made->version) < 0) {
		inode_free(made);
		return NULL;
	}
	made->ino = ino;
	WITH_LOCK(&t->lock) {
		i = find_ino(t, ino);
		if (i)
			i->refs++;
		else if (enter(t, made) == 0)
			i = show(TAKE_PTR(made));
	}
	inode_free(made);
	return i;
}

int inodes_show_version(struct inodes *t, struct version *v, struct inode **ret)
{
	uint64_t ino = version_ino(v);
	struct inode *i = NULL;

	WITH_LOCK(&t->lock) {
		i = find_ino(t, ino);
		if (i)
			*ret = show(i);
	}
	if (i)
		return 0;
	i = inode_new(INODE_FILE);
	if (!i)
		return -ENOMEM;
	i->ino = ino;
	i->version = version_ref(v);
	return enter_or_find(t, i, ret);
}

int inodes_show_dir(struct inodes *t, struct index *ix, enum inode_kind kind,
		    uint64_t parent, const char *name, const char *key, struct inode **ret)
{
	struct inode *i = NULL;
	int r;

	WITH_LOCK(&t->lock) {
		i = find_dir(t, parent, name);
		if (i)
			*ret = show(i);
	}
	if (i)
		return 0;
	i = dir_new(kind, parent, name, key);
	if (!i)
		return -ENOMEM;
	r = index_take_ino(ix, &i->ino);
	if (r < 0) {
		inode_free(i);
		return r;
	}
	return enter_or_find(t, i, ret);
}

int inodes_show_text(struct inodes *t, struct index *ix, const struct control_file *control,
		     char *text, size_t len, struct inode **ret)
{
	struct inode *i = inode_new(INODE_CONTROL_FILE);
	int r;

	if (!i) {
		free(text);
		return -ENOMEM;
	}
	i->control = control;
	i->text = text;
	i->len = len;
	r = index_take_ino(ix, &i->ino);
	if (r < 0) {
		inode_free(i);
		return r;
	}
	return enter_or_find(t, i, ret);
}

void inodes_forget(struct inodes *t, uint64_t ino, uint64_t nlookup)
{
	struct inode *last = NULL;

	if (ino == INODE_ROOT)
		return;
	WITH_LOCK(&t->lock) {
		struct inode *i = find_ino(t, ino);

		if (!i || i->nlookup == 0)
			break;
		i->nlookup -= nlookup < i->nlookup ? nlookup : i->nlookup;
		handed_count(i);
		if (i->nlookup == 0)
			last = put_refs(t, i, 1);
	}
	inode_free(last);
}

static bool same_hash(const struct map_node *node, const void *arg)
{
	(void)node;
	(void)arg;
	return true;
}

bool inodes_name_changes(struct inodes *t, struct inode *i, uint64_t parent, const char *name)
{
	uint64_t hash = hash_name(parent, name);
	bool changes = false;

	WITH_LOCK(&t->lock) {
		struct map_node *node = map_find(&t->by_shown, hash, same_hash, NULL);

		if (node == &i->by_shown)
			break;
		changes = node != NULL;
		if (node)
			map_remove(&t->by_shown, node);
		if (map_has(&t->by_shown, &i->by_shown))
			map_remove(&t->by_shown, &i->by_shown);
		/* Without memory it is only asked once more. */
		map_add(&t->by_shown, &i->by_shown, hash);
	}
	return changes;
}

bool inodes_name_fails(struct inodes *t, uint64_t parent, const char *name)
{
	struct map_node *node = NULL;

	WITH_LOCK(&t->lock) {
		node = map_find(&t->by_shown, hash_name(parent, name), same_hash, NULL);
		if (node)
			map_remove(&t->by_shown, node);
	}
	return node != NULL;
}

uint64_t inodes_dir_ino(struct inodes *t, uint64_t parent, const char *name)
{
	uint64_t ino = 0;

	WITH_LOCK(&t->lock) {
		struct inode *i = find_dir(t, parent, name);

		if (i)
			ino = i->ino;
	}
	return ino;
}
