/* gather_read.c - what came is read, when all of it is there. */
#include "gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "dirlist.h"

#define UNSAID_MS 10000			/* how long what says nothing of it is fresh */
#define UNSTORABLE_MS 1000		/* and what is not to be used again */
#define PIECE (128 * 1024)
#define PAGES_MAX 1000			/* of a bucket: a million names */

static void awake(struct waiter *w)
{
	struct gather *g = container_of(w, struct gather, waiter);

	inbox_post(&g->dirs->inbox, &g->message);
}

static int append_bytes(struct gather *g, struct bytes *b)
{
	ssize_t n = 0;

	if (b->data)
		buf_append(&g->body, b->data, b->len);
	else if (buf_reserve(&g->body, b->len + 1) == 0)
		for (size_t got = 0; got < b->len; got += (size_t)n) {
			n = pread(b->fd, g->body.data + g->body.len, b->len - got,
				  (off_t)(b->pos + (int64_t)got));
			if (n <= 0)
				return -EIO;
			g->body.len += (size_t)n;
			g->body.data[g->body.len] = '\0';
		}
	return buf_ok(&g->body) ? 0 : -ENOMEM;
}

/* 0: all of it is there; -EAGAIN: g will be posted again. */
static int read_body(struct gather *g)
{
	int64_t length = version_length(g->v);

	while ((int64_t)g->body.len < length) {
		int64_t off = (int64_t)g->body.len;
		struct bytes b;
		int err;

		g->waiter.wake = awake;
		err = version_read(g->v, off, PIECE, &g->waiter, &b);
		if (err == -EAGAIN)
			fetch_need(g->dirs->fetch, g->v, off,
				   off + PIECE < length ? off + PIECE : length);
		if (err)
			return err;
		err = append_bytes(g, &b);
		bytes_fini(&b);
		if (err)
			return err;
	}
	return 0;
}

/* What hrefs are relative to. */
static const char *base_of(const struct gather *g, const struct meta *m)
{
	size_t n = m->url ? strlen(m->url) : 0;

	return n > 0 && m->url[n - 1] == '/' ? m->url : g->key;
}

/* The whole of a bucket, from its first page on: it is asked again, by directories. */
static int read_unasked_bucket(struct gather *g)
{
	_cleanup_(dirlist_unrefp) struct dirlist *unused = dirlist_new();
	int err = unused ? dirlist_read_s3("", buf_str(&g->body), g->body.len, unused, &g->more)
			 : -ENOMEM;

	free(TAKE_PTR(g->more));
	return err ? err : gather_use_bucket(g, g->key, strlen(g->key));
}

/* 0: read; -EAGAIN: to be asked in another way. */
static int read_page(struct gather *g, const struct meta *m)
{
	enum listing_way listing = g->dirs->fetch->config.listing;
	const char *base = base_of(g, m), *body = buf_str(&g->body);
	int err;

	switch (dirlist_form_of(m->content_type)) {
	case DIRLIST_HTML:
		return listing == LISTING_JSON ? -ENODATA :
			       dirlist_read_html(base, body, g->body.len, g->list);
	case DIRLIST_JSON:
		return listing == LISTING_HTML ? -ENODATA :
			       dirlist_read_json(base, body, g->body.len, g->list);
	case DIRLIST_XML:
		err = listing == LISTING_AUTO ? read_unasked_bucket(g) : -ENODATA;
		return err ? err : -EAGAIN;
	case DIRLIST_NONE:
		break;
	}
	return -ENODATA;
}

static int read_bucket(struct gather *g)
{
	int err;

	free(TAKE_PTR(g->more));
	err = dirlist_read_s3(g->prefix, buf_str(&g->body), g->body.len, g->list, &g->more);
	if (err == -ENODATA && g->bucket_is_guess && g->pages == 0) {
		err = gather_guess_bucket(g, true);
		return err ? err : -EAGAIN;
	}
	if (err)
		return err;
	gather_note_way(g, true);
	return g->more && ++g->pages < PAGES_MAX ? -EAGAIN : 0;
}

static int read_list(struct gather *g, const struct meta *m)
{
	int err;

	switch (g->way) {
	case DIRS_PAGE:
		return read_page(g, m);
	case DIRS_DAV:
		err = m->status == 207 ? dirlist_read_dav(base_of(g, m), buf_str(&g->body),
							  g->body.len, g->list) : -ENODATA;
		if (g->detected)
			gather_note_way(g, err == 0);
		return err;
	case DIRS_S3:
		return read_bucket(g);
	}
	return -ENODATA;
}

/* What says nothing of it is fresh long enough for who lists and then looks at each. */
static void note_freshness(struct gather *g, const struct meta *m)
{
	bool again = (m->flags & META_STORE) && !(m->flags & META_MUST_REVALIDATE);
	int64_t ms = g->fresh_ms;

	if (ms == 0)
		ms = again || g->way != DIRS_PAGE ? UNSAID_MS : UNSTORABLE_MS;
	g->fresh_until_ms = clock_wall_ms() + ms;
}

int gather_judge(const struct gather *g)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(g->v);

	if (dirlist_form_of(m->content_type) == DIRLIST_NONE ||
	    version_length(g->v) > DIRLIST_BYTES_MAX)
		return -ENODATA;
	return 0;
}

int gather_read(struct gather *g, bool *ret_ask)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(g->v);
	int err = read_body(g);

	if (err == -EAGAIN)
		return err;
	version_unref(TAKE_PTR(g->v));
	if (err)
		return err;
	note_freshness(g, m);
	err = read_list(g, m);
	*ret_ask = err == -EAGAIN;
	return err;
}
