#include "targets.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../fetch/url.h"
#include "options.h"
#include "origins.h"
#include "path.h"

#define UNFINISHED_LEAST 4096

#define DRY_RUN "dry-run "

/* Stands for a star while a glob is normalised: letters that nothing changes, also in the
 * name of a host, and that nobody uses. */
#define STAR_WORD "wcfsstarwcfs"

static bool is_url(const char *text)
{
	return strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

/* A name that the kernel can send has at least one byte, so an empty one, "." and ".."
 * never reach path_child(). */
static bool is_name(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* path is cut up in place. */
static int path_url(const struct options *o, char *path, char **ret)
{
	char *key = strdup(o->base_url);
	int err = key ? 0 : -ENOMEM;

	if (*path == '/')
		path++;
	while (err == 0 && *path) {
		char *name = path;
		struct path child = { .guess = PATH_EITHER };
		bool last;

		path += strcspn(path, "/");
		last = *path == '\0';
		if (!last)
			*path++ = '\0';
		err = is_name(name) ? origins_child(o, key, name, &child) : -EINVAL;
		if (err < 0)
			break;
		free(key);
		key = !last ? TAKE_PTR(child.dir) : child.url ? TAKE_PTR(child.url) :
								TAKE_PTR(child.file);
		path_fini(&child);
		if (!key)
			err = -EINVAL;
	}
	if (err < 0) {
		free(key);
		return err == -ENOMEM ? err : -EINVAL;
	}
	*ret = key;
	return 0;
}

/* The URL, normal, as it is. */
static int url_of(const struct options *o, char *text, char **ret)
{
	const char *reason;
	int err;

	if (!is_url(text))
		return path_url(o, text, ret);
	err = url_normalise(text, ret, &reason);
	return err == -ENOMEM ? err : err < 0 ? -EINVAL : 0;
}

int targets_key(const struct options *o, char *text, char **ret)
{
	_cleanup_(cleanup_free) char *url = NULL;
	char *key = NULL;
	int err = url_of(o, text, &url);

	if (err == 0)
		err = policies_key(&o->policies, url, &key);
	if (err == 0)
		*ret = key ? key : TAKE_PTR(url);
	return err;
}

/* The key of a prefix. The last part is not a whole name: "/.h" is neither to be resolved
 * as dots, nor is a lone "https://host" to match "https://hostage". So one byte more
 * is normalised with it, and taken off again. */
static int prefix_key(const struct options *o, const char *text, char **ret)
{
	struct buf whole _cleanup_(buf_fini) = BUF_INIT;
	int err;

	buf_str_append(&whole, text);
	if (is_url(text) && !strchr(strstr(text, "://") + 3, '/'))
		buf_char(&whole, '/');
	buf_char(&whole, 'x');
	if (!buf_ok(&whole))
		return -ENOMEM;
	err = url_of(o, whole.data, ret);
	if (err == 0)
		(*ret)[strlen(*ret) - 1] = '\0';
	return err;
}

/* Drops the backslashes. True: an unprotected '*' was at the end, and is cut off too;
 * *ret_inner: there is one before the end. */
static bool cut_star(char *text, bool *ret_inner)
{
	char *to = text;

	*ret_inner = false;
	for (; *text; text++) {
		if (*text == '*' && !text[1]) {
			*to = '\0';
			return true;
		}
		if (*text == '*')
			*ret_inner = true;
		if (*text == '\\' && (text[1] == '*' || text[1] == '\\'))
			text++;
		*to++ = *text;
	}
	*to = '\0';
	return false;
}

/* The key of a glob, with TARGET_STAR for each star: they are words while it is
 * normalised, so that a star may be part of a name, or be a name. */
static int glob_key(const struct options *o, const char *text, char **ret)
{
	struct buf whole _cleanup_(buf_fini) = BUF_INIT;
	char *from, *to, *word;
	int err;

	if (strstr(text, STAR_WORD))
		return -EINVAL;
	for (; *text; text++) {
		if (*text == '\\' && (text[1] == '*' || text[1] == '\\'))
			buf_char(&whole, *++text);
		else if (*text == '*')
			buf_str_append(&whole, STAR_WORD);
		else
			buf_char(&whole, *text);
	}
	if (!buf_ok(&whole))
		return -ENOMEM;
	err = url_of(o, whole.data, ret);
	if (err < 0)
		return err;
	from = to = *ret;
	while ((word = strstr(from, STAR_WORD))) {
		memmove(to, from, (size_t)(word - from));
		to += word - from;
		*to++ = TARGET_STAR;
		from = word + strlen(STAR_WORD);
	}
	memmove(to, from, strlen(from) + 1);
	return 0;
}

/* "host" or "host:port", as keys have it. */
static int host_key(const char *name, char **ret)
{
	struct buf url _cleanup_(buf_fini) = BUF_INIT;
	char *key _cleanup_(cleanup_free) = NULL;
	int err;

	if (!*name || strpbrk(name, "/?#@\\ *"))
		return -EINVAL;
	/* Of no scheme whose default port could go. */
	buf_printf(&url, "%s://%s/", strstr(name, ":443") ? "http" : "https", name);
	if (!buf_ok(&url))
		return -ENOMEM;
	err = url_normalise(buf_str(&url), &key, NULL);
	if (err < 0)
		return err == -ENOMEM ? err : -EINVAL;
	name = strstr(key, "://") + 3;
	*ret = strndup(name, strcspn(name, "/"));
	return *ret ? 0 : -ENOMEM;
}

/* Words that are no paths. 1: it was one. */
static int parse_word(const char *text, struct target *ret)
{
	int err;

	if (strcmp(text, "all") == 0) {
		*ret = (struct target){ .kind = TARGET_ALL };
	} else if (strcmp(text, "stale") == 0) {
		*ret = (struct target){ .kind = TARGET_STALE, .before_ms = clock_wall_ms() };
	} else if (strncmp(text, "tag:", 4) == 0) {
		if (!text[4] || text[4] == ' ')
			return -EINVAL;
		*ret = (struct target){ .kind = TARGET_TAG, .key = strdup(text + 4) };
		return ret->key ? 1 : -ENOMEM;
	} else if (strncmp(text, "host:", 5) == 0) {
		ret->kind = TARGET_HOST;
		err = host_key(text + 5, &ret->key);
		return err < 0 ? err : 1;
	} else {
		return 0;
	}
	return 1;
}

static int parse_line(const struct options *o, char *text, struct target *ret)
{
	char *whole _cleanup_(cleanup_free) = strdup(text);
	bool prefix, inner;
	int err = whole ? parse_word(text, ret) : -ENOMEM;

	if (err)
		return err < 0 ? err : 0;
	prefix = cut_star(text, &inner);
	/* A fragment is dropped, with the star in it or what ends the prefix. */
	if ((prefix || inner) && is_url(whole) && strchr(whole, '#'))
		return -EINVAL;
	if (inner) {
		ret->kind = TARGET_GLOB;
		return glob_key(o, whole, &ret->key);
	}
	ret->kind = prefix ? TARGET_PREFIX : TARGET_KEY;
	return prefix ? prefix_key(o, text, &ret->key)
		      : targets_key(o, text, &ret->key);
}

void targets_free(struct target *targets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(targets[i].key);
	free(targets);
}

static int add_target(struct target **targets, size_t *n, const struct target *t)
{
	struct target *grown;

	/* Doubled whenever n is a power of two. */
	if ((*n & (*n - 1)) == 0) {
		grown = reallocarray(*targets, *n ? *n * 2 : 1, sizeof *grown);
		if (!grown)
			return -ENOMEM;
		*targets = grown;
	}
	(*targets)[(*n)++] = *t;
	return 0;
}

/* Takes "dry-run " off; all lines have it, or none. */
static int cut_dry_run(char **line, bool first, bool *dry_run)
{
	bool dry = strncmp(*line, DRY_RUN, strlen(DRY_RUN)) == 0;

	if (!first && dry != *dry_run)
		return -EINVAL;
	/* The word alone is half of what was meant. */
	if (strcmp(*line, "dry-run") == 0)
		return -EINVAL;
	*dry_run = dry;
	if (dry)
		*line += strlen(DRY_RUN);
	return **line && strncmp(*line, DRY_RUN, strlen(DRY_RUN)) ? 0 : -EINVAL;
}

bool targets_is_whole(const char *text, size_t len)
{
	return !memchr(text, '\0', len) && (len < UNFINISHED_LEAST || text[len - 1] == '\n');
}

int targets_parse(const struct options *o, const char *text, size_t len, struct target **ret,
		  size_t *ret_n, bool *ret_dry_run)
{
	char *copy _cleanup_(cleanup_free) = strndup(text, len);
	struct target *targets = NULL;
	bool dry_run = false;
	size_t n = 0;
	char *line, *rest = copy;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	if (!targets_is_whole(text, len))
		return -EINVAL;
	while (err == 0 && (line = strsep(&rest, "\n"))) {
		struct target t = { .kind = TARGET_KEY };
		size_t end = strlen(line);

		if (end && line[end - 1] == '\r')
			line[--end] = '\0';
		if (!line[strspn(line, " \t")])
			continue;
		err = cut_dry_run(&line, n == 0, &dry_run);
		if (err == 0)
			err = parse_line(o, line, &t);
		if (err == 0)
			err = add_target(&targets, &n, &t);
		if (err < 0)
			free(t.key);
	}
	if (err < 0) {
		targets_free(targets, n);
		return err;
	}
	*ret = targets;
	*ret_n = n;
	*ret_dry_run = dry_run;
	return 0;
}
