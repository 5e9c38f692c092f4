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

/* What is behind `base` in a directory's key, as the names of its directories are shown; the
 * two '/' behind a scheme are one there. NULL: no memory. */
static char *path_of(const char *top, const char *base, const char *dir_key, const char *name)
{
	struct buf path = BUF_INIT;
	size_t len = strlen(base);

	buf_printf(&path, "%s%s", top, *top ? "/" : "");
	if (strncmp(dir_key, base, len) == 0)
		dir_key += len;
	while (*dir_key) {
		size_t n = strcspn(dir_key, "/");
		_cleanup_(cleanup_free) char *segment = strndup(dir_key, n), *shown = NULL;

		if (n && segment && url_segment_to_name(segment, &shown) == 0)
			buf_printf(&path, "%s/", shown);
		else if (n && segment)
			buf_printf(&path, "%s/", segment);
		dir_key += n;
		dir_key += *dir_key == '/';
	}
	buf_str_append(&path, name);
	return buf_take(&path);
}

/* other: what is said of the path there holds for this one too; NULL: none. */
static bool any_matches(const struct globs *g, const char *name, const char *path,
			const char *other)
{
	for (size_t i = 0; i < g->n; i++) {
		const char *glob = g->items[i];

		if (!strchr(glob, '/') ? fnmatch(glob, name, 0) == 0 :
		    (path && fnmatch(glob, path, 0) == 0) ||
			    (other && fnmatch(glob, other, 0) == 0))
			return true;
	}
	return false;
}

enum rule rules_find(const struct options *o, const char *dir_key, const char *name)
{
	_cleanup_(cleanup_free) char *path = NULL, *other = NULL;
	const struct policy_origin *origin;

	if (o->files.n + o->dirs.n == 0)
		return RULE_NONE;
	path = path_of("", o->base_url, dir_key, name);
	origin = *o->base_url ? NULL : policies_origin(&o->policies, dir_key);
	if (origin)
		other = path_of(origin->name, origin->url, dir_key, name);
	if (any_matches(&o->files, name, path, other))
		return RULE_FILE;
	return any_matches(&o->dirs, name, path, other) ? RULE_DIR : RULE_NONE;
}
