#include "url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "url_host.h"
#include "url_normalise.h"

/* No origin takes more, and a page full of links cannot make us hold more. */
#define URL_MAX 65536

static uint16_t default_port(const char *scheme)
{
	return strcmp(scheme, "https") ? 80 : 443;
}

static int check_bytes(const char *text, const char **ret_reason)
{
	size_t len = 0;

	*ret_reason = "control character";
	for (; text[len] && len <= URL_MAX; len++)
		if ((unsigned char)text[len] < 0x20 || text[len] == 0x7f)
			return -EINVAL;
	*ret_reason = "too long";
	return len <= URL_MAX ? 0 : -EINVAL;
}

/* "https://": moves *at behind it. */
static int parse_scheme(const char **at, struct url *u, const char **ret_reason)
{
	const char *name = !strncasecmp(*at, "http:", 5)    ? "http"
			   : !strncasecmp(*at, "https:", 6) ? "https"
							    : NULL;

	*ret_reason = "neither http nor https";
	if (!name)
		return -EINVAL;
	*at += strlen(name) + 1;
	*ret_reason = "no // after the scheme";
	if (strncmp(*at, "//", 2))
		return -EINVAL;
	*at += 2;
	u->scheme = strdup(name);
	return u->scheme ? 0 : -ENOMEM;
}

/* "user:password@": moves *at behind it. */
static int parse_user(const char **at, const char *end, struct url *u,
		      const char **ret_reason)
{
	const char *sign = memchr(*at, '@', end - *at);

	if (!sign)
		return 0;
	*ret_reason = "more than one @ before the host";
	if (memchr(sign + 1, '@', end - sign - 1))
		return -EINVAL;
	if (sign > *at) {
		u->user = strndup(*at, sign - *at);
		if (!u->user)
			return -ENOMEM;
	}
	*at = sign + 1;
	return 0;
}

/* ":8080" or nothing. */
static int parse_port(const char *at, const char *end, struct url *u,
		      const char **ret_reason)
{
	unsigned value = 0;

	u->port = default_port(u->scheme);
	if (end - at <= 1)
		return 0;
	*ret_reason = "bad port";
	for (at++; at < end; at++) {
		if (*at < '0' || *at > '9')
			return -EINVAL;
		value = value * 10 + (*at - '0');
		if (value > UINT16_MAX)
			return -EINVAL;
	}
	if (!value)
		return -EINVAL;
	u->port = value;
	return 0;
}

static int parse_authority(const char *at, const char *end, struct url *u,
			   const char **ret_reason)
{
	const char *host_end;
	int err;

	/* Some take it for '/', some for a part of the user: nobody is to be fooled. */
	*ret_reason = "backslash before the path";
	if (memchr(at, '\\', end - at))
		return -EINVAL;
	err = parse_user(&at, end, u, ret_reason);
	if (err < 0)
		return err;
	if (at < end && *at == '[') {
		host_end = memchr(at, ']', end - at);
		host_end = host_end ? host_end + 1 : end;
		*ret_reason = "bad IPv6 address";
		if (host_end < end && *host_end != ':')
			return -EINVAL;
	} else {
		host_end = memchr(at, ':', end - at);
		host_end = host_end ? host_end : end;
	}
	err = url_host_normalise(at, host_end - at, &u->host, ret_reason);
	if (err < 0)
		return err;
	return parse_port(host_end, end, u, ret_reason);
}

/* What follows the authority, the fragment apart. */
static int parse_rest(const char *at, struct url *u)
{
	struct buf path _cleanup_(buf_fini) = BUF_INIT;
	struct buf query _cleanup_(buf_fini) = BUF_INIT;
	size_t len = strcspn(at, "?#");

	if (!len)
		buf_char(&path, '/');
	url_normalise_encoding(&path, at, len, URL_KEEP_PATH);
	u->path = buf_take(&path);
	if (!u->path)
		return -ENOMEM;
	url_normalise_dots(u->path);
	if (at[len] != '?')
		return 0;
	at += len + 1;
	url_normalise_encoding(&query, at, strcspn(at, "#"), URL_KEEP_QUERY);
	u->query = buf_take(&query);
	return u->query ? 0 : -ENOMEM;
}

int url_parse(const char *text, struct url *ret, const char **ret_reason)
{
	struct url u = { 0 };
	const char *reason = NULL;
	const char *at = text;
	const char *end;
	int err;

	err = check_bytes(text, &reason);
	if (err < 0)
		goto fail;
	err = parse_scheme(&at, &u, &reason);
	if (err < 0)
		goto fail;
	end = at + strcspn(at, "/?#");
	err = parse_authority(at, end, &u, &reason);
	if (err < 0)
		goto fail;
	err = parse_rest(end, &u);
	if (err < 0)
		goto fail;
	*ret = u;
	return 0;
fail:
	url_fini(&u);
	if (ret_reason)
		*ret_reason = err == -ENOMEM ? "out of memory" : reason;
	return err;
}

void url_fini(struct url *u)
{
	free(u->scheme);
	free(u->user);
	free(u->host);
	free(u->path);
	free(u->query);
	*u = (struct url){ 0 };
}

static void append_origin(struct buf *to, const struct url *u)
{
	bool v6 = strchr(u->host, ':');

	buf_printf(to, "%s://%s%s%s", u->scheme, v6 ? "[" : "", u->host, v6 ? "]" : "");
	if (u->port != default_port(u->scheme))
		buf_printf(to, ":%u", u->port);
}

char *url_origin(const struct url *u)
{
	struct buf to = BUF_INIT;

	append_origin(&to, u);
	return buf_take(&to);
}

char *url_format(const struct url *u)
{
	struct buf to = BUF_INIT;

	append_origin(&to, u);
	buf_str_append(&to, u->path);
	if (u->query) {
		buf_char(&to, '?');
		buf_str_append(&to, u->query);
	}
	return buf_take(&to);
}

bool url_same_origin(const char *a, const char *b)
{
	struct url first = { 0 }, second = { 0 };
	bool same = url_parse(a, &first, NULL) == 0 && url_parse(b, &second, NULL) == 0 &&
		    !strcmp(first.scheme, second.scheme) &&
		    !strcmp(first.host, second.host) && first.port == second.port;

	url_fini(&first);
	url_fini(&second);
	return same;
}
