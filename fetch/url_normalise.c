#include "url_normalise.h"

#include <errno.h>
#include <string.h>

#include "url.h"

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

static bool is_kept(unsigned char c, const char *keep)
{
	return is_unreserved(c) || (c && (strchr("!$&'()*+,;=:@", c) || strchr(keep, c)));
}

bool url_normalise_is_plain(const char *text)
{
	while (*text && is_kept(*text, URL_KEEP_SEGMENT))
		text++;
	return !*text;
}

static int hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the escape at text stands for, -1 if there is none. */
static int escape_value(const char *text, size_t len)
{
	int high, low;

	if (len < 3 || text[0] != '%')
		return -1;
	high = hex_value(text[1]);
	low = hex_value(text[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static void append_escape(struct buf *to, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";

	buf_append(to, (char[]){ '%', digits[c >> 4], digits[c & 15] }, 3);
}

void url_normalise_encoding(struct buf *to, const char *text, size_t len, const char *keep)
{
	for (size_t i = 0; i < len; i++) {
		int value = escape_value(text + i, len - i);

		if (value >= 0) {
			if (is_unreserved(value))
				buf_char(to, value);
			else
				append_escape(to, value);
			i += 2;
		} else {
			url_normalise_literal(to, text + i, 1, keep);
		}
	}
}

void url_normalise_literal(struct buf *to, const char *text, size_t len, const char *keep)
{
	for (size_t i = 0; i < len; i++) {
		if (is_kept(text[i], keep))
			buf_char(to, text[i]);
		else
			append_escape(to, text[i]);
	}
}

void url_normalise_decode(struct buf *to, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int value = escape_value(text + i, len - i);

		buf_char(to, value >= 0 ? value : text[i]);
		if (value >= 0)
			i += 2;
	}
}

void url_normalise_dots(char *path)
{
	const char *in = path;
	char *out = path;

	while (*in == '/') {
		size_t len = strcspn(in + 1, "/");
		bool one = len == 1 && in[1] == '.';
		bool two = len == 2 && in[1] == '.' && in[2] == '.';
		bool last = in[1 + len] == '\0';

		if (two)
			while (out > path && *--out != '/')
				;
		if (!one && !two) {
			memmove(out, in, 1 + len);
			out += 1 + len;
		} else if (last) {
			*out++ = '/';
		}
		in += 1 + len;
	}
	*out = '\0';
}

int url_normalise(const char *text, char **ret, const char **ret_reason)
{
	struct url u;
	int err = url_parse(text, &u, ret_reason);

	if (err < 0)
		return err;
	*ret = url_format(&u);
	url_fini(&u);
	return *ret ? 0 : -ENOMEM;
}
