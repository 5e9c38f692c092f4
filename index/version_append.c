/* version_append.c - pieces that come one behind the other are written as one.
 *
 * A write of 16 KiB, which is what curl hands over, costs the file system nearly twice as
 * much for each byte as one of 128 KiB. Thread F. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "index_private.h"

enum { GATHERED_MAX = 256 * 1024 };

/* Whether it would go into a file: then it has its room there as well. */
static bool may_gather(struct version *v, int64_t off, size_t len)
{
	struct index *ix = v->index;
	int64_t length = version_length(v);

	if (len > GATHERED_MAX / 2 || length < off + (int64_t)len || version_room(v, off) < INT64_MAX)
		return false;
	return body_prepare(&v->body, &ix->place, length, off, GATHERED_MAX) == 0;
}

static bool is_next(const struct gathered *g, struct version *v, int64_t off, size_t len)
{
	return g->v == v && g->off + (int64_t)g->len == off && g->len + len <= GATHERED_MAX &&
	       off + (int64_t)len <= version_length(v);
}

int version_append(struct version *v, int64_t off, const void *data, size_t len)
{
	struct gathered *g = &v->index->gathered;

	if (!is_next(g, v, off, len)) {
		version_flush(v->index);
		if (!may_gather(v, off, len))
			return version_write(v, off, data, len);
		if (!g->data)
			g->data = malloc(GATHERED_MAX);
		if (!g->data)
			return version_write(v, off, data, len);
		g->v = version_ref(v);
		g->off = off;
	}
	if (version_state(v) != VERSION_ARRIVING)
		return -ESTALE;
	memcpy(g->data + g->len, data, len);
	g->len += len;
	if (g->len == GATHERED_MAX)
		version_flush(v->index);
	return 0;
}

void version_flush(struct index *ix)
{
	struct gathered *g = &ix->gathered;
	_cleanup_(version_unrefp) struct version *v = TAKE_PTR(g->v);
	size_t len = g->len;
	int err;

	g->len = 0;
	if (!v || version_state(v) != VERSION_ARRIVING)
		return;
	err = version_write(v, g->off, g->data, len);
	if (err)
		version_fail(v, err);
}
