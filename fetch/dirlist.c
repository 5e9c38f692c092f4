#include "dirlist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "url.h"
#include "url_normalise.h"

#define MALLOC_EXTRA 16

struct dirlist *dirlist_new(void)
{
	struct dirlist *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	atomic_init(&d->refs, 1);
	pthread_mutex_init(&d->lock, NULL);
	return d;
}

struct dirlist *dirlist_ref(struct dirlist *d)
{
	atomic_fetch_add(&d->refs, 1);
	return d;
}

void dirlist_unref(struct dirlist *d)
{
	if (!d || atomic_fetch_sub(&d->refs, 1) > 1)
		return;
	for (size_t i = 0; i < d->n; i++)
		free(d->entries[i].name);
	free(d->entries);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

void dirlist_unrefp(struct dirlist **d)
{
	dirlist_unref(*d);
	*d = NULL;
}

/* --- filling --- */

/* Takes name. */
static int add(struct dirlist *d, char *name, const struct dirlist_entry *e)
{
	if (d->n == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 64;
		struct dirlist_entry *grown = NULL;

		if (d->n < DIRLIST_NAMES_MAX)
			grown = reallocarray(d->entries, cap, sizeof *grown);
		if (!grown) {
			free(name);
			return d->n < DIRLIST_NAMES_MAX ? -ENOMEM : -E2BIG;
		}
		d->entries = grown;
		d->cap = cap;
	}
	d->entries[d->n++] = (struct dirlist_entry){
		.name = name,
		.dir = e->dir,
		.size = e->dir ? -1 : e->size,
		/* -1 is ours; nothing on the web is of before 1970. */
		.mtime_s = e->mtime_s >= 0 ? e->mtime_s : -1,
		.exact = e->exact && !e->dir && e->size >= 0 && e->mtime_s >= 0,
	};
	return 0;
}

static bool is_dots(const char *segment)
{
	return strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0;
}

int dirlist_add_segment(struct dirlist *d, const char *segment, const struct dirlist_entry *e)
{
	size_t len = strlen(segment);
	char *name;

	if (!*segment || strchr(segment, '/') || is_dots(segment) || len > DIRLIST_SEGMENT_MAX)
		return 0;
	d->bytes += len + sizeof *e + MALLOC_EXTRA;
	if (d->bytes > DIRLIST_MEMORY_MAX)
		return -E2BIG;
	name = strdup(segment);
	return name ? add(d, name, e) : -ENOMEM;
}

int dirlist_add_name(struct dirlist *d, const char *name, const struct dirlist_entry *e)
{
	struct buf segment _cleanup_(buf_fini) = BUF_INIT;

	if (strchr(name, '/'))
		return 0;
	url_normalise_literal(&segment, name, strlen(name), URL_KEEP_SEGMENT);
	return buf_ok(&segment) ? dirlist_add_segment(d, buf_str(&segment), e) : -ENOMEM;
}

int dirlist_add_href(struct dirlist *d, const char *base, const char *href,
		     const struct dirlist_entry *e)
{
	_cleanup_(cleanup_free) char *url = NULL;
	struct dirlist_entry entry = *e;
	struct buf name _cleanup_(buf_fini) = BUF_INIT;
	size_t n = strlen(base), len;
	int err;

	/* Sort links and such, which would be resolved to the directory itself. */
	if (href[0] == '?' || href[0] == '#')
		return 0;
	err = url_resolve(base, href, &url);
	if (err)
		return err == -ENOMEM ? err : 0;
	if (strncmp(url, base, n) != 0)
		return 0;
	len = strcspn(url + n, "/?");
	if (len == 0 || strchr(url + n + len, '?') || (url[n + len] && url[n + len + 1]))
		return 0;
	entry.dir = entry.dir || url[n + len] == '/';
	/* Servers of files encode more than has to be, each as it likes: what counts is the
	 * name that they mean. */
	url_normalise_decode(&name, url + n, len);
	if (!buf_ok(&name))
		return -ENOMEM;
	if (memchr(buf_str(&name), '\0', name.len))
		return 0;
	return dirlist_add_name(d, buf_str(&name), &entry);
}

static int by_name(const void *a, const void *b)
{
	const struct dirlist_entry *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	/* Of a name that is both the directory comes first, and stays. */
	return order ? order : y->dir - x->dir;
}

void dirlist_sort(struct dirlist *d)
{
	size_t n = 0;

	if (d->n > 0)
		qsort(d->entries, d->n, sizeof *d->entries, by_name);
	for (size_t i = 0; i < d->n; i++) {
		if (n > 0 && strcmp(d->entries[n - 1].name, d->entries[i].name) == 0)
			free(d->entries[i].name);
		else
			d->entries[n++] = d->entries[i];
	}
	d->n = n;
}

/* --- asking --- */

size_t dirlist_find(const struct dirlist *d, const char *name, bool *ret_found)
{
	size_t low = 0, high = d->n;

	*ret_found = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(d->entries[mid].name, name);

		if (order == 0) {
			*ret_found = true;
			return mid;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct dirlist_entry dirlist_get(struct dirlist *d, size_t i)
{
	struct dirlist_entry e;

	WITH_LOCK(&d->lock)
		e = d->entries[i];
	return e;
}

void dirlist_learn(struct dirlist *d, size_t i, int64_t size, int64_t mtime_s)
{
	WITH_LOCK(&d->lock) {
		struct dirlist_entry *e = &d->entries[i];

		e->asked = true;
		e->size = size;
		e->mtime_s = mtime_s >= 0 ? mtime_s : e->mtime_s;
		e->exact = size >= 0 && e->mtime_s >= 0;
	}
}

bool dirlist_is_bounded(const char *body, size_t len)
{
	const char *end = body + len;
	size_t n = 0;

	while ((body = memchr(body, '<', (size_t)(end - body))) != NULL && ++n <= DIRLIST_TAGS_MAX)
		body++;
	return n <= DIRLIST_TAGS_MAX;
}

enum dirlist_form dirlist_form_of(const char *content_type)
{
	static const struct {
		const char *type;
		enum dirlist_form form;
	} forms[] = {
		{ "text/html", DIRLIST_HTML },
		{ "application/xhtml+xml", DIRLIST_HTML },
		{ "application/json", DIRLIST_JSON },
		{ "text/json", DIRLIST_JSON },
		{ "application/xml", DIRLIST_XML },
		{ "text/xml", DIRLIST_XML },
	};
	size_t len = content_type ? strcspn(content_type, "; \t") : 0;

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (len == strlen(forms[i].type) && !strncasecmp(content_type, forms[i].type, len))
			return forms[i].form;
	return DIRLIST_NONE;
}
