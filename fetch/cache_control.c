#include "cache_control.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "fields.h"
#include "structured.h"

enum kind {
	FLAG,		/* there or not; an argument means nothing */
	SECONDS,
	FIELDS,		/* alone, or about the fields it lists */
};

struct known {
	const char *name;
	enum kind kind;
	size_t offset;		/* of its member in struct cache_control */
};

#define KNOWN(name, kind, member) { name, kind, offsetof(struct cache_control, member) }

static const struct known all_known[] = {
	KNOWN("max-age", SECONDS, max_age_s),
	KNOWN("s-maxage", SECONDS, s_maxage_s),
	KNOWN("no-store", FLAG, no_store),
	KNOWN("no-cache", FIELDS, no_cache),
	KNOWN("private", FIELDS, is_private),
	KNOWN("public", FLAG, is_public),
	KNOWN("must-revalidate", FLAG, must_revalidate),
	KNOWN("proxy-revalidate", FLAG, proxy_revalidate),
	KNOWN("must-understand", FLAG, must_understand),
	KNOWN("immutable", FLAG, immutable),
	KNOWN("stale-while-revalidate", SECONDS, stale_while_revalidate_s),
	KNOWN("stale-if-error", SECONDS, stale_if_error_s),
};

static const struct known *find_known(struct span name)
{
	size_t i;

	for (i = 0; i < sizeof(all_known) / sizeof(all_known[0]); i++)
		if (fields_equal(name, all_known[i].name))
			return &all_known[i];
	return NULL;
}

static bool *flag_of(struct cache_control *cc, const struct known *k)
{
	return (bool *)((char *)cc + k->offset);
}

static int64_t *seconds_of(struct cache_control *cc, const struct known *k)
{
	return (int64_t *)((char *)cc + k->offset);
}

static void init(struct cache_control *cc)
{
	*cc = (struct cache_control){
		.max_age_s = -1, .s_maxage_s = -1,
		.stale_while_revalidate_s = -1, .stale_if_error_s = -1,
	};
}

int64_t cache_control_seconds(const char *text, size_t len)
{
	int64_t value = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
		if (value > CACHE_CONTROL_MAX_S)
			value = CACHE_CONTROL_MAX_S;
	}
	return len ? value : -1;
}

/* Names of fields and nothing else. If not, the directive is taken as if it had
 * no argument, which forbids more. */
static bool lists_fields(struct span value)
{
	struct span name;
	bool any = false;

	while (fields_next(&value, ',', &name)) {
		if (!fields_is_token(name))
			return false;
		any = true;
	}
	return any;
}

static void apply_seconds(int64_t *slot, const struct directive *d)
{
	int64_t value = d->malformed ? -1 : cache_control_seconds(d->value.at, d->value.len);

	if (value < 0)
		*slot = 0;
	else if (*slot < 0)
		*slot = value;
}

static void apply(struct cache_control *cc, const struct directive *d)
{
	const struct known *k = find_known(d->name);

	if (!k)
		return;
	if (k->kind == SECONDS)
		apply_seconds(seconds_of(cc, k), d);
	else if (k->kind == FLAG || d->malformed || !lists_fields(d->value))
		*flag_of(cc, k) = true;
}

static void parse_value(const char *value, struct cache_control *cc)
{
	struct span rest = fields_span(value), element;

	while (fields_next(&rest, ',', &element)) {
		struct directive d = fields_directive(element);

		/* A quote in a wrong place: no telling what it swallowed. */
		if (d.malformed && memchr(element.at, '"', element.len))
			cc->invalid = true;
		apply(cc, &d);
	}
}

void cache_control_parse(const struct headers *h, struct cache_control *ret)
{
	const char *value;
	size_t i;

	init(ret);
	for (i = 0; (value = headers_get_nth(h, "Cache-Control", i)); i++)
		parse_value(value, ret);
}

/* --- targeted fields: other syntax, other rules for what is wrong --- */

