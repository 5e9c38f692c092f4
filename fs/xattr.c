/* What HTTP said about a file, as extended attributes. */
#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <inttypes.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/clock.h"
#include "kept.h"
#include "ops.h"
#include "reply.h"

static void put_url(struct version *v, const struct meta *m, struct buf *to)
{
	buf_str_append(to, m->url ? m->url : version_key(v));
}

static void put_status(struct version *v, const struct meta *m, struct buf *to)
{
	(void)v;
	buf_printf(to, "%d", m->status);
}

static void put_etag(struct version *v, const struct meta *m, struct buf *to)
{
	(void)v;
	buf_str_append(to, m->etag ? m->etag : "");
}

/* Seconds since 1970; "never" for what is always fresh. */
static void put_expires(struct version *v, const struct meta *m, struct buf *to)
{
	(void)v;
	if (m->fresh_until_ms == INT64_MAX)
		buf_str_append(to, "never");
	else
		buf_printf(to, "%" PRId64, m->fresh_until_ms / 1000);
}

static void put_age(struct version *v, const struct meta *m, struct buf *to)
{
	(void)v;
	buf_printf(to, "%" PRId64, fetch_age_s(m));
}

static void put_fetched(struct version *v, const struct meta *m, struct buf *to)
{
	(void)v;
	buf_printf(to, "%" PRId64, m->response_ms / 1000);
}

static void put_stored(struct version *v, const struct meta *m, struct buf *to)
{
	(void)m;
	buf_printf(to, "%" PRId64, version_stored(v));
}

/* A string of RFC 8941 3.3.3. */
static void put_detail(struct buf *to, const char *reason)
{
	if (!*reason)
		return;
	buf_str_append(to, "; detail=\"");
	for (; *reason; reason++) {
		if (*reason == '"' || *reason == '\\')
			buf_char(to, '\\');
		buf_char(to, *reason >= ' ' && *reason < 0x7f ? *reason : '?');
	}
	buf_char(to, '"');
}

/* RFC 9211: what a request for it would find now, and why (the same as in explain). */
static void put_cache_status(struct version *v, const struct meta *m, struct buf *to)
{
	int64_t now = clock_wall_ms();

	if (!version_is_current(v))
		buf_str_append(to, "webcachefs; fwd=uri-miss");
	else if (m->fresh_until_ms == INT64_MAX)
		buf_str_append(to, "webcachefs; hit");
	else if (m->fresh_until_ms > now)
		buf_printf(to, "webcachefs; hit; ttl=%" PRId64, (m->fresh_until_ms - now) / 1000);
	else
		buf_printf(to, "webcachefs; fwd=stale; ttl=%" PRId64,
			   (m->fresh_until_ms - now) / 1000);
	put_detail(to, m->reason);
}

static void put_mime_type(struct version *v, const struct meta *m, struct buf *to)
{
	const char *type = m->content_type ? m->content_type : "";

	(void)v;
	buf_append(to, type, strcspn(type, "; \t"));
}

static void put_tags(struct version *v, const struct meta *m, struct buf *to)
{
	(void)v;
	kept_tags(m, to);
}

/* Those that are empty are not there. */
static const struct {
	const char *name;
	void (*put)(struct version *v, const struct meta *m, struct buf *to);
} table[] = {
	{ "user.webcachefs.url", put_url },
	{ "user.webcachefs.status", put_status },
	{ "user.webcachefs.etag", put_etag },
	{ "user.webcachefs.expires", put_expires },
	{ "user.webcachefs.age", put_age },
	{ "user.webcachefs.fetched", put_fetched },
	{ "user.webcachefs.stored", put_stored },
	{ "user.webcachefs.cache_status", put_cache_status },
	{ "user.webcachefs.tags", put_tags },
	{ "user.mime_type", put_mime_type },
	{ "user.xdg.origin.url", put_url },
};

#define TABLE_N (sizeof(table) / sizeof(*table))

static void reply_value(struct fuse_req *req, const struct buf *value, size_t size)
{
	if (!buf_ok(value))
		reply_err(req, -ENOMEM);
	else if (size == 0)
		fuse_reply_xattr(req, value->len);
	else if (value->len > size)
		reply_err(req, -ERANGE);
	else
		fuse_reply_buf(req, value->data, value->len);
}

void xattr_get(struct fuse_req *req, uint64_t ino, const char *name, size_t size)
{
	struct fs *fs = fuse_req_userdata(req);
	struct meta *m _cleanup_(meta_unrefp) = NULL;
	struct buf value = BUF_INIT;
	struct inode *i;
	size_t n;

	/* ls -l asks each file for its ACL and more, until it hears that there are none. */
	if (strncmp(name, "user.", 5) != 0) {
		reply_err(req, -EOPNOTSUPP);
		return;
	}
	i = inodes_find(&fs->inodes, ino);
	if (i && i->kind == INODE_FILE && !version_is_promise(i->version))
		m = version_meta(i->version);
	for (n = 0; m && n < TABLE_N; n++)
		if (strcmp(name, table[n].name) == 0)
			table[n].put(i->version, m, &value);
	if (m)
		kept_value(m, name, &value);
	if (buf_ok(&value) && value.len == 0)
		reply_err(req, -ENODATA);
	else
		reply_value(req, &value, size);
	buf_fini(&value);
	inode_unref(&fs->inodes, i);
}

void xattr_list(struct fuse_req *req, uint64_t ino, size_t size)
{
	struct fs *fs = fuse_req_userdata(req);
	struct inode *i = inodes_find(&fs->inodes, ino);
	struct meta *m _cleanup_(meta_unrefp) = NULL;
	struct buf names = BUF_INIT;
	size_t n;

	if (i && i->kind == INODE_FILE && !version_is_promise(i->version))
		m = version_meta(i->version);
	for (n = 0; m && n < TABLE_N; n++) {
		struct buf value = BUF_INIT;

		table[n].put(i->version, m, &value);
		if (value.len > 0)
			buf_append(&names, table[n].name, strlen(table[n].name) + 1);
		buf_fini(&value);
	}
	if (m)
		kept_names(m, &names);
	reply_value(req, &names, size);
	buf_fini(&names);
	inode_unref(&fs->inodes, i);
}
