#include "fields.h"

#include <string.h>
#include <strings.h>

static bool is_ows(char c)
{
	return c == ' ' || c == '\t';
}

bool fields_is_token_char(unsigned char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return c && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static size_t token_len(struct span s)
{
	size_t i = 0;

	while (i < s.len && fields_is_token_char((unsigned char)s.at[i]))
		i++;
	return i;
}

bool fields_is_token(struct span s)
{
	return s.len && token_len(s) == s.len;
}

struct span fields_span(const char *s)
{
	return (struct span){ s, strlen(s) };
}

struct span fields_trim(struct span s)
{
	while (s.len && is_ows(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len && is_ows(s.at[s.len - 1]))
		s.len--;
	return s;
}

bool fields_equal(struct span s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

/* Where the quoted string that opens at s.at[i] ends: the index behind its
 * closing quote, or s.len + 1 when it is not closed. */
static size_t quoted_end(struct span s, size_t i)
{
	for (i++; i < s.len; i++) {
		if (s.at[i] == '"')
			return i + 1;
		if (s.at[i] == '\\')
			i++;
	}
	return s.len + 1;
}

static size_t element_len(struct span s, char separator)
{
	size_t i = 0;

	while (i < s.len && s.at[i] != separator)
		i = s.at[i] == '"' ? quoted_end(s, i) : i + 1;
	return i < s.len ? i : s.len;
}

bool fields_next(struct span *rest, char separator, struct span *ret)
{
	while (rest->len) {
		size_t len = element_len(*rest, separator);
		size_t skip = len < rest->len ? len + 1 : len;
		struct span element = fields_trim((struct span){ rest->at, len });

		rest->at += skip;
		rest->len -= skip;
		if (element.len) {
			*ret = element;
			return true;
		}
	}
	return false;
}

static void set_value(struct directive *d, struct span value)
{
	d->value = value;
	if (!value.len || value.at[0] != '"') {
		d->malformed |= !fields_is_token(value);
		return;
	}
	d->quoted = true;
	d->value.at++;
	if (quoted_end(value, 0) == value.len) {
		d->value.len -= 2;
	} else {
		d->value.len--;
		d->malformed = true;
	}
}

struct directive fields_directive(struct span element)
{
	struct directive d = { .name = element };
	struct span rest;

	d.name.len = token_len(element);
	rest.at = element.at + d.name.len;
	rest.len = element.len - d.name.len;
	d.malformed = d.name.len == 0;
	if (rest.len && rest.at[0] == '=')
		set_value(&d, (struct span){ rest.at + 1, rest.len - 1 });
	else if (rest.len)
		d.malformed = true;
	return d;
}

bool fields_list_has(const char *value, const char *token)
{
	struct span rest = fields_span(value), element;

	while (fields_next(&rest, ',', &element))
		if (fields_equal(element, token))
			return true;
	return false;
}