/* False: of the wrong type, which makes the field invalid. */
static bool apply_member(struct cache_control *cc, const struct structured_member *m)
{
	const struct known *k = find_known(m->key);

	if (!k)
		return true;
	if (k->kind == SECONDS) {
		if (m->type != STRUCTURED_INTEGER)
			return false;
		*seconds_of(cc, k) = m->integer < 0 ? 0 :
			m->integer > CACHE_CONTROL_MAX_S ? CACHE_CONTROL_MAX_S : m->integer;
		return true;
	}
	if (m->type == STRUCTURED_BOOLEAN)
		*flag_of(cc, k) = m->integer;
	else if (k->kind == FIELDS && m->type == STRUCTURED_STRING)
		*flag_of(cc, k) = !lists_fields(m->text);
	else
		return false;
	return true;
}

/* How many members the line has; -1: it is invalid. */
static int parse_line(struct span line, struct cache_control *cc)
{
	struct structured s = structured_begin(line);
	struct structured_member m;
	int n = 0, more;

	while ((more = structured_next(&s, &m)) > 0) {
		if (!apply_member(cc, &m))
			return -1;
		n++;
	}
	return more < 0 ? -1 : n;
}

static const char *nth_value(const struct headers *h, struct span name, size_t i)
{
	size_t k;

	for (k = 0; k < h->n; k++)
		if (fields_equal(name, h->fields[k].name) && i-- == 0)
			return h->fields[k].value;
	return NULL;
}

/* Lines are parsed one by one, which gives what their sum gives: a member cannot
 * go on in the next line, and an empty line beside others leaves a comma with
 * nothing at one side. */
static bool parse_target(const struct headers *h, struct span name,
			 struct cache_control *ret)
{
	const char *value;
	size_t i;

	init(ret);
	ret->targeted = true;
	for (i = 0; (value = nth_value(h, name, i)); i++)
		if (parse_line(fields_span(value), ret) <= 0)
			return false;
	return i > 0;
}

/* False: none of the targets counts. */
static bool select_target(const struct headers *h, const char *targets,
			  struct cache_control *ret, struct span *ret_name)
{
	struct span rest = fields_span(targets ? targets : "");

	while (fields_next(&rest, ':', ret_name))
		if (parse_target(h, *ret_name, ret))
			return true;
	return false;
}

void cache_control_select(const struct headers *h, const char *targets,
			  struct cache_control *ret)
{
	struct span name;

	if (!select_target(h, targets, ret, &name))
		cache_control_parse(h, ret);
}

/* --- no-cache="..." and private="..." --- */

static bool limits_fields(struct span directive, bool shared)
{
	return fields_equal(directive, "no-cache") ||
	       (shared && fields_equal(directive, "private"));
}

/* `but` is the field that list stands in: taking it out would free the text. */
static void drop_listed(struct headers *h, struct span list, struct span but)
{
	struct span name;

	if (!lists_fields(list))
		return;
	while (fields_next(&list, ',', &name))
		if (name.len != but.len || strncasecmp(name.at, but.at, but.len) != 0)
			headers_remove_n(h, name.at, name.len);
}

static void drop_by_value(struct headers *h, const char *value, struct span but, bool shared)
{
	struct span rest = fields_span(value), element;

	while (fields_next(&rest, ',', &element)) {
		struct directive d = fields_directive(element);

		if (!d.malformed && d.value.at && limits_fields(d.name, shared))
			drop_listed(h, d.value, but);
	}
}

static void drop_by_line(struct headers *h, const char *value, struct span but, bool shared)
{
	struct structured s = structured_begin(fields_span(value));
	struct structured_member m;

	while (structured_next(&s, &m) > 0)
		if (m.type == STRUCTURED_STRING && limits_fields(m.key, shared))
			drop_listed(h, m.text, but);
}

void cache_control_drop_fields(struct headers *h, const char *targets, bool shared)
{
	struct cache_control cc;
	struct span from;
	bool targeted = select_target(h, targets, &cc, &from);
	const char *value;
	size_t i;

	if (!targeted)
		from = fields_span("Cache-Control");
	for (i = 0; (value = nth_value(h, from, i)); i++) {
		if (targeted)
			drop_by_line(h, value, from, shared);
		else
			drop_by_value(h, value, from, shared);
	}
}
