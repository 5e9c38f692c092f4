#include "vary.h"

#include <string.h>
#include <strings.h>

#include "fields.h"

/* FNV-1a: the same in every run and on every machine, unlike the hash of a map. */
static uint64_t add(uint64_t sum, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	/* Where one ends and the next begins. */
	return (sum ^ 0x100) * UINT64_C(0x100000001b3);
}

static uint64_t add_text(uint64_t sum, const char *text)
{
	return add(sum, text, strlen(text));
}

/* All lines of that name. False: there is none. */
static bool add_lines(const char *const *lines, struct span name, uint64_t *sum)
{
	bool found = false;

	for (const char *const *f = lines; f && *f; f++) {
		struct span value;

		if (strncasecmp(*f, name.at, name.len) != 0 || (*f)[name.len] != ':')
			continue;
		value = fields_trim(fields_span(*f + name.len + 1));
		*sum = add(*sum, value.at, value.len);
		found = true;
	}
	return found;
}

/* What is sent without being asked for (request.c). */
static uint64_t add_default(const struct vary_request *r, struct span name, uint64_t sum)
{
	if (fields_equal(name, "accept"))
		return add_text(sum, "*/*");
	if (fields_equal(name, "accept-encoding"))
		return add_text(sum, "identity");
	if (fields_equal(name, "user-agent"))
		return add_text(sum, r->user_agent ? r->user_agent : "");
	if (fields_equal(name, "authorization"))
		return add_text(add_text(sum, r->user ? r->user : ""), r->netrc ? "netrc" : "");
	return add_text(sum, "");
}

static uint64_t add_name(const struct vary_request *r, struct span name, uint64_t sum)
{
	bool ours = add_lines(r->fields, name, &sum);

	ours |= add_lines(r->more, name, &sum);
	return ours ? sum : add_default(r, name, sum);
}

static bool is_set(const char *const *lines, const char *name, const char *usual)
{
	size_t len = strlen(name);

	for (; lines && *lines; lines++)
		if (strncasecmp(*lines, name, len) == 0 && (*lines)[len] == ':' &&
		    !fields_equal(fields_trim(fields_span(*lines + len + 1)), usual))
			return true;
	return false;
}

bool vary_by_accept(const struct vary_request *r)
{
	return is_set(r->fields, "Accept", "*/*") || is_set(r->more, "Accept", "*/*");
}

uint64_t vary_sum(const struct vary_request *r, const struct headers *response)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	struct span rest, name;
	bool any = false;
	const char *value;

	for (size_t i = 0; (value = headers_get_nth(response, "Vary", i)); i++) {
		rest = fields_span(value);
		while (fields_next(&rest, ',', &name)) {
			sum = add_name(r, name, sum);
			any = true;
		}
	}
	if (vary_by_accept(r)) {
		sum = add_name(r, fields_span("Accept"), sum);
		any = true;
	}
	return !any ? 0 : sum ? sum : 1;
}
