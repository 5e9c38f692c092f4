#include "credentials.h"

#include <ctype.h>

#include "../base/buf.h"
#include "../base/cleanup.h"

static int hex_digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	if (isxdigit((unsigned char)c))
		return tolower((unsigned char)c) - 'a' + 10;
	return -1;
}

static void append_decoded(struct buf *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '%' && hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0) {
			buf_char(to, (char)(hex_digit(text[1]) * 16 + hex_digit(text[2])));
			text += 2;
		} else {
			buf_char(to, *text);
		}
	}
}

/* RFC 4648 4. */
static void append_base64(struct buf *to, const unsigned char *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		unsigned b = (unsigned)data[i] << 16;

		b |= i + 1 < len ? (unsigned)data[i + 1] << 8 : 0;
		b |= i + 2 < len ? data[i + 2] : 0;
		buf_char(to, digits[b >> 18]);
		buf_char(to, digits[b >> 12 & 63]);
		buf_char(to, i + 1 < len ? digits[b >> 6 & 63] : '=');
		buf_char(to, i + 2 < len ? digits[b & 63] : '=');
	}
}

char *credentials_header(const char *userinfo)
{
	struct buf plain _cleanup_(buf_fini) = BUF_INIT;
	struct buf line = BUF_INIT;

	append_decoded(&plain, userinfo);
	/* RFC 7617 2: there is a colon, also without a password. */
	if (!strchr(userinfo, ':'))
		buf_char(&plain, ':');
	buf_str_append(&line, "Authorization: Basic ");
	append_base64(&line, (const unsigned char *)buf_str(&plain), plain.len);
	if (!buf_ok(&plain))
		line.failed = true;
	return buf_take(&line);
}
