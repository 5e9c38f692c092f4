#include "meta.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct meta *meta_new(void)
{
	struct meta *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	atomic_init(&m->refs, 1);
	m->length = -1;
	m->headers = strdup("");
	m->reason = strdup("");
	if (!m->headers || !m->reason) {
		meta_unref(m);
		return NULL;
	}
	return m;
}

static bool copy_string(char **ret, const char *s)
{
	if (!s)
		return true;
	*ret = strdup(s);
	return *ret != NULL;
}

struct meta *meta_copy(const struct meta *m)
{
	struct meta *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return NULL;
	atomic_init(&copy->refs, 1);
	copy->status = m->status;
	copy->flags = m->flags;
	copy->length = m->length;
	copy->mtime_s = m->mtime_s;
	copy->request_ms = m->request_ms;
	copy->response_ms = m->response_ms;
	copy->fresh_until_ms = m->fresh_until_ms;
	copy->swr_until_ms = m->swr_until_ms;
	copy->sie_until_ms = m->sie_until_ms;
	copy->usable_until_ms = m->usable_until_ms;
	copy->vary_sum = m->vary_sum;
	if (!copy_string(&copy->etag, m->etag) ||
	    !copy_string(&copy->last_modified, m->last_modified) ||
	    !copy_string(&copy->content_type, m->content_type) ||
	    !copy_string(&copy->headers, m->headers) ||
	    !copy_string(&copy->url, m->url) ||
	    !copy_string(&copy->reason, m->reason)) {
		meta_unref(copy);
		return NULL;
	}
	return copy;
}

struct meta *meta_ref(struct meta *m)
{
	int before = atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);

	assert(before > 0);
	return m;
}

void meta_unref(struct meta *m)
{
	int before;

	if (!m)
		return;
	/* Whoever frees must see what the others did before they let go. */
	before = atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel);
	assert(before > 0);
	if (before > 1)
		return;
	free(m->etag);
	free(m->last_modified);
	free(m->content_type);
	free(m->headers);
	free(m->url);
	free(m->reason);
	free(m);
}

void meta_unrefp(struct meta **m)
{
	meta_unref(*m);
	*m = NULL;
}

/* A list of tags, up to the end of its line. */
static bool list_has(const char *list, const char *between, const char *tag)
{
	size_t len = strlen(tag);

	for (;;) {
		size_t n;

		list += strspn(list, " \t");
		n = strcspn(list, between);
		while (n > 0 && (list[n - 1] == ' ' || list[n - 1] == '\t' || list[n - 1] == '\r'))
			n--;
		if (n == len && len > 0 && memcmp(list, tag, len) == 0)
			return true;
		list += strcspn(list, between);
		if (*list == '\0' || *list == '\n')
			return false;
		list++;
	}
}

bool meta_has_tag(const struct meta *m, const char *tag)
{
	const char *line = m->headers;

	while (*line) {
		if (strncasecmp(line, "Surrogate-Key:", 14) == 0 && list_has(line + 14, " \t\n", tag))
			return true;
		if (strncasecmp(line, "Cache-Tag:", 10) == 0 && list_has(line + 10, ",\n", tag))
			return true;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return false;
}
