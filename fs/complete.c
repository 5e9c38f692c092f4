/* complete.c - options_complete(): what options mean on this machine, now. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../fetch/url.h"
#include "cache_dir.h"
#include "credentials.h"
#include "kinds.h"
#include "options.h"

#define SIZE_DEFAULT (10LL << 30)
#define SIZE_SMALLEST (1LL << 20)	/* below it the index alone would not fit */
#define SIZE_DEFAULT_SMALLEST (16LL << 20)
#define HEADER_FILE_LARGEST (64 * 1024)

struct reason {
	char *text;
	size_t len;
};

static int complain(const struct reason *r, int err, const char *what, const char *words)
{
	snprintf(r->text, r->len, "%s: %s", what, words ? words : strerror(-err));
	return err;
}

/* --- the source --- */

static int complete_url(struct options *o, const struct reason *r)
{
	struct url url = { 0 };
	const char *words = "not a URL";
	struct buf path _cleanup_(buf_fini) = BUF_INIT;

	if (strcmp(o->source, "web") == 0) {
		o->base_url = strdup("");
		return o->base_url ? 0 : complain(r, -ENOMEM, o->source, NULL);
	}
	if (strncmp(o->source, "http://", 7) != 0 && strncmp(o->source, "https://", 8) != 0)
		return complain(r, -EINVAL, o->source, "not an http:// or https:// URL, and not web");
	if (url_parse(o->source, &url, &words) < 0)
		return complain(r, -EINVAL, o->source, words);
	if (url.query) {
		url_fini(&url);
		return complain(r, -EINVAL, o->source, "a base URL cannot have a query");
	}
	buf_str_append(&path, url.path);
	if (path.len == 0 || path.data[path.len - 1] != '/')
		buf_char(&path, '/');
	free(url.path);
	url.path = buf_take(&path);
	o->base_url = url.path ? url_format(&url) : NULL;
	url_fini(&url);
	if (!o->base_url)
		return complain(r, -ENOMEM, o->source, NULL);
	o->fetch.base_url = o->base_url;
	return 0;
}

static int complete_allow(struct options *o, const struct reason *r)
{
	const char *words = NULL;
	int err;

	if (!o->allow)
		return o->base_url[0] ? 0 : complain(r, -EINVAL, o->source,
						     "needs the option allow=HOST[:HOST...]");
	err = hosts_parse(o->allow, &o->allowed, &words);
	if (err < 0)
		return complain(r, err, "option allow", err == -EINVAL ? words : NULL);
	o->fetch.allow = o->allowed;
	return 0;
}

static int complete_credentials(struct options *o, const struct reason *r)
{
	char *line _cleanup_(cleanup_free) = NULL;
	const char *words = NULL;
	int err;

	if (!o->credentials)
		return 0;
	line = credentials_header(o->credentials);
	if (!line)
		return complain(r, -ENOMEM, o->source, NULL);
	err = options_add_header(o, line, &words);
	return err < 0 ? complain(r, err, "user and password of the URL", words) : 0;
}

/* --- files that options name --- */

static int read_header_lines(struct options *o, FILE *file, const struct reason *r)
{
	char *line _cleanup_(cleanup_free) = NULL;
	size_t cap = 0, total = 0;
	ssize_t len;
	int err = 0;

	while (err == 0 && (len = getline(&line, &cap, file)) >= 0) {
		const char *words = NULL;
		char *text = line;

		total += (size_t)len;
		if (total > HEADER_FILE_LARGEST)
			return complain(r, -EINVAL, o->header_file, "too large");
		if (memchr(line, '\0', (size_t)len))
			return complain(r, -EINVAL, o->header_file, "not a text file");
		while (len && strchr("\r\n\t ", line[len - 1]))
			line[--len] = '\0';
		text += strspn(text, " \t");
		if (*text && *text != '#')
			err = options_add_header(o, text, &words);
		if (err < 0)
			complain(r, err, o->header_file, words);
	}
	if (err == 0 && ferror(file))
		return complain(r, -EIO, o->header_file, NULL);
	return err;
}

static int complete_header_file(struct options *o, const struct reason *r)
{
	FILE *file;
	int err;

	if (!o->header_file)
		return 0;
	file = fopen(o->header_file, "re");
	if (!file)
		return complain(r, -errno, o->header_file, NULL);
	err = read_header_lines(o, file, r);
	fclose(file);
	return err;
}

/* The daemon leaves the current directory: what it opens later is made absolute. */
static int complete_cacert(struct options *o, const struct reason *r)
{
	char *path;

	if (!o->cacert)
		return 0;
	path = realpath(o->cacert, NULL);
	if (!path || access(path, R_OK) < 0) {
		int err = -errno;

		free(path);
		return complain(r, err, o->cacert, NULL);
	}
	free(o->cacert);
	o->cacert = path;
	return 0;
}

