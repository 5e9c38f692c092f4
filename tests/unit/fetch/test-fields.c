/* Lists, directives and quoted strings (RFC 9110 5.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../../base/buf.h"
#include "../../../fetch/fields.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct list_case {
	const char *rfc, *value;
	char separator;
	const char *want;	/* the elements, each in [] */
} list_cases[] = {
	{ "9110 5.6.1", "a, b", ',', "[a][b]" },
	{ "9110 5.6.1", "a,b", ',', "[a][b]" },
	{ "9110 5.6.1", "a \t,\t b ", ',', "[a][b]" },
	{ "9110 5.6.1.2 empty elements", ", a,, ,b ,", ',', "[a][b]" },
	{ "9110 5.6.1.2 nothing at all", "", ',', "" },
	{ "9110 5.6.1.2 nothing but commas", " , ,\t,", ',', "" },
	{ "9110 5.6.4 comma in quotes", "a=\"b, c\", d", ',', "[a=\"b, c\"][d]" },
	{ "9110 5.6.4 escaped quote", "a=\"b\\\", c\", d", ',', "[a=\"b\\\", c\"][d]" },
	{ "9110 5.6.4 escaped backslash", "a=\"b\\\\\", d", ',', "[a=\"b\\\\\"][d]" },
	{ "9110 5.6.4 never closed", "a=\"b, c", ',', "[a=\"b, c]" },
	{ "9110 5.6.4 escape at the end", "a=\"b, c\\", ',', "[a=\"b, c\\]" },
	{ "9110 5.6.6 parameters", "text/html; charset=\"a;b\" ;q=1", ';',
	  "[text/html][charset=\"a;b\"][q=1]" },
	{ "9213 2.2 target list", "CDN-Cache-Control:Other", ':', "[CDN-Cache-Control][Other]" },
};

static void lists_are_split_outside_quotes(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(list_cases); i++) {
		const struct list_case *c = &list_cases[i];
		struct span rest = fields_span(c->value), element;
		struct buf got = BUF_INIT;

		while (fields_next(&rest, c->separator, &element))
			buf_printf(&got, "[%.*s]", (int)element.len, element.at);
		if (strcmp(buf_str(&got), c->want) != 0)
			fail_msg("%s: '%s' gave %s, not %s", c->rfc, c->value,
				 buf_str(&got), c->want);
		buf_fini(&got);
	}
}

static const struct directive_case {
	const char *rfc, *element, *name, *value;
	bool quoted, malformed;
} directive_cases[] = {
	{ "9111 5.2", "no-store", "no-store", NULL, false, false },
	{ "9111 5.2", "max-age=5", "max-age", "5", false, false },
	{ "9111 5.2", "max-age=\"5\"", "max-age", "5", true, false },
	{ "9111 5.2", "private=\"a, b\"", "private", "a, b", true, false },
	{ "9110 5.6.4", "a=\"\"", "a", "", true, false },
	{ "9110 5.6.4", "a=\"x\\\"y\"", "a", "x\\\"y", true, false },
	{ "9110 5.6.4 never closed", "a=\"x", "a", "x", true, true },
	{ "9110 5.6.4 never closed", "a=\"", "a", "", true, true },
	{ "9110 5.6.4 never closed", "a=\"x\\\"", "a", "x\\\"", true, true },
	{ "9110 5.6.4 bytes behind it", "a=\"x\"y", "a", "x\"y", true, true },
	{ "9110 5.6.2 no argument", "a=", "a", "", false, true },
	{ "9110 5.6.2 no token", "a=b c", "a", "b c", false, true },
	{ "9110 5.6.2 no token", "a=b=c", "a", "b=c", false, true },
	{ "9111 5.2 space before =", "max-age =5", "max-age", NULL, false, true },
	{ "9111 5.2 space behind =", "max-age= 5", "max-age", " 5", false, true },
	{ "9111 5.2 wrong separator", "no-store; a=1", "no-store", NULL, false, true },
	{ "9110 5.6.2 no name", "=5", "", "5", false, true },
	{ "9110 5.6.2 no name", "\"a\"", "", NULL, false, true },
	{ "9110 5.6.2 no name", "(a)", "", NULL, false, true },
};

static bool same(struct span got, const char *want)
{
	if (!want)
		return got.at == NULL;
	return got.at && got.len == strlen(want) && memcmp(got.at, want, got.len) == 0;
}

static void directives_are_split_and_what_is_wrong_is_marked(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(directive_cases); i++) {
		const struct directive_case *c = &directive_cases[i];
		struct directive d = fields_directive(fields_span(c->element));

		if (!same(d.name, c->name) || !same(d.value, c->value) ||
		    d.quoted != c->quoted || d.malformed != c->malformed)
			fail_msg("%s: '%s' gave name '%.*s' value '%.*s'%s%s", c->rfc,
				 c->element, (int)d.name.len, d.name.at,
				 (int)d.value.len, d.value.at ? d.value.at : "",
				 d.quoted ? " quoted" : "", d.malformed ? " malformed" : "");
	}
}

static void tokens_have_the_characters_of_9110_5_6_2(void **state)
{
	const char *const allowed = "!#$%&'*+-.^_`|~0123456789"
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	int c;

	(void)state;
	for (c = 0; c < 256; c++)
		assert_int_equal(fields_is_token_char((unsigned char)c),
				 c && strchr(allowed, c) != NULL);
	assert_true(fields_is_token(fields_span("a-b")));
	assert_false(fields_is_token(fields_span("")));
	assert_false(fields_is_token(fields_span("a b")));
	assert_false(fields_is_token(fields_span("a:")));
}

static void a_list_has_a_token_whatever_its_case(void **state)
{
	(void)state;
	assert_true(fields_list_has("Accept, *", "*"));
	assert_true(fields_list_has("close, X-A", "x-a"));
	assert_false(fields_list_has("close, X-AB", "x-a"));
	assert_false(fields_list_has("a=\"b, x-a\"", "x-a"));
	assert_false(fields_list_has("", "x-a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_split_outside_quotes),
		cmocka_unit_test(directives_are_split_and_what_is_wrong_is_marked),
		cmocka_unit_test(tokens_have_the_characters_of_9110_5_6_2),
		cmocka_unit_test(a_list_has_a_token_whatever_its_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
