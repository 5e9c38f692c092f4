/* complete.c - options_complete(): what options mean on this machine, now. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../fetch/url.h"
#include "cache_dir.h"
#include "config_private.h"
#include "credentials.h"
#include "kinds.h"
#include "options.h"

#define SIZE_DEFAULT (10LL << 30)
#define SIZE_SMALLEST (1LL << 20)	/* below it the index alone would not fit */
#define SIZE_DEFAULT_SMALLEST (16LL << 20)

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
		return o->base_url[0] || config_has_origin(o->config) ? 0 :
			complain(r, -EINVAL, o->source,
				 "needs the option allow=HOST[:HOST...], or origins in a config=FILE");
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

static int complete_header_file(struct options *o, const struct reason *r)
{
	return o->header_file ? header_file_open(o->header_file, &o->policy.header_file, r->text,
						 r->len) : 0;
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

/* --- what is said of URLs --- */

/* In the form in which they are compared with URLs. */
static int complete_globs(struct globs *g)
{
	for (size_t i = 0; i < g->n; i++) {
		char *glob = policy_glob(g->items[i]);

		if (!glob)
			return -ENOMEM;
		free(g->items[i]);
		g->items[i] = glob;
	}
	return 0;
}
/* It need not be there yet. The daemon would wait for itself if it lay in the mount. */
static int complete_access_log(struct options *o, const struct reason *r)
{
	char *dir _cleanup_(cleanup_free) = NULL, *real _cleanup_(cleanup_free) = NULL;
	char *name, *path = NULL;

	if (!o->access_log)
		return 0;
	name = strrchr(o->access_log, '/');
	dir = name ? strndup(o->access_log, (size_t)(name - o->access_log) + 1) : strdup(".");
	real = dir ? realpath(dir, NULL) : NULL;
	if (!real)
		return complain(r, -errno, o->access_log, NULL);
	if (cache_dir_is_below(real, o->mountpoint))
		return complain(r, -EINVAL, o->access_log,
				"the access log cannot lie below the mount point");
	if (asprintf(&path, "%s/%s", strcmp(real, "/") ? real : "",
		     name ? name + 1 : o->access_log) < 0)
		return complain(r, -ENOMEM, o->access_log, NULL);
	free(o->access_log);
	o->access_log = path;
	return 0;
}

static int complete_rest(struct options *o, const struct reason *r)
{
	struct policy *p = &o->policy;

	if (!o->user_agent)
		o->user_agent = strdup("webcachefs/" WEBCACHEFS_VERSION);
	if (!o->user_agent || complete_globs(&p->only) < 0 || complete_globs(&p->bypass) < 0)
		return complain(r, -ENOMEM, "options", NULL);
	/* Of many hosts none is to take all there are. */
	if (!p->max_per_host)
		p->max_per_host = *o->base_url ? o->fetch.max_transfers :
						 (o->fetch.max_transfers + 1) / 2;
	p->headers = (const char *const *)o->headers;
	p->user_agent = o->user_agent;
	p->cacert = o->cacert;
	p->proxy = o->proxy;
	p->targeted = o->targeted;
	p->keep = o->keep;
	p->ignore_query = o->ignore_query;
	p->rate_of = o;
	return 0;
}

int options_complete_policy(struct options *o, char *reason, size_t reason_len)
{
	const struct reason r = { reason, reason_len };
	int err = complete_credentials(o, &r);

	if (err == 0)
		err = complete_header_file(o, &r);
	if (err == 0)
		err = complete_cacert(o, &r);
	return err == 0 ? complete_rest(o, &r) : err;
}

/* --- all of it --- */

static int complete_config(struct options *o, const struct reason *r)
{
	return config_read(o, r->text, r->len);
}

static int complete_policies(struct options *o, const struct reason *r)
{
	int err = options_complete_policy(o, r->text, r->len);

	if (err < 0)
		return err;
	o->policies.general = o->policy;
	o->fetch.policies = &o->policies;
	return config_make_policies(o, r->text, r->len);
}

/* What the fetch thread opens for itself: it would wait for its own answer. */
static int complete_own_files(struct options *o, const struct reason *r)
{
	_cleanup_(cleanup_free) char *home = NULL;
	const char *name = getenv("HOME");

	if (o->cacert && cache_dir_is_below(o->cacert, o->mountpoint))
		return complain(r, -EINVAL, o->cacert,
				"the certificates cannot lie below the mount point");
	home = o->policy.netrc && name ? realpath(name, NULL) : NULL;
	if (home && cache_dir_is_below(home, o->mountpoint))
		return complain(r, -EINVAL, home,
				"~/.netrc cannot lie below the mount point");
	return 0;
}

static int complete_owner(struct options *o, const struct reason *r)
{
	(void)r;
	if (!o->uid_set)
		o->uid = getuid();
	if (!o->gid_set)
		o->gid = getgid();
	o->fetch.shared = o->allow_other;
	return 0;
}

/* Who keeps a program in the foreground looks after it, and knows it by its number. */
static int complete_takeover(struct options *o, const struct reason *r)
{
	(void)r;
	if (o->takeover < 0)
		o->takeover = !o->foreground;
	return 0;
}

int options_complete(struct options *o, char *reason, size_t reason_len)
{
	static int (*const steps[])(struct options *, const struct reason *) = {
		complete_config, complete_url, complete_allow, complete_policies, complete_warm,
		complete_mountpoint, complete_cache_dir, complete_size, complete_access_log,
		complete_own_files, complete_owner, complete_takeover,
	};
	const struct reason r = { reason, reason_len };
	int err = 0;

	for (size_t i = 0; err == 0 && i < sizeof steps / sizeof *steps; i++)
		err = steps[i](o, &r);
	return err;
}