/* It may come and go later. */
static int complete_warm(struct options *o, const struct reason *r)
{
	char *path = NULL;
	int err;

	if (!o->warm_file)
		return !o->warm_interval_ms ? 0 : complain(r, -EINVAL, "option warm_interval",
							   "needs the option warm_file=FILE");
	err = cache_dir_resolve(o->warm_file, &path);
	if (err < 0)
		return complain(r, err, o->warm_file, NULL);
	free(o->warm_file);
	o->warm_file = path;
	return 0;
}

static int complete_mountpoint(struct options *o, const struct reason *r)
{
	struct stat st;
	char *path = realpath(o->mountpoint, NULL);

	if (!path && errno == ENOTCONN)
		return complain(r, -ENOTCONN, o->mountpoint,
				"left by a daemon that died; unmount it first");
	if (!path)
		return complain(r, -errno, o->mountpoint, NULL);
	free(o->mountpoint);
	o->mountpoint = path;
	if (stat(path, &st) < 0)
		return complain(r, -errno, path, NULL);
	if (!S_ISDIR(st.st_mode))
		return complain(r, -ENOTDIR, path, NULL);
	if (strcmp(path, "/") == 0)
		return complain(r, -EBUSY, path, "cannot mount over the root directory");
	return 0;
}

/* --- the cache directory and its limits --- */

static int complete_cache_dir(struct options *o, const struct reason *r)
{
	char *path = NULL, *real = NULL;
	int err;

	if (o->cache_dir)
		path = TAKE_PTR(o->cache_dir);
	else if ((err = cache_dir_default(*o->base_url ? o->base_url : o->source, geteuid(),
					  &path)) < 0)
		return complain(r, err, "no home directory", "give -o cache_dir=DIR");
	err = cache_dir_resolve(path, &real);
	if (err < 0) {
		complain(r, err, path, NULL);
		free(path);
		return err;
	}
	free(path);
	o->cache_dir = real;
	o->index.dir = real;
	/* The daemon would wait for itself. */
	if (cache_dir_is_below(real, o->mountpoint))
		return complain(r, -EINVAL, real,
				"the cache directory cannot lie below the mount point");
	return 0;
}

static int64_t in_bytes(const struct quantity *quantity, int64_t total)
{
	return quantity->percent ? total / 100 * quantity->percent : quantity->bytes;
}

static int complete_size(struct options *o, const struct reason *r)
{
	int64_t total, free_bytes, size;
	int err = cache_dir_disk(o->cache_dir, &total, &free_bytes);

	if (err < 0)
		return complain(r, err, o->cache_dir, NULL);
	size = in_bytes(&o->size, total);
	if (size < 0) {
		size = free_bytes / 10 < SIZE_DEFAULT ? free_bytes / 10 : SIZE_DEFAULT;
		if (size < SIZE_DEFAULT_SMALLEST)
			size = SIZE_DEFAULT_SMALLEST;
	}
	if (size < SIZE_SMALLEST)
		return complain(r, -EINVAL, "option size", "at least 1M is needed");
	o->size = (struct quantity){ size, 0 };
	o->min_free = (struct quantity){ in_bytes(&o->min_free, total), 0 };
	o->index.size = o->size.bytes;
	o->index.min_free = o->min_free.bytes;
	return 0;
}

/* --- all of it --- */

static int complete_rest(struct options *o, const struct reason *r)
{
	if (!o->user_agent)
		o->user_agent = strdup("webcachefs/" WEBCACHEFS_VERSION);
	if (!o->user_agent)
		return complain(r, -ENOMEM, "options", NULL);
	if (!o->uid_set)
		o->uid = getuid();
	if (!o->gid_set)
		o->gid = getgid();
	o->fetch.shared = o->allow_other;
	o->fetch.headers = (const char *const *)o->headers;
	o->fetch.user_agent = o->user_agent;
	o->fetch.cacert = o->cacert;
	o->fetch.proxy = o->proxy;
	o->fetch.targeted = o->targeted;
	return 0;
}

int options_complete(struct options *o, char *reason, size_t reason_len)
{
	static int (*const steps[])(struct options *, const struct reason *) = {
		complete_url, complete_allow, complete_credentials, complete_header_file, complete_cacert,
		complete_warm, complete_mountpoint, complete_cache_dir, complete_size, complete_rest,
	};
	const struct reason r = { reason, reason_len };
	int err = 0;

	for (size_t i = 0; err == 0 && i < sizeof steps / sizeof *steps; i++)
		err = steps[i](o, &r);
	return err;
}
