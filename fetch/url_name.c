/* Names of a directory <-> last parts of a key.
 *
 * A segment is shown decoded if that loses nothing: "a%20b" is "a b". It is shown
 * encoded, as it is, if the decoded name could not exist ("a%2Fb"), or would make
 * another segment ("a%26b", since "a&b" is one too). The name "a%2Fb" is taken
 * then, so the segment "a%252Fb", which decodes to it, is shown encoded as well,
 * and so on: see stays_encoded(). Everything else in a name is meant literally:
 * the name "a%20b" is the segment "a%2520b". So every name has one segment and
 * every segment one name.
 *
 * A query may hold a '/', which no name can: in the encoded form it is "%2f".
 * In lower case, since "%2F" is another key. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "url.h"
#include "url_normalise.h"

#define NAME_LEN_MAX 1023	/* FUSE_NAME_MAX, without its 0 */
#define SLASH_OF_QUERY "%2f"

/* "." and ".." alone and before a query: URLs resolve them. */
static bool is_dots(const char *text)
{
	size_t len = strcspn(text, "?");

	return (len == 1 || len == 2) && !strncmp(text, "..", len);
}

typedef void encoder(struct buf *to, const char *text, size_t len, const char *keep);

/* A segment and its query, each by its rules. */
static void encode(struct buf *to, const char *text, encoder *f)
{
	size_t len = strcspn(text, "?");

	f(to, text, len, URL_KEEP_SEGMENT);
	if (text[len]) {
		buf_char(to, '?');
		f(to, text + len + 1, strlen(text + len + 1), URL_KEEP_QUERY);
	}
}

/* The encoded form as a name, and back. */
static void append_shown(struct buf *to, const char *segment)
{
	for (; *segment; segment++) {
		if (*segment == '/')
			buf_str_append(to, SLASH_OF_QUERY);
		else
			buf_char(to, *segment);
	}
}

static void append_unshown(struct buf *to, const char *name)
{
	bool query = false;

	for (; *name; name++) {
		query |= *name == '?';
		if (query && !strncmp(name, SLASH_OF_QUERY, strlen(SLASH_OF_QUERY))) {
			buf_char(to, '/');
			name += strlen(SLASH_OF_QUERY) - 1;
		} else {
			buf_char(to, *name);
		}
	}
}

/* The segment whose encoded form is that name: 1 if there is one, or 0, -ENOMEM. */
static int unshow(const char *name, struct buf *ret)
{
	struct buf normal _cleanup_(buf_fini) = BUF_INIT;

	buf_reset(ret);
	append_unshown(ret, name);
	encode(&normal, buf_str(ret), url_normalise_encoding);
	if (!buf_ok(ret) || !buf_ok(&normal))
		return -ENOMEM;
	return !strcmp(buf_str(&normal), buf_str(ret));
}

/* What the segment is decoded: 1 if that is a name from which the same segment
 * would be made, were all in it literal; or 0, -ENOMEM. */
static int decode(const char *segment, struct buf *ret)
{
	struct buf again _cleanup_(buf_fini) = BUF_INIT;

	buf_reset(ret);
	url_normalise_decode(ret, segment, strlen(segment));
	if (!buf_ok(ret))
		return -ENOMEM;
	if (memchr(buf_str(ret), '\0', ret->len) || memchr(buf_str(ret), '/', ret->len))
		return 0;
	encode(&again, buf_str(ret), url_normalise_literal);
	if (!buf_ok(&again))
		return -ENOMEM;
	return !strcmp(buf_str(&again), segment);
}

/* Where every escape is "%2525..." the answer is the same with "%25...". Takes off
 * all levels that all have, which keeps stays_encoded() from a round for each. */
static void drop_levels(struct buf *segment)
{
	const char *in = buf_str(segment);
	char *out = segment->data;
	size_t common = SIZE_MAX;

	for (const char *p = in; (p = strchr(p, '%')); p++) {
		size_t n = 0;

		while (!strncmp(p + 1 + 2 * n, "25", 2))
			n++;
		common = n < common ? n : common;
	}
	if (common == SIZE_MAX || common < 2)
		return;
	while (*in) {
		*out++ = *in;
		in += *in == '%' ? 1 + 2 * (common - 1) : 1;
	}
	*out = '\0';
	segment->len = out - segment->data;
}

/* 1: the segment (normal) is shown as it is, or 0: decoded; -ENOMEM. Decoding is
 * no way if the result is how another segment, itself shown encoded, is shown.
 * Each round takes off a level of "%25". */
static int stays_encoded(const char *segment)
{
	struct buf name _cleanup_(buf_fini) = BUF_INIT;
	struct buf other _cleanup_(buf_fini) = BUF_INIT;
	int r;

	buf_str_append(&other, segment);
	if (!buf_ok(&other))
		return -ENOMEM;
	drop_levels(&other);
	for (;;) {
		size_t len = other.len;

		r = decode(buf_str(&other), &name);
		if (r < 0)
			return r;
		if (!r)
			return 1;
		r = unshow(buf_str(&name), &other);
		if (r <= 0)
			return r;
		if (other.len >= len)
			return 0;	/* nothing was encoded: both forms are one */
	}
}

/* Both forms of a plain one, as most are, are the same. */
static int copy_plain(const char *text, char **ret)
{
	if (is_dots(text))
		return -EINVAL;
	if (strlen(text) > NAME_LEN_MAX)
		return -ENAMETOOLONG;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

int url_segment_to_name(const char *segment, char **ret)
{
	struct buf normal _cleanup_(buf_fini) = BUF_INIT;
	struct buf name _cleanup_(buf_fini) = BUF_INIT;
	int r;

	if (!*segment || memchr(segment, '/', strcspn(segment, "?")))
		return -EINVAL;
	if (url_normalise_is_plain(segment))
		return copy_plain(segment, ret);
	encode(&normal, segment, url_normalise_encoding);
	if (!buf_ok(&normal))
		return -ENOMEM;
	if (is_dots(buf_str(&normal)))
		return -EINVAL;
	url_normalise_decode(&name, buf_str(&normal), normal.len);
	if (!buf_ok(&name))
		return -ENOMEM;
	if (name.len > NAME_LEN_MAX)	/* either form: the other is no shorter */
		return -ENAMETOOLONG;
	r = stays_encoded(buf_str(&normal));
	if (r < 0)
		return r;
	if (r) {
		buf_reset(&name);
		append_shown(&name, buf_str(&normal));
	}
	if (!buf_ok(&name))
		return -ENOMEM;
	if (name.len > NAME_LEN_MAX)
		return -ENAMETOOLONG;
	*ret = buf_take(&name);
	return *ret ? 0 : -ENOMEM;
}

int url_name_to_segment(const char *name, char **ret)
{
	struct buf segment _cleanup_(buf_fini) = BUF_INIT;
	int r;

	if (strlen(name) > NAME_LEN_MAX)
		return -ENAMETOOLONG;
	if (!*name || is_dots(name) || strchr(name, '/'))
		return -EINVAL;
	if (url_normalise_is_plain(name))
		return copy_plain(name, ret);
	r = unshow(name, &segment);
	if (r > 0)
		r = stays_encoded(buf_str(&segment));
	if (r < 0)
		return r;
	if (!r) {
		buf_reset(&segment);
		encode(&segment, name, url_normalise_literal);
	}
	*ret = buf_take(&segment);
	return *ret ? 0 : -ENOMEM;
}
