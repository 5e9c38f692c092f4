#include "fs.h"

#include "known.h"
#include "path.h"
#include "rules.h"

bool known_below(struct fs *fs, const char *dir_key)
{
	return index_is_declared(fs->index, dir_key) || index_has_below(fs->index, dir_key);
}

static bool note_name(void *arg, const struct index_name *name)
{
	*(bool *)arg = name->name[0];
	return !name->name[0];
}

bool known_not_empty(struct fs *fs, const char *dir_key)
{
	bool found = false;

	index_list(fs->index, dir_key, "", note_name, &found);
	return found;
}

bool known_dir_by_rule(struct fs *fs, const struct inode *i)
{
	struct inode *parent = inodes_find(&fs->inodes, i->parent);
	bool is = parent && rules_find(fs->options, parent->key, i->name) == RULE_DIR;

	inode_unref(&fs->inodes, parent);
	return is;
}

enum known_page known_page(struct fs *fs, const char *key)
{
	struct version *v _cleanup_(version_unrefp) = NULL;
	struct meta *m _cleanup_(meta_unrefp) = NULL;

	if (index_find(fs->index, key, &v) < 0)
		return KNOWN_NONE;
	m = version_meta(v);
	if (!m || m->status / 100 != 2)
		return KNOWN_NONE;
	return path_is_leaf_type(m->content_type) ? KNOWN_LEAF : KNOWN_PAGE;
}
