/* fuzz-dirlist.h - what the fuzzers of listings check. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../fetch/dirlist.h"
#include "../../fetch/url.h"

#define BASE "http://example.org/a%20b/"

typedef int reader(const char *body, size_t len, struct dirlist *d);

static void check_entry(const struct dirlist_entry *e)
{
	char *name = NULL, *segment = NULL, *key = NULL, *text = NULL;
	int err;

	assert(e->name[0] && !strpbrk(e->name, "/?#"));
	assert(strcmp(e->name, ".") != 0 && strcmp(e->name, "..") != 0);
	assert(e->size >= -1 && (!e->exact || (!e->dir && e->size >= 0 && e->mtime_s >= 0)));
	/* A key as it is, and the same again from the name that is shown. */
	assert(asprintf(&text, "%s%s", BASE, e->name) > 0);
	assert(url_normalise(text, &key, NULL) < 0 || strcmp(key, text) == 0);
	err = url_segment_to_name(e->name, &name);
	assert(err == 0 || err == -ENAMETOOLONG);
	if (err == 0) {
		assert(url_name_to_segment(name, &segment) == 0);
		assert(strcmp(segment, e->name) == 0);
	}
	free(name);
	free(segment);
	free(key);
	free(text);
}

static int dirlist_fuzz(const uint8_t *data, size_t len, reader *read)
{
	struct dirlist *d = dirlist_new();
	char *body = malloc(len + 1);
	int err;

	assert(d && body);
	memcpy(body, data, len);
	body[len] = '\0';
	err = read(body, len, d);
	assert(err == 0 || err == -ENODATA);
	dirlist_sort(d);
	for (size_t i = 0; i < d->n; i++) {
		bool found;

		check_entry(&d->entries[i]);
		assert(i == 0 || strcmp(d->entries[i - 1].name, d->entries[i].name) < 0);
		assert(dirlist_find(d, d->entries[i].name, &found) == i && found);
	}
	dirlist_unref(d);
	free(body);
	return 0;
}

__attribute__((unused)) static int read_html(const char *body, size_t len, struct dirlist *d)
{
	return dirlist_read_html(BASE, body, len, d);
}

__attribute__((unused)) static int read_json(const char *body, size_t len, struct dirlist *d)
{
	return dirlist_read_json(BASE, body, len, d);
}

__attribute__((unused)) static int read_dav(const char *body, size_t len, struct dirlist *d)
{
	return dirlist_read_dav(BASE, body, len, d);
}

__attribute__((unused)) static int read_s3(const char *body, size_t len, struct dirlist *d)
{
	char *more;
	int err = dirlist_read_s3("a b/", body, len, d, &more);

	free(more);
	return err;
}
