/* transfer_new.c - how a transfer is made, and goes with its last reference. Any thread. */
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "fetch_private.h"

struct transfer *transfer_new(struct fetch *f, enum transfer_kind kind, const char *key,
			      const char *url)
{
	struct transfer *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->key = strdup(key);
	t->url = url ? strdup(url) : NULL;
	if (!t->key || (url && !t->url)) {
		free(t->key);
		free(t);
		return NULL;
	}
	t->fetch = f;
	t->policy = fetch_policy(f, key);
	t->kind = kind;
	atomic_init(&t->refs, 1);
	t->start.kind = MESSAGE_START;
	list_init(&t->start.link);
	list_init(&t->wants);
	list_init(&t->link);
	list_init(&t->record_link);
	t->end = t->target = -1;
	t->retry_after_ms = -1;
	t->opened = t->narrow = CURL_SOCKET_BAD;
	return t;
}

void transfer_unref(struct transfer *t)
{
	if (atomic_fetch_sub(&t->refs, 1) > 1)
		return;
	version_unref(t->answer);
	version_unref(t->meanwhile);
	version_unref(t->stale);
	version_unref(t->promise);
	version_unref(t->v);
	headers_fini(&t->headers);
	decoder_free(t->decoder);
	header_lines_unref(t->lines);
	free(t->location);
	free(t->unresolved);
	free(t->url);
	free(t->chain_vary);
	free(t->key);
	free(t);
}
