#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <string.h>

#include "../base/access_log.h"
#include "../base/clock.h"
#include "../fetch/url.h"
#include "access.h"
#include "attr.h"
#include "cached.h"
#include "known.h"
#include "options.h"
#include "origins.h"
#include "path.h"
#include "reply.h"

int cached_find(struct fs *fs, const char *key, struct version **ret, int64_t *ret_fresh_ms)
{
	struct version *v _cleanup_(version_unrefp) = NULL;
	struct meta *m _cleanup_(meta_unrefp) = NULL;
	int64_t fresh_ms;

	if (index_find(fs->index, key, &v) < 0 || version_state(v) != VERSION_COMPLETE)
		return -ENOENT;
	m = version_meta(v);
	if (!m || m->status / 100 != 2 || version_length(v) < 0 || !fetch_selects(fs->fetch, v))
		return -ENOENT;
	fresh_ms = m->fresh_until_ms - clock_wall_ms();
	*ret_fresh_ms = fresh_ms > 0 ? fresh_ms : 0;
	*ret = TAKE_PTR(v);
	return 0;
}

bool cached_has(struct fs *fs, const char *key)
{
	struct version *v _cleanup_(version_unrefp) = NULL;
	int64_t fresh_ms;

	return cached_find(fs, key, &v, &fresh_ms) == 0;
}

static void answer_dir(struct fs *fs, struct fuse_req *req, uint64_t parent, const char *name,
		       const char *key)
{
	struct inode *i;
	int r = inodes_show_dir(&fs->inodes, fs->index, INODE_CACHED_DIR, parent, name, key, &i);

	if (r < 0)
		reply_failed(req, r);
	else
		reply_entry(fs, req, i, fs->kernel_ttl_ms, fs->kernel_ttl_ms);
}

/* False: there is none. */
static bool answer_file(struct fs *fs, struct fuse_req *req, const char *key)
{
	struct version *v _cleanup_(version_unrefp) = NULL;
	struct inode *i;
	int64_t ms, since_ns = clock_mono_ns();
	int r;

	if (!key || cached_find(fs, key, &v, &ms) < 0)
		return false;
	version_touch(v);
	if (access_log_wanted())
		access_note(req, key, 0, v, ms ? CACHE_HIT : CACHE_STALE, 0, since_ns);
	r = inodes_show_version(&fs->inodes, v, &i);
	if (r < 0)
		reply_failed(req, r);
	else
		reply_entry(fs, req, i, ms < fs->kernel_ttl_ms ? ms : fs->kernel_ttl_ms,
			    attr_trusted_ms(i));
	return true;
}

void cached_lookup_root(struct fs *fs, struct fuse_req *req)
{
	answer_dir(fs, req, INODE_ROOT, CACHED_DIR, fs->options->base_url);
}

void cached_lookup(struct fs *fs, struct fuse_req *req, const struct inode *i, const char *name)
{
	struct path p _cleanup_(path_fini) = { .guess = PATH_EITHER };
	int r = origins_child(fs->options, i->key, name, &p);

	if (r < 0) {
		reply_err(req, r);
		return;
	}
	if (path_is_scheme(i->key) && !origins_may_walk(fs->options, p.dir)) {
		reply_err(req, -EACCES);
		return;
	}
	if (p.guess == PATH_FILE && answer_file(fs, req, p.file))
		return;
	if (p.dir && known_below(fs, p.dir))
		answer_dir(fs, req, i->ino, name, p.dir);
	else if (!answer_file(fs, req, p.file) &&
		 !(strcmp(name, PATH_INDEX) == 0 && answer_file(fs, req, i->key)))
		reply_no_entry(fs, req, 0);
}
