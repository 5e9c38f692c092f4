/* gather_way.c - how an origin is asked what it lists: as the option says, or as was found
 * out of it. */
#include "gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "dirlist.h"
#include "url_normalise.h"

int gather_use_bucket(struct gather *g, const char *bucket, size_t len)
{
	struct buf prefix = BUF_INIT;

	free(g->bucket);
	free(g->prefix);
	g->prefix = NULL;
	g->bucket = strndup(bucket, len);
	if (!g->bucket)
		return -ENOMEM;
	url_normalise_decode(&prefix, g->key + len, strlen(g->key + len));
	g->prefix = buf_take(&prefix);
	g->way = DIRS_S3;
	return g->prefix ? 0 : -ENOMEM;
}

/* In the host's name, or the first part of the path. */
int gather_guess_bucket(struct gather *g, bool in_path)
{
	const char *slash = strchr(strstr(g->key, "://") + 3, '/');

	g->bucket_is_guess = !in_path;
	if (in_path)
		slash = strchr(slash + 1, '/');
	return slash ? gather_use_bucket(g, g->key, (size_t)(slash + 1 - g->key)) : -ENODATA;
}

int gather_choose_way(struct gather *g)
{
	struct dirs *ds = g->dirs;
	_cleanup_(cleanup_free) char *bucket = NULL;

	WITH_LOCK(&ds->lock) {
		struct dirs_origin *o = dirs_origin_of(ds, g->key);

		if (!o)
			break;
		g->way = o->way;
		if (o->bucket && strncmp(o->bucket, g->key, strlen(o->bucket)) == 0)
			bucket = strdup(o->bucket);
	}
	switch (ds->fetch->config.listing) {
	case LISTING_DAV:
		g->way = DIRS_DAV;
		return 0;
	case LISTING_S3:
		return bucket ? gather_use_bucket(g, bucket, strlen(bucket))
			      : gather_guess_bucket(g, false);
	case LISTING_AUTO:
		if (bucket)
			return gather_use_bucket(g, bucket, strlen(bucket));
		g->way = g->way == DIRS_S3 ? DIRS_PAGE : g->way;
		return 0;
	default:
		g->way = DIRS_PAGE;
		return 0;
	}
}

/* The way worked, or (DAV) did not. */
void gather_note_way(struct gather *g, bool works)
{
	WITH_LOCK(&g->dirs->lock) {
		struct dirs_origin *o = dirs_origin_of(g->dirs, g->key);

		if (!o)
			break;
		if (works)
			o->way = g->way;
		else
			o->no_dav = true;
		if (works && g->way == DIRS_S3 && !o->bucket)
			o->bucket = strdup(g->bucket);
	}
}

/* A page that is refused may be a collection of WebDAV all the same. Once for each
 * origin, for most have never heard of that. */
bool gather_may_try_dav(struct gather *g, int err)
{
	bool may = false;

	if (g->dirs->fetch->config.listing != LISTING_AUTO || g->way != DIRS_PAGE ||
	    (err != -EACCES && err != -EIO))
		return false;
	WITH_LOCK(&g->dirs->lock) {
		struct dirs_origin *o = dirs_origin_of(g->dirs, g->key);

		may = o && !o->no_dav;
	}
	return may;
}
