/* short_headers.c - see short_headers.h. */
#include "short_headers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/buf.h"

#define VALUE "\x01"

enum column_value { NONE, LINE, CONTENT_TYPE, CONTENT_LENGTH, LAST_MODIFIED, ETAG };

/* Names as HTTP/1 servers write them, and as HTTP/2 does. Neither a tab nor a newline. */
static const struct {
	char code;
	const char *text;
	enum column_value value;	/* LINE: the text is all of it */
} table[] = {
	{ 0x02, "Date: ", NONE },
	{ 0x03, "Content-Type: ", CONTENT_TYPE },
	{ 0x04, "Content-Length: ", CONTENT_LENGTH },
	{ 0x05, "Last-Modified: ", LAST_MODIFIED },
	{ 0x06, "ETag: ", ETAG },
	{ 0x07, "Cache-Control: ", NONE },
	{ 0x08, "Accept-Ranges: bytes", LINE },
	{ 0x0e, "date: ", NONE },
	{ 0x0f, "content-type: ", CONTENT_TYPE },
	{ 0x10, "content-length: ", CONTENT_LENGTH },
	{ 0x11, "last-modified: ", LAST_MODIFIED },
	{ 0x12, "etag: ", ETAG },
	{ 0x13, "cache-control: ", NONE },
	{ 0x14, "accept-ranges: bytes", LINE },
	{ 0x15, "Expires: ", NONE },
	{ 0x16, "expires: ", NONE },
};

#define TABLE_N (sizeof(table) / sizeof(table[0]))

/* NULL: it has none. */
static const char *value_of(const struct meta *m, enum column_value value, char number[24])
{
	switch (value) {
	case CONTENT_TYPE:
		return m->content_type;
	case LAST_MODIFIED:
		return m->last_modified;
	case ETAG:
		return m->etag;
	case CONTENT_LENGTH:
		snprintf(number, 24, "%" PRId64, m->length);
		return number;
	case NONE:
	case LINE:
		break;
	}
	return NULL;
}

static bool is(const char *text, const char *s, size_t len)
{
	return text && strlen(text) == len && memcmp(text, s, len) == 0;
}

static void shorten_line(struct buf *to, const struct meta *m, const char *line, size_t len)
{
	char number[24];

	for (size_t i = 0; i < TABLE_N; i++) {
		size_t n = strlen(table[i].text);

		if (len < n || memcmp(line, table[i].text, n) != 0)
			continue;
		if (table[i].value == LINE && len > n)
			continue;
		if (is(VALUE, line + n, len - n))
			break;		/* would be taken for what it is not */
		buf_char(to, table[i].code);
		if (is(value_of(m, table[i].value, number), line + n, len - n))
			buf_str_append(to, VALUE);
		else
			buf_append(to, line + n, len - n);
		return;
	}
	buf_append(to, line, len);
}

static void restore_line(struct buf *to, const struct meta *m, const char *line, size_t len)
{
	char number[24];

	for (size_t i = 0; i < TABLE_N && len > 0; i++) {
		const char *value;

		if (line[0] != table[i].code)
			continue;
		buf_str_append(to, table[i].text);
		value = value_of(m, table[i].value, number);
		if (value && is(VALUE, line + 1, len - 1))
			buf_str_append(to, value);
		else
			buf_append(to, line + 1, len - 1);
		return;
	}
	buf_append(to, line, len);
}

static char *each_line(const struct meta *m, const char *text,
		       void (*line)(struct buf *, const struct meta *, const char *, size_t))
{
	struct buf b = BUF_INIT;

	buf_reserve(&b, strlen(text));
	while (*text) {
		size_t len = strcspn(text, "\n");

		line(&b, m, text, len);
		text += len;
		if (*text) {
			buf_char(&b, '\n');
			text++;
		}
	}
	return buf_take(&b);
}

char *short_headers_make(const struct meta *m)
{
	return each_line(m, m->headers, shorten_line);
}

char *short_headers_restore(const struct meta *m, const char *text)
{
	return each_line(m, text, restore_line);
}
