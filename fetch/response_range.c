/* response_range.c - what a Range request gets: the part, all of it instead, or the news
 * that the origin has something else now. Thread F. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "../base/cleanup.h"
#include "../base/counters.h"
#include "../base/log.h"
#include "content_range.h"
#include "fetch_private.h"

static int changed(struct transfer *t)
{
	count(changed);
	log_debug("%s: changed on the origin while it was read", t->key);
	return -ESTALE;
}

/* The same strong validator, if there is one to compare: what If-Range was. */
static bool same_representation(const struct transfer *t, const struct meta *m)
{
	const char *etag = headers_get(&t->headers, "ETag");
	const char *modified = headers_get(&t->headers, "Last-Modified");

	if (etag && m->etag && (fill_is_strong(m->etag) || strcmp(etag, m->etag) != 0))
		return strcmp(etag, m->etag) == 0;
	if (modified && m->last_modified)
		return strcmp(modified, m->last_modified) == 0;
	return !etag || !m->etag;
}

static int on_partial(struct transfer *t)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(t->v);
	_cleanup_(cleanup_free) char *coding = headers_get_joined(&t->headers, "Content-Encoding");
	const char *type = headers_get(&t->headers, "Content-Type");
	const char *field = headers_get(&t->headers, "Content-Range");
	struct content_range range;

	if ((type && strncasecmp(type, "multipart/byteranges", 20) == 0) || !field ||
	    content_range_parse(field, &range) < 0 || range.off < 0)
		return -EIO;
	if (!same_representation(t, m) ||
	    (range.length >= 0 && range.length != version_length(t->v)))
		return changed(t);
	if (range.off != t->pos || decoder_new(coding, &t->decoder) < 0 || t->decoder)
		return -EIO;
	t->part_end = range.end;
	/* Less than asked for is legal: the rest is asked for again. */
	if (range.end < (t->end >= 0 ? t->end : version_length(t->v)))
		t->end = range.end;
	return 0;
}

static int on_whole_instead(struct transfer *t)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(t->v);
	bool comparable = (m->etag && headers_get(&t->headers, "ETag")) ||
			  (m->last_modified && headers_get(&t->headers, "Last-Modified"));

	if (!comparable || !same_representation(t, m) ||
	    response_length(t) != version_length(t->v) ||
	    headers_get(&t->headers, "Content-Encoding"))
		return changed(t);
	/* The very same, only not in ranges: skip to where we were. */
	t->skip = t->pos;
	t->end = -1;
	return 0;
}

int response_range(struct transfer *t)
{
	switch (t->http_status) {
	case 206:
		return on_partial(t);
	case 200:
		return on_whole_instead(t);
	case 404:
	case 410:
	case 412:
	case 416:
		return changed(t);
	}
	return -ENOTSUP;
}
