#include "structured.h"

#include <errno.h>
#include <string.h>

#define MAX_INTEGER_DIGITS 15	/* RFC 8941 4.2.4 */
#define MAX_WHOLE_DIGITS 12	/* of a decimal */
#define MAX_FRACTION_DIGITS 3

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(int c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_alpha(int c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* Also for members of a class: 0 is in none. */
static bool is_one_of(int c, const char *chars)
{
	return c > 0 && strchr(chars, c) != NULL;
}

/* The next byte, -1 at the end. */
static int peek(const struct span *s)
{
	return s->len ? (unsigned char)s->at[0] : -1;
}

static void skip(struct span *s)
{
	s->at++;
	s->len--;
}

static bool take(struct span *s, char c)
{
	if (peek(s) != c)
		return false;
	skip(s);
	return true;
}

static void skip_spaces(struct span *s, const char *spaces)
{
	while (is_one_of(peek(s), spaces))
		skip(s);
}

static int parse_key(struct span *s, struct span *ret)
{
	const char *begin = s->at;

	if (!is_lower(peek(s)) && peek(s) != '*')
		return -EBADMSG;
	while (is_lower(peek(s)) || is_digit(peek(s)) || is_one_of(peek(s), "_-.*"))
		skip(s);
	*ret = (struct span){ begin, (size_t)(s->at - begin) };
	return 0;
}

/* Digits into *value; how many there were (one more than max when too many). */
static int take_digits(struct span *s, int max, int64_t *value)
{
	int n = 0;

	while (is_digit(peek(s)) && n <= max) {
		if (n++ < max)
			*value = *value * 10 + (peek(s) - '0');
		skip(s);
	}
	return n;
}

static int parse_number(struct span *s, struct structured_member *ret)
{
	bool negative = take(s, '-');
	int64_t value = 0, fraction = 0;
	int n = take_digits(s, MAX_INTEGER_DIGITS, &value);

	if (n == 0 || n > MAX_INTEGER_DIGITS)
		return -EBADMSG;
	ret->type = STRUCTURED_INTEGER;
	ret->integer = negative ? -value : value;
	if (!take(s, '.'))
		return 0;
	ret->type = STRUCTURED_DECIMAL;
	if (n > MAX_WHOLE_DIGITS)
		return -EBADMSG;
	n = take_digits(s, MAX_FRACTION_DIGITS, &fraction);
	return n == 0 || n > MAX_FRACTION_DIGITS ? -EBADMSG : 0;
}

static int parse_string(struct span *s, struct structured_member *ret)
{
	const char *begin;

	skip(s);
	begin = s->at;
	while (peek(s) != '"') {
		if (take(s, '\\') && !is_one_of(peek(s), "\"\\"))
			return -EBADMSG;
		if (peek(s) < 0x20 || peek(s) > 0x7e)
			return -EBADMSG;
		skip(s);
	}
	ret->type = STRUCTURED_STRING;
	ret->text = (struct span){ begin, (size_t)(s->at - begin) };
	skip(s);
	return 0;
}

static int parse_token(struct span *s, struct structured_member *ret)
{
	const char *begin = s->at;

	while (peek(s) >= 0 && (fields_is_token_char((unsigned char)peek(s)) ||
				is_one_of(peek(s), ":/")))
		skip(s);
	ret->type = STRUCTURED_TOKEN;
	ret->text = (struct span){ begin, (size_t)(s->at - begin) };
	return 0;
}

/* The bytes themselves are of no use here: only their alphabet is checked. */
static int parse_bytes(struct span *s, struct structured_member *ret)
{
	skip(s);
	while (is_alpha(peek(s)) || is_digit(peek(s)) || is_one_of(peek(s), "+/="))
		skip(s);
	ret->type = STRUCTURED_BYTES;
	return take(s, ':') ? 0 : -EBADMSG;
}

static int parse_boolean(struct span *s, struct structured_member *ret)
{
	skip(s);
	if (peek(s) != '0' && peek(s) != '1')
		return -EBADMSG;
	ret->type = STRUCTURED_BOOLEAN;
	ret->integer = peek(s) - '0';
	skip(s);
	return 0;
}

static int parse_bare_item(struct span *s, struct structured_member *ret)
{
	int c = peek(s);

	if (c == '-' || is_digit(c))
		return parse_number(s, ret);
	if (c == '"')
		return parse_string(s, ret);
	if (c == '*' || is_alpha(c))
		return parse_token(s, ret);
	if (c == ':')
		return parse_bytes(s, ret);
	if (c == '?')
		return parse_boolean(s, ret);
	return -EBADMSG;
}

static int skip_parameters(struct span *s)
{
	struct structured_member ignored;
	int err = 0;

	while (err == 0 && take(s, ';')) {
		skip_spaces(s, " ");
		err = parse_key(s, &ignored.key);
		if (err == 0 && take(s, '='))
			err = parse_bare_item(s, &ignored);
	}
	return err;
}

/* Inner lists do not nest. */
static int skip_inner_list(struct span *s, struct structured_member *ret)
{
	struct structured_member ignored;
	int err;

	skip(s);
	for (;;) {
		skip_spaces(s, " ");
		if (take(s, ')'))
			break;
		err = parse_bare_item(s, &ignored);
		if (err == 0)
			err = skip_parameters(s);
		if (err < 0)
			return err;
		if (peek(s) != ' ' && peek(s) != ')')
			return -EBADMSG;
	}
	ret->type = STRUCTURED_INNER_LIST;
	return 0;
}

static int parse_member(struct span *s, struct structured_member *ret)
{
	int err;

	*ret = (struct structured_member){ .type = STRUCTURED_BOOLEAN, .integer = 1 };
	err = parse_key(s, &ret->key);
	if (err == 0 && take(s, '='))
		err = peek(s) == '(' ? skip_inner_list(s, ret) : parse_bare_item(s, ret);
	return err == 0 ? skip_parameters(s) : err;
}

struct structured structured_begin(struct span value)
{
	struct structured s = { .rest = value };

	skip_spaces(&s.rest, " ");	/* tabs may only stand behind a member */
	return s;
}

int structured_next(struct structured *s, struct structured_member *ret)
{
	int err;

	if (s->started)
		skip_spaces(&s->rest, " \t");
	if (!s->rest.len)
		return 0;
	if (s->started) {
		if (!take(&s->rest, ','))
			return -EBADMSG;
		skip_spaces(&s->rest, " \t");
	}
	s->started = true;
	/* Nothing behind a comma fails here, as a key that is missing. */
	err = parse_member(&s->rest, ret);
	return err < 0 ? err : 1;
}
