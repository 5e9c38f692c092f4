#include "path.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../fetch/url.h"

#define EXTENSION_MAX 5

bool path_is_file_name(const char *name)
{
	const char *dot, *p;
	bool letters = false;

	if (strchr(name, '?'))
		return true;
	dot = strrchr(name, '.');
	if (!dot || !dot[1] || strlen(dot + 1) > EXTENSION_MAX)
		return false;
	for (p = dot + 1; *p; p++) {
		if (!isalnum((unsigned char)*p))
			return false;
		if (isalpha((unsigned char)*p))
			letters = true;
	}
	/* "v1.2" is a version number more often than a file. */
	return letters;
}

static int join(const char *a, const char *b, const char *c, char **ret)
{
	struct buf key = BUF_INIT;

	buf_str_append(&key, a);
	buf_str_append(&key, b);
	buf_str_append(&key, c);
	*ret = buf_take(&key);
	return *ret ? 0 : -ENOMEM;
}

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

/* At the root of `web`, and of a URL within a URL: "/resize/https://host/a.jpg", of which
 * the kernel makes one '/' of the two. */
static bool is_scheme_name(const char *name)
{
	return strcmp(name, "http:") == 0 || strcmp(name, "https:") == 0;
}

static int child_scheme(const char *name, struct path *ret)
{
	if (!is_scheme_name(name))
		return -ENOENT;
	ret->guess = PATH_DIR;
	return join(name, "//", "", &ret->dir);
}

static int child_host(const char *dir_key, const char *name, struct path *ret)
{
	_cleanup_(cleanup_free) char *url = NULL;
	const char *reason;
	int r;

	/* A key has no user, so one here would be dropped unseen. */
	if (strpbrk(name, "@?#/\\"))
		return -ENOENT;
	r = join(dir_key, name, "/", &url);
	if (r < 0)
		return r;
	r = url_normalise(url, &ret->dir, &reason);
	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;
	ret->guess = PATH_DIR;
	return 0;
}

static int child_segment(const char *dir_key, const char *name, struct path *ret)
{
	_cleanup_(cleanup_free) char *segment = NULL;
	int r;

	r = url_name_to_segment(name, &segment);
	if (r < 0)
		return r == -EINVAL ? -ENOENT : r;
	if (is_scheme_name(name)) {
		ret->guess = PATH_DIR;
		return join(dir_key, segment, "//", &ret->dir);
	}
	ret->guess = path_is_file_name(name) ? PATH_FILE : PATH_EITHER;
	/* A host there, whatever its name ends in. */
	if (ends_in(dir_key, "://") && !strchr(name, '?'))
		ret->guess = PATH_EITHER;
	r = join(dir_key, segment, "", &ret->file);
	if (r == 0 && !strchr(name, '?'))
		r = join(dir_key, segment, "/", &ret->dir);
	return r;
}

bool path_is_scheme(const char *dir_key)
{
	return strcmp(dir_key, "http://") == 0 || strcmp(dir_key, "https://") == 0;
}

int path_child(const char *dir_key, const char *name, struct path *ret)
{
	struct path p = { .guess = PATH_EITHER };
	int r;

	if (!dir_key[0])
		r = child_scheme(name, &p);
	else if (path_is_scheme(dir_key))
		r = child_host(dir_key, name, &p);
	else
		r = child_segment(dir_key, name, &p);
	if (r < 0)
		path_fini(&p);
	else
		*ret = p;
	return r;
}

void path_fini(struct path *p)
{
	free(p->file);
	free(p->dir);
	free(p->url);
	p->file = p->dir = p->url = NULL;
}

char *path_page_key(const char *dir_key)
{
	const char *host = strstr(dir_key, "://");
	size_t len = strlen(dir_key);

	if (!host || len < 2 || ends_in(dir_key, "://"))
		return NULL;
	/* The '/' behind the host is the only one: it is the path. */
	if (strchr(host + 3, '/') == dir_key + len - 1 || !host[3])
		return NULL;
	return strndup(dir_key, len - 1);
}

bool path_is_leaf_type(const char *content_type)
{
	static const char *const prefixes[] = {
		"image/", "audio/", "video/", "font/",
		"application/zip", "application/gzip", "application/x-gzip",
		"application/x-tar", "application/x-xz", "application/x-bzip2",
		"application/zstd", "application/x-7z-compressed",
		"application/octet-stream", "application/pdf",
	};
	size_t i;

	if (!content_type)
		return false;
	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strncasecmp(content_type, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}
