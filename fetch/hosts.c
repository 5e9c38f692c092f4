/* Globs over hosts. Both sides are written the one way a URL's host is (url_host.h), so
 * that what a rule says of 127.0.0.1 or of a name holds for every spelling of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "url.h"
#include "url_host.h"

struct hosts {
	char **globs;		/* without '*' or '?': a host, IPv6 without brackets */
	size_t n;
};

static bool is_glob(const char *text)
{
	return strpbrk(text, "*?") != NULL;
}

/* Of "*.name" the name is one like any other; of what else has a wildcard only the case
 * can be made the same, so it has to be ASCII. */
static int normalise(const char *text, size_t len, struct buf *to, const char **ret_reason)
{
	_cleanup_(cleanup_free) char *host = NULL;
	bool below = len > 2 && text[0] == '*' && text[1] == '.';
	size_t skip = below ? 2 : 0, i;
	int err;

	if (!memchr(text + skip, '*', len - skip) && !memchr(text + skip, '?', len - skip)) {
		err = url_host_normalise(text + skip, len - skip, &host, ret_reason);
		if (err < 0)
			return err;
		buf_str_append(to, below ? "*." : "");
		buf_str_append(to, host);
		return 0;
	}
	if (text[len - 1] == '.')
		len--;
	*ret_reason = "character that no host name has";
	for (i = 0; i < len; i++) {
		char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];

		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.*?", c))
			return -EINVAL;
		buf_char(to, c);
	}
	return 0;
}

static int add(struct hosts *h, const char *text, size_t len, const char **ret_reason)
{
	struct buf glob _cleanup_(buf_fini) = BUF_INIT;
	char **grown;
	int err = normalise(text, len, &glob, ret_reason);

	if (err < 0)
		return err;
	grown = reallocarray(h->globs, h->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	h->globs = grown;
	h->globs[h->n] = buf_take(&glob);
	if (!h->globs[h->n])
		return -ENOMEM;
	h->n++;
	return 0;
}

/* A ':' within brackets is one of an IPv6 address. */
static size_t item_len(const char *text)
{
	size_t len = 0;

	if (text[0] == '[')
		len = strcspn(text, "]");
	return len + strcspn(text + len, ":");
}

int hosts_parse(const char *list, struct hosts **ret, const char **ret_reason)
{
	struct hosts *h = calloc(1, sizeof(*h));
	int err = h ? 0 : -ENOMEM;

	while (err == 0) {
		size_t len = item_len(list);

		*ret_reason = "a host is missing";
		err = len ? add(h, list, len, ret_reason) : -EINVAL;
		list += len;
		if (*list++ != ':')
			break;
	}
	if (err == 0)
		*ret = h;
	else
		hosts_free(h);
	return err;
}

void hosts_free(struct hosts *h)
{
	if (!h)
		return;
	while (h->n > 0)
		free(h->globs[--h->n]);
	free(h->globs);
	free(h);
}

static bool glob_matches(const char *glob, const char *text)
{
	const char *star = NULL, *again = NULL;

	while (*text) {
		if (*glob == '*') {
			star = glob++;
			again = text;
		} else if (*glob == '?' || *glob == *text) {
			glob++;
			text++;
		} else if (star) {
			glob = star + 1;
			text = ++again;
		} else {
			return false;
		}
	}
	return glob[strspn(glob, "*")] == '\0';
}

bool hosts_match(const struct hosts *h, const char *key)
{
	const char *reason;
	bool found = false;
	struct url u;

	if (url_parse(key, &u, &reason) < 0)
		return false;
	for (size_t i = 0; i < h->n && !found; i++)
		found = glob_matches(h->globs[i], u.host);
	url_fini(&u);
	return found;
}

const char *hosts_name(const struct hosts *h, size_t i)
{
	size_t at;

	for (at = 0; at < h->n; at++)
		if (!is_glob(h->globs[at]) && i-- == 0)
			return h->globs[at];
	return NULL;
}
