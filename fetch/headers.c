#include "headers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/cleanup.h"
#include "fields.h"

/* What a field adds to headers.bytes: its line as headers_render() writes it. */
static size_t line_bytes(size_t name_len, size_t value_len)
{
	return name_len + strlen(": ") + value_len + strlen("\n");
}

static void field_fini(struct field *f)
{
	free(f->name);
	free(f->value);
}

void headers_fini(struct headers *h)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		field_fini(&h->fields[i]);
	free(h->fields);
	*h = (struct headers)HEADERS_INIT;
}

/* CR, LF and NUL in a value are dangerous: RFC 9110 5.5 wants them replaced. */
static void copy_value(char *to, struct span from)
{
	size_t i;

	for (i = 0; i < from.len; i++) {
		char c = from.at[i];

		to[i] = c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
	}
	to[i] = '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

/* OWS, and what copy_value() makes a space of. */
static struct span trim_value(struct span s)
{
	while (s.len && is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

/* Room for one more; the array doubles at powers of two. */
static int reserve_field(struct headers *h)
{
	struct field *fields;

	if (h->n >= HEADERS_MAX_FIELDS)
		return -E2BIG;
	if (h->n & (h->n - 1))
		return 0;
	fields = realloc(h->fields, (h->n ? h->n * 2 : 1) * sizeof(*fields));
	if (!fields)
		return -ENOMEM;
	h->fields = fields;
	return 0;
}

static int add_field(struct headers *h, struct span name, struct span value)
{
	struct field f;
	int err;

	if (!fields_is_token(name))
		return -EBADMSG;
	value = trim_value(value);
	if (h->bytes + line_bytes(name.len, value.len) > HEADERS_MAX_BYTES)
		return -E2BIG;
	err = reserve_field(h);
	if (err < 0)
		return err;
	f.name = strndup(name.at, name.len);
	f.value = malloc(value.len + 1);
	if (!f.name || !f.value) {
		field_fini(&f);
		return -ENOMEM;
	}
	copy_value(f.value, value);
	h->fields[h->n++] = f;
	h->bytes += line_bytes(name.len, value.len);
	return 0;
}

/* obs-fold: a line that continues the last one, joined by a space (RFC 9112 5.2). */
static int add_continuation(struct headers *h, struct span text)
{
	struct field *last;
	size_t len;
	char *value;

	if (!h->n)
		return -EBADMSG;
	text = trim_value(text);
	if (!text.len)
		return 0;
	last = &h->fields[h->n - 1];
	len = strlen(last->value);
	if (h->bytes + text.len + 1 > HEADERS_MAX_BYTES)
		return -E2BIG;
	value = realloc(last->value, len + text.len + 2);
	if (!value)
		return -ENOMEM;
	last->value = value;
	if (len) {
		value[len++] = ' ';
		h->bytes++;
	}
	copy_value(value + len, text);
	h->bytes += text.len;
	return 0;
}

int headers_add_line(struct headers *h, const char *line, size_t len)
{
	struct span name, value;
	const char *colon;

	if (len && line[len - 1] == '\n')
		len--;
	if (len && line[len - 1] == '\r')
		len--;
	if (!len)
		return -EBADMSG;
	if (line[0] == ' ' || line[0] == '\t')
		return add_continuation(h, (struct span){ line, len });
	colon = memchr(line, ':', len);
	if (!colon)
		return -EBADMSG;
	/* Space before the colon is removed from responses, not refused (RFC 9112 5.1). */
	name = fields_trim((struct span){ line, (size_t)(colon - line) });
	value.at = colon + 1;
	value.len = len - (size_t)(value.at - line);
	return add_field(h, name, value);
}

int headers_add(struct headers *h, const char *name, const char *value)
{
	return add_field(h, fields_span(name), fields_span(value));
}

const char *headers_get_nth(const struct headers *h, const char *name, size_t i)
{
	size_t k;

	for (k = 0; k < h->n; k++)
		if (strcasecmp(h->fields[k].name, name) == 0 && i-- == 0)
			return h->fields[k].value;
	return NULL;
}

const char *headers_get(const struct headers *h, const char *name)
{
	return headers_get_nth(h, name, 0);
}

char *headers_get_joined(const struct headers *h, const char *name)
{
	_cleanup_(buf_fini) struct buf joined = BUF_INIT;
	bool found = false;
	size_t k;

	for (k = 0; k < h->n; k++) {
		if (strcasecmp(h->fields[k].name, name) != 0)
			continue;
		if (found)
			buf_str_append(&joined, ", ");
		buf_str_append(&joined, h->fields[k].value);
		found = true;
	}
	return found ? buf_take(&joined) : NULL;
}

void headers_remove_n(struct headers *h, const char *name, size_t len)
{
	size_t k, kept = 0;

	for (k = 0; k < h->n; k++) {
		struct field *f = &h->fields[k];

		if (fields_equal((struct span){ name, len }, f->name)) {
			h->bytes -= line_bytes(strlen(f->name), strlen(f->value));
			field_fini(f);
		} else {
			h->fields[kept++] = *f;
		}
	}
	h->n = kept;
}

void headers_remove(struct headers *h, const char *name)
{
	headers_remove_n(h, name, strlen(name));
}

/* Fields that are connection options are for this hop only (RFC 9110 7.6.1). As
 * many options are looked at as there can be fields, so that a hostile list does
 * not take seconds. */
static void remove_connection_options(struct headers *h)
{
	struct span rest, option;
	size_t i, left = HEADERS_MAX_FIELDS;
	const char *value;

	for (i = 0; (value = headers_get_nth(h, "Connection", i)); i++) {
		rest = fields_span(value);
		while (left && fields_next(&rest, ',', &option)) {
			left--;
			/* The one holds the text that is being read, the other
			 * never is an option (7.6.1): no-store has to be seen. */
			if (!fields_equal(option, "Connection") &&
			    !fields_equal(option, "Cache-Control"))
				headers_remove_n(h, option.at, option.len);
		}
	}
}

void headers_drop_hop_by_hop(struct headers *h)
{
	/* RFC 9110 7.6.1, RFC 9111 3.1; Connection comes last. */
	static const char *const names[] = {
		"Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info",
		"Proxy-Authorization", "Proxy-Connection", "TE", "Transfer-Encoding",
		"Upgrade", "Connection",
	};
	size_t i;

	remove_connection_options(h);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		headers_remove(h, names[i]);
}

void headers_render(const struct headers *h, struct buf *to)
{
	size_t i;

	for (i = 0; i < h->n; i++) {
		buf_str_append(to, h->fields[i].name);
		buf_str_append(to, ": ");
		buf_str_append(to, h->fields[i].value);
		buf_char(to, '\n');
	}
}

/* Hands the fields over to ret. */
static void move(struct headers *from, struct headers *ret)
{
	*ret = *from;
	*from = (struct headers)HEADERS_INIT;
}

int headers_parse(const char *text, struct headers *ret)
{
	_cleanup_(headers_fini) struct headers h = HEADERS_INIT;

	while (*text) {
		size_t len = strcspn(text, "\n");
		int err = headers_add_line(&h, text, len);

		if (err < 0)
			return err;
		text += len + (text[len] == '\n');
	}
	move(&h, ret);
	return 0;
}

/* Adds the fields of `from` to `to`, but for those that `but` has too. */
static int add_all(struct headers *to, const struct headers *from,
		   const struct headers *but)
{
	size_t i;

	for (i = 0; i < from->n; i++) {
		const struct field *f = &from->fields[i];
		int err;

		if (but && headers_get(but, f->name))
			continue;
		err = headers_add(to, f->name, f->value);
		if (err < 0)
			return err;
	}
	return 0;
}

int headers_update(struct headers *stored, const struct headers *fresh)
{
	_cleanup_(headers_fini) struct headers update = HEADERS_INIT;
	_cleanup_(headers_fini) struct headers merged = HEADERS_INIT;
	int err;

	err = add_all(&update, fresh, NULL);
	if (err < 0)
		return err;
	headers_drop_hop_by_hop(&update);
	/* These describe the body that is stored, whatever a 304 says. */
	headers_remove(&update, "Content-Length");
	headers_remove(&update, "Content-Encoding");
	headers_remove(&update, "Content-Range");

	err = add_all(&merged, stored, &update);
	if (err < 0)
		return err;
	/* How old the stored message was is no news of the one that came now. */
	if (!headers_get(fresh, "Age"))
		headers_remove(&merged, "Age");
	if (!headers_get(fresh, "Date"))
		headers_remove(&merged, "Date");
	err = add_all(&merged, &update, NULL);
	if (err < 0)
		return err;
	headers_fini(stored);
	move(&merged, stored);
	return 0;
}
