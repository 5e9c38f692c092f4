#include "rules.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../fetch/url.h"
#include "kinds.h"

/* --- the option --- */

static struct globs *globs_of(const struct options *o, const struct setting *option)
{
	return (struct globs *)((char *)(uintptr_t)o + option->offset);
}

static int add_glob(struct globs *g, const char *text, size_t len)
{
	char **grown;

	if (len > 0 && text[0] == '/') {
		text++;
		len--;
	}
	if (len == 0)
		return -EINVAL;
	grown = reallocarray(g->items, g->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	g->items = grown;
	g->items[g->n] = strndup(text, len);
	if (!g->items[g->n])
		return -ENOMEM;
	g->n++;
	return 0;
}

static int parse_globs(struct options *o, const struct setting *option, const char *value,
		       const char **ret_reason)
{
	int err;

	(void)ret_reason;
	do {
		size_t len = 0;

		/* "\:" is left for fnmatch(), to which it is a ':'. */
		while (value[len] && value[len] != ':')
			len += value[len] == '\\' && value[len + 1] ? 2 : 1;
		err = add_glob(globs_of(o, option), value, len);
		value += len;
	} while (err == 0 && *value++);
	return err;
}

static void print_globs(const struct options *o, const struct setting *option, struct buf *to)
{
	const struct globs *g = globs_of(o, option);

	for (size_t i = 0; i < g->n; i++)
		buf_printf(to, "%s%s", i ? ":" : "", g->items[i]);
}

const struct kind kind_globs = { parse_globs, print_globs, "globs separated by ':'", false };

/* --- the names --- */

/* The path below the mount point, as the names of its directories are shown; the two '/'
 * behind a scheme are one there. NULL: no memory. */
static char *path_of(const struct options *o, const char *dir_key, const char *name)
{
	struct buf path = BUF_INIT;
	size_t base = strlen(o->base_url);

	if (strncmp(dir_key, o->base_url, base) == 0)
		dir_key += base;
	while (*dir_key) {
		size_t len = strcspn(dir_key, "/");
		_cleanup_(cleanup_free) char *segment = strndup(dir_key, len), *shown = NULL;

		if (len && segment && url_segment_to_name(segment, &shown) == 0)
			buf_printf(&path, "%s/", shown);
		else if (len && segment)
			buf_printf(&path, "%s/", segment);
		dir_key += len;
		dir_key += *dir_key == '/';
	}
	buf_str_append(&path, name);
	return buf_take(&path);
}

static bool any_matches(const struct globs *g, const char *name, const char *path)
{
	for (size_t i = 0; i < g->n; i++) {
		const char *text = strchr(g->items[i], '/') ? path : name;

		if (text && fnmatch(g->items[i], text, 0) == 0)
			return true;
	}
	return false;
}

enum rule rules_find(const struct options *o, const char *dir_key, const char *name)
{
	_cleanup_(cleanup_free) char *path = NULL;

	if (o->files.n + o->dirs.n == 0)
		return RULE_NONE;
	path = path_of(o, dir_key, name);
	if (any_matches(&o->files, name, path))
		return RULE_FILE;
	return any_matches(&o->dirs, name, path) ? RULE_DIR : RULE_NONE;
}
