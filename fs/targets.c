#include "targets.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../fetch/url.h"
#include "path.h"

/* What was begun to be written in pieces by stdio ends anywhere, and half a URL is
 * another URL: a text of that size has to end with its line. */
#define UNFINISHED_LEAST 4096

/* Words that are no paths: "all", and what later versions will understand. */
static bool is_reserved(const char *text)
{
	return strncmp(text, "host:", 5) == 0 || strncmp(text, "tag:", 4) == 0 ||
	       strncmp(text, "dry-run ", 8) == 0 || strcmp(text, "stale") == 0;
}

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
static int path_key(const char *root_key, char *path, char **ret)
{
	char *key = strdup(root_key);
	int err = key ? 0 : -ENOMEM;

	if (*path == '/')
		path++;
	while (err == 0 && *path) {
		char *name = path;
		struct path child = { PATH_EITHER, NULL, NULL };
		bool last;

		path += strcspn(path, "/");
		last = *path == '\0';
		if (!last)
			*path++ = '\0';
		err = is_name(name) ? path_child(key, name, &child) : -EINVAL;
		if (err < 0)
			break;
		free(key);
		key = last ? TAKE_PTR(child.file) : TAKE_PTR(child.dir);
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

int targets_key(const char *root_key, char *text, char **ret)
{
	const char *reason;
	int err;

	if (!is_url(text))
		return path_key(root_key, text, ret);
	err = url_normalise(text, ret, &reason);
	return err == -ENOMEM ? err : err < 0 ? -EINVAL : 0;
}

/* The key of a prefix. The last part is not a whole name: "/.h" is neither to be resolved
 * as dots, nor is a lone "https://host" to match "https://hostage". So one byte more
 * is normalised with it, and taken off again. */
static int prefix_key(const char *root_key, const char *text, char **ret)
{
	struct buf whole _cleanup_(buf_fini) = BUF_INIT;
	int err;

	buf_str_append(&whole, text);
	if (is_url(text) && !strchr(strstr(text, "://") + 3, '/'))
		buf_char(&whole, '/');
	buf_char(&whole, 'x');
	if (!buf_ok(&whole))
		return -ENOMEM;
	err = targets_key(root_key, whole.data, ret);
	if (err == 0)
		(*ret)[strlen(*ret) - 1] = '\0';
	return err;
}

/* Drops the backslashes. True: an unprotected '*' was at the end, and is cut off too;
 * *ret_wrong: there is one before the end. */
static bool cut_star(char *text, bool *ret_wrong)
{
	char *to = text;

	*ret_wrong = false;
	for (; *text; text++) {
		if (*text == '*' && !text[1]) {
			*to = '\0';
			return true;
		}
		if (*text == '*')
			*ret_wrong = true;
		if (*text == '\\' && (text[1] == '*' || text[1] == '\\'))
			text++;
		*to++ = *text;
	}
	*to = '\0';
	return false;
}

static int parse_line(const char *root_key, char *text, struct target *ret)
{
	bool prefix, wrong;

	if (strcmp(text, "all") == 0) {
		*ret = (struct target){ TARGET_ALL, NULL };
		return 0;
	}
	if (is_reserved(text))
		return -EINVAL;
	prefix = cut_star(text, &wrong);
	if (wrong)
		return -EINVAL;
	ret->kind = prefix ? TARGET_PREFIX : TARGET_KEY;
	return prefix ? prefix_key(root_key, text, &ret->key)
		      : targets_key(root_key, text, &ret->key);
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

int targets_parse(const char *root_key, const char *text, size_t len, struct target **ret,
		  size_t *ret_n)
{
	char *copy _cleanup_(cleanup_free) = strndup(text, len);
	struct target *targets = NULL;
	size_t n = 0;
	char *line, *rest = copy;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	if (memchr(text, '\0', len))
		return -EINVAL;
	if (len >= UNFINISHED_LEAST && text[len - 1] != '\n')
		return -EINVAL;
	while (err == 0 && (line = strsep(&rest, "\n"))) {
		struct target t = { TARGET_KEY, NULL };
		size_t end = strlen(line);

		if (end && line[end - 1] == '\r')
			line[--end] = '\0';
		if (!line[strspn(line, " \t")])
			continue;
		err = parse_line(root_key, line, &t);
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
	return 0;
}
