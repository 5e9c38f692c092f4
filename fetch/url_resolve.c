#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "url.h"

/* RFC 3986 3.1. "a:b" is a URL of the scheme "a", not a relative path. */
static bool has_scheme(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789+-.");

	return len && text[len] == ':' && !strchr("0123456789+-.", text[0]);
}

/* RFC 3986 5.2.2, but for what url_parse() does anyway: dot segments, fragment. */
static void append_resolved(struct buf *to, const struct url *base, const char *origin,
			    const char *reference)
{
	if (!strncmp(reference, "//", 2)) {
		buf_printf(to, "%s:%s", base->scheme, reference);
		return;
	}
	buf_str_append(to, origin);
	if (strchr("?#", reference[0])) {	/* or empty */
		buf_str_append(to, base->path);
		if (reference[0] != '?' && base->query)
			buf_printf(to, "?%s", base->query);
	} else if (reference[0] != '/') {
		buf_append(to, base->path, strrchr(base->path, '/') + 1 - base->path);
	}
	buf_str_append(to, reference);
}

static int resolve(const char *base, const char *reference, char **ret)
{
	struct buf text = BUF_INIT;
	struct url u;
	char *origin;
	int err;

	err = url_parse(base, &u, NULL);
	if (err < 0)
		return err;
	origin = url_origin(&u);
	if (origin)
		append_resolved(&text, &u, origin, reference);
	if (origin && buf_ok(&text))
		err = url_normalise(buf_str(&text), ret, NULL);
	else
		err = -ENOMEM;
	buf_fini(&text);
	free(origin);
	url_fini(&u);
	return err;
}

int url_resolve(const char *base, const char *reference, char **ret)
{
	size_t len;
	char *trimmed;
	int err;

	/* An attribute of a page may have white space around its URL. */
	while (*reference && (unsigned char)*reference <= ' ')
		reference++;
	len = strlen(reference);
	while (len && (unsigned char)reference[len - 1] <= ' ')
		len--;
	trimmed = strndup(reference, len);
	if (!trimmed)
		return -ENOMEM;
	if (has_scheme(trimmed))
		err = url_normalise(trimmed, ret, NULL);
	else
		err = resolve(base, trimmed, ret);
	free(trimmed);
	return err;
}
