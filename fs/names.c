#include "fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../fetch/url.h"
#include "cached.h"
#include "control.h"
#include "known.h"
#include "names.h"
#include "options.h"
#include "origins.h"
#include "path.h"
#include "rules.h"

#define PAGE_NAMES 512
#define NAME_BYTES_MAX 1024		/* FUSE_NAME_MAX of the kernel */

/* Takes name and key of one. */
static int add_name(struct names *l, const struct listed *one)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct listed *grown = one->name ? reallocarray(l->all, cap, sizeof(*grown)) : NULL;

		if (!grown) {
			free(one->name);
			free(one->key);
			return -ENOMEM;
		}
		l->all = grown;
		l->cap = cap;
	}
	l->all[l->n++] = *one;
	return 0;
}

static int add_fixed(struct names *l, const char *name, uint64_t ino, mode_t type)
{
	const struct listed one = { strdup(name), NULL, ino, type, false, -1 };

	return one.name ? add_name(l, &one) : -ENOMEM;
}

struct filling {
	struct fs *fs;
	struct names *l;
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
static bool may_list_host(struct fs *fs, const struct names *l, const char *name)
{
	_cleanup_(cleanup_free) char *key = join(l->inode->key, name);
	size_t i;

	if (!key || !origins_may_walk(fs->options, key))
		return false;
	for (i = 0; i < l->n; i++)
		if (strcmp(l->all[i].name, name) == 0)
			return false;
	return true;
}

/* What is still arriving is not there. */
static bool may_list_cached(struct fs *fs, const struct names *l, const struct index_name *in)
{
	_cleanup_(cleanup_free) char *key = join(l->inode->key, in->name);

	return in->dir || (key && cached_has(fs, key));
}

static bool is_shown_as_dir(struct fs *fs, const struct names *l, const struct index_name *in,
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

/* NULL: it cannot be shown. A name that the kernel would refuse would end the whole
 * listing. */
static char *shown_name(const struct names *l, const char *segment)
{
	char *name;

	if (!segment[0] || url_segment_to_name(segment, &name) < 0)
		return NULL;
	if (strlen(name) <= NAME_BYTES_MAX &&
	    (l->inode->ino != INODE_ROOT ||
	     (strcmp(name, CONTROL_DIR) != 0 && strcmp(name, CACHED_DIR) != 0)))
		return name;
	free(name);
	return NULL;
}

/* --- what the origin lists --- */

static bool is_dir_by_origin(struct fs *fs, const struct names *l, const char *name, bool dir)
{
	switch (rules_find(fs->options, l->inode->key, name)) {
	case RULE_FILE:
		return false;
	case RULE_DIR:
		return true;
	case RULE_NONE:
		break;
	}
	return dir;
}

static int add_listed(struct fs *fs, struct names *l, size_t entry)
{
	const struct dirlist_entry *e = &l->list->entries[entry];
	struct listed one = { shown_name(l, e->name), NULL, NAMES_UNKNOWN_INO, S_IFREG, false,
			      (ssize_t)entry };

	if (!one.name)
		return 0;
	if (is_dir_by_origin(fs, l, one.name, e->dir))
		one.type = S_IFDIR;
	return add_name(l, &one);
}

/* What comes before segment (NULL: all that is left). *ret_entry: that of segment itself,
 * or -1. */
static int merge_up_to(struct fs *fs, struct names *l, const char *segment, ssize_t *ret_entry)
{
	int err = 0;

	*ret_entry = -1;
	while (err == 0 && l->list && l->next_entry < l->list->n) {
		int order = segment ? strcmp(l->list->entries[l->next_entry].name, segment) : -1;

		if (order > 0)
			break;
		if (order == 0) {
			*ret_entry = (ssize_t)l->next_entry++;
			break;
		}
		err = add_listed(fs, l, l->next_entry++);
	}
	return err;
}

/* --- what the index knows --- */

static bool may_show(struct fs *fs, const struct names *l, const struct index_name *in,
		     const char *name)
{
	if (l->inode->kind == INODE_CACHED_DIR && !may_list_cached(fs, l, in))
		return false;
	return !path_is_scheme(l->inode->key) || may_list_host(fs, l, name);
}

static int add_known(struct filling *f, const struct index_name *in, ssize_t entry)
{
	struct names *l = f->l;
	struct listed one = { shown_name(l, in->name), NULL,
			      in->file ? in->ino : NAMES_UNKNOWN_INO, S_IFREG, true, entry };
	bool dir;

	if (!one.name)
		return 0;
	if (!may_show(f->fs, l, in, one.name)) {
		free(one.name);
		return 0;
	}
	dir = is_shown_as_dir(f->fs, l, in, one.name);
	if (entry >= 0 && l->list->entries[entry].dir)
		dir = is_dir_by_origin(f->fs, l, one.name, true);
	/* Only what LOOKUP would answer as a file, too, may enter the kernel's cache as
	 * one. */
	if (dir)
		one.type = S_IFDIR;
	else if (entry >= 0 || path_is_file_name(one.name))
		one.key = join(l->inode->key, in->name);
	return add_name(l, &one);
}

static bool each_name(void *arg, const struct index_name *in)
{
	struct filling *f = arg;
	struct names *l = f->l;
	char *after = strdup(in->name);
	ssize_t entry;

	if (!after) {
		f->err = -ENOMEM;
		return false;
	}
	free(l->after);
	l->after = after;
	/* The directory itself as a page ("docs/") has no name here. */
	if (!in->name[0])
		return true;
	f->err = merge_up_to(f->fs, l, in->name, &entry);
	if (f->err == 0)
		f->err = add_known(f, in, entry);
	return f->err == 0 && --f->left > 0;
}

static int fill_control(struct names *l)
{
	const struct control_file *c;
	size_t i;
	int r = 0;

	/* Its other directories have a file for whatever name is asked for. */
	for (i = 0; strcmp(l->inode->name, CONTROL_DIR) == 0 && r == 0 && (c = control_at(i)); i++)
		r = add_fixed(l, c->name, NAMES_UNKNOWN_INO, c->render_name ? S_IFDIR : S_IFREG);
	l->complete = true;
	return r;
}

/* The hosts that allow names, before those that are known. */
static int fill_allowed(struct fs *fs, struct names *l)
{
	const char *host;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && fs->options->allowed &&
		    (host = hosts_name(fs->options->allowed, i)); i++) {
		struct listed one = { NULL, NULL, NAMES_UNKNOWN_INO, S_IFDIR, false, -1 };

		if (asprintf(&one.name, strchr(host, ':') ? "[%s]" : "%s", host) < 0)
			return -ENOMEM;
		r = add_name(l, &one);
	}
	return r;
}

static int fill_web(struct fs *fs, struct names *l)
{
	int r = add_fixed(l, "http:", NAMES_UNKNOWN_INO, S_IFDIR);
	const char *name;
	size_t i;

	if (r == 0)
		r = add_fixed(l, "https:", NAMES_UNKNOWN_INO, S_IFDIR);
	for (i = 0; r == 0 && (name = origins_name(fs->options, i)); i++)
		r = add_fixed(l, name, NAMES_UNKNOWN_INO, S_IFDIR);
	l->complete = true;
	return r;
}

/* The page at a directory's own URL ("docs/") has the name that LOOKUP finds it by. */
static int fill_index(struct fs *fs, struct names *l)
{
	_cleanup_(cleanup_free) char *key = join(l->inode->key, PATH_INDEX);
	struct version *v _cleanup_(version_unrefp) = NULL;
	struct dirlist *d _cleanup_(dirlist_unrefp) = NULL;
	bool known;

	if (!key)
		return -ENOMEM;
	/* A listing is no page of its directory. */
	d = fetch_list_known(fs->fetch, l->inode->key, &known);
	if (d || l->list)
		return 0;
	if (known_page(fs, l->inode->key) == KNOWN_NONE || known_page(fs, key) != KNOWN_NONE ||
	    index_find(fs->index, l->inode->key, &v) < 0)
		return 0;
	return add_fixed(l, PATH_INDEX, version_ino(v), S_IFREG);
}

static int begin(struct fs *fs, struct names *l)
{
	int r = add_fixed(l, ".", l->inode->ino, S_IFDIR);

	if (r == 0)
		r = add_fixed(l, "..", l->inode->parent ? l->inode->parent : l->inode->ino,
			      S_IFDIR);
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

int names_fill(struct fs *fs, struct names *l, size_t want)
{
	ssize_t none;

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
		if (f.left == 0)
			continue;
		if (l->err == 0)
			l->err = merge_up_to(fs, l, NULL, &none);
		l->complete = true;
	}
	return l->err;
}

void names_forget(struct names *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		free(l->all[i].name);
		free(l->all[i].key);
	}
	free(l->after);
	l->after = NULL;
	l->n = 0;
	l->next_entry = 0;
	l->complete = false;
	l->err = 0;
}

void names_fini(struct names *l)
{
	names_forget(l);
	free(l->all);
	l->all = NULL;
	l->cap = 0;
}
