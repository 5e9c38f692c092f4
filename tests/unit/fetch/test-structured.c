/* Structured Fields, dictionaries (RFC 8941). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "../../../base/buf.h"
#include "../../../fetch/structured.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Members as "key:type value;", the type being one letter; NULL: invalid. */
static const struct structured_case {
	const char *rfc, *value, *want;
} cases[] = {
	{ "8941 3.2", "a=1", "a:i1;" },
	{ "8941 3.2", "a=1, b=2", "a:i1;b:i2;" },
	{ "8941 3.2", "a=1,b=2", "a:i1;b:i2;" },
	{ "8941 3.2 true needs no value", "a, b, c=?0", "a:?1;b:?1;c:?0;" },
	{ "8941 3.2 true with parameters", "a;x=1;y, b", "a:?1;b:?1;" },
	{ "8941 3.2 the same key again", "a=1, a=2", "a:i1;a:i2;" },
	{ "8941 4.2 nothing", "", "" },
	{ "8941 4.2 spaces", "   ", "" },
	{ "8941 4.2 spaces around", "  a=1  ", "a:i1;" },
	{ "8941 4.2.2 OWS around commas", "a=1\t ,\t b=2", "a:i1;b:i2;" },
	{ "8941 4.2.2 OWS at the end", "a=1 \t", "a:i1;" },
	{ "8941 4.2 tab at the beginning", "\ta=1", NULL },
	{ "8941 4.2.2 trailing comma", "a=1,", NULL },
	{ "8941 4.2.2 trailing comma", "a=1, ", NULL },
	{ "8941 4.2.2 leading comma", ",a=1", NULL },
	{ "8941 4.2.2 two commas", "a=1,,b=2", NULL },
	{ "8941 4.2.2 no comma", "a=1 b=2", NULL },
	{ "8941 4.2.2 semicolon", "a=1; b=2", "a:i1;" },
	{ "8941 4.2.3.2 space before semicolon", "a=1 ;b", NULL },
	{ "8941 4.2.2 no value", "a=", NULL },
	{ "8941 4.2.2 no value", "a=,b", NULL },
	{ "8941 4.2.2 space before =", "a =1", NULL },
	{ "8941 4.2.2 space behind =", "a= 1", NULL },
	/* keys */
	{ "8941 4.2.3.3 key", "*a-b_c.d*9=1", "*a-b_c.d*9:i1;" },
	{ "8941 4.2.3.3 upper case", "A=1", NULL },
	{ "8941 4.2.3.3 upper case", "aB=1", NULL },
	{ "8941 4.2.3.3 digit first", "1a=1", NULL },
	{ "8941 4.2.3.3 dash first", "-a=1", NULL },
	{ "8941 4.2.3.3 no key", "=1", NULL },
	{ "9213 2.1 garbage", "a=10000, &&&&&", NULL },
	/* numbers */
	{ "8941 3.3.1", "a=-0", "a:i0;" },
	{ "8941 3.3.1", "a=007", "a:i7;" },
	{ "8941 3.3.1", "a=-42", "a:i-42;" },
	{ "8941 3.3.1 15 digits", "a=999999999999999", "a:i999999999999999;" },
	{ "8941 3.3.1 15 digits", "a=-999999999999999", "a:i-999999999999999;" },
	{ "8941 4.2.4 16 digits", "a=1000000000000000", NULL },
	{ "8941 4.2.4 many digits", "a=1000000000000000000000000000000", NULL },
	{ "8941 4.2.4 sign alone", "a=-", NULL },
	{ "8941 4.2.4 two signs", "a=--1", NULL },
	{ "8941 4.2.4 plus", "a=+1", NULL },
	{ "8941 4.2.4 letters behind", "a=1s", NULL },
	{ "8941 3.3.2", "a=1.5", "a:d;" },
	{ "8941 3.3.2", "a=-123456789012.123", "a:d;" },
	{ "8941 4.2.4 13 whole digits", "a=1234567890123.1", NULL },
	{ "8941 4.2.4 4 fraction digits", "a=1.1234", NULL },
	{ "8941 4.2.4 no fraction", "a=1.", NULL },
	{ "8941 4.2.4 no whole", "a=.5", NULL },
	{ "8941 4.2.4 two points", "a=1.2.3", NULL },
	/* strings */
	{ "8941 3.3.3", "a=\"\"", "a:s;" },
	{ "8941 3.3.3", "a=\"x, y\", b", "a:sx, y;b:?1;" },
	{ "8941 3.3.3", "a=\"x\\\"\\\\y\"", "a:sx\\\"\\\\y;" },
	{ "8941 4.2.5 never closed", "a=\"x", NULL },
	{ "8941 4.2.5 never closed", "a=\"", NULL },
	{ "8941 4.2.5 bad escape", "a=\"\\n\"", NULL },
	{ "8941 4.2.5 escape at the end", "a=\"\\", NULL },
	{ "8941 4.2.5 control", "a=\"\t\"", NULL },
	{ "8941 4.2.5 DEL", "a=\"\x7f\"", NULL },
	{ "8941 4.2.5 not ASCII", "a=\"\xc3\xa4\"", NULL },
	{ "8941 4.2.5 single quotes", "a='x'", NULL },
	/* tokens */
	{ "8941 3.3.4", "a=foo", "a:tfoo;" },
	{ "8941 3.3.4", "a=*x/y:z!#$%&'*+-.^_`|~9, b", "a:t*x/y:z!#$%&'*+-.^_`|~9;b:?1;" },
	{ "8941 3.3.4", "a=Foo", "a:tFoo;" },
	{ "8941 4.2.6 not ASCII", "a=f\xf6o", NULL },
	/* byte sequences */
	{ "8941 3.3.5", "a=:aGVsbG8=:", "a:b;" },
	{ "8941 3.3.5", "a=::", "a:b;" },
	{ "8941 4.2.7 never closed", "a=:aGVs", NULL },
	{ "8941 4.2.7 alphabet", "a=:aG-s:", NULL },
	/* booleans */
	{ "8941 3.3.6", "a=?1, b=?0", "a:?1;b:?0;" },
	{ "8941 4.2.8", "a=?2", NULL },
	{ "8941 4.2.8", "a=?", NULL },
	{ "8941 4.2.8", "a=?01", NULL },
	{ "8941 4.2.8", "a=?true", NULL },
	/* inner lists */
	{ "8941 3.1.1", "a=(), b", "a:l;b:?1;" },
	{ "8941 3.1.1", "a=( 1  \"x\" y;q=1 );z, b=3", "a:l;b:i3;" },
	{ "8941 4.2.1.2 never closed", "a=(1 2", NULL },
	{ "8941 4.2.1.2 no space", "a=(1\"x\")", NULL },
	{ "8941 4.2.1.2 comma", "a=(1, 2)", NULL },
	{ "8941 4.2.1.2 nested", "a=((1))", NULL },
	/* parameters */
	{ "8941 3.1.2", "a=1;x;y=2; z=\"q\", b", "a:i1;b:?1;" },
	{ "8941 4.2.3.2 no key", "a=1;", NULL },
	{ "8941 4.2.3.2 upper case", "a=1;X", NULL },
	{ "8941 4.2.3.2 bad value", "a=1;x=", NULL },
	{ "8941 4.2.3.2 list as value", "a=1;x=()", NULL },
	/* item types of later RFCs are not of this one */
	{ "9651 3.3.7 date", "a=@1659578233", NULL },
	{ "9651 3.3.8 display string", "a=%\"f\"", NULL },
};

static void describe(struct buf *to, const struct structured_member *m)
{
	static const char letters[] = "idstb?l";

	buf_printf(to, "%.*s:%c", (int)m->key.len, m->key.at, letters[m->type]);
	if (m->type == STRUCTURED_INTEGER || m->type == STRUCTURED_BOOLEAN)
		buf_printf(to, "%" PRId64, m->integer);
	if (m->type == STRUCTURED_STRING || m->type == STRUCTURED_TOKEN)
		buf_append(to, m->text.at, m->text.len);
	buf_char(to, ';');
}

static void dictionaries_are_read_or_refused_whole(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		const struct structured_case *c = &cases[i];
		struct structured s = structured_begin(fields_span(c->value));
		struct structured_member m;
		struct buf got = BUF_INIT;
		int more;

		while ((more = structured_next(&s, &m)) > 0)
			describe(&got, &m);
		if ((more < 0) != !c->want || (c->want && strcmp(buf_str(&got), c->want) != 0))
			fail_msg("%s: '%s' gave '%s'%s, not %s", c->rfc, c->value, buf_str(&got),
				 more < 0 ? " and an error" : "", c->want ? c->want : "an error");
		buf_fini(&got);
	}
}

static void nothing_behind_the_end_is_read(void **state)
{
	/* The value ends inside of what follows it. */
	static const char text[] = "a=\"x\", b=12345";
	struct structured s = structured_begin((struct span){ text, 4 });
	struct structured_member m;

	(void)state;
	assert_true(structured_next(&s, &m) < 0);
	s = structured_begin((struct span){ text, 11 });
	assert_int_equal(structured_next(&s, &m), 1);
	assert_int_equal(structured_next(&s, &m), 1);
	assert_int_equal(m.integer, 12);
	assert_int_equal(structured_next(&s, &m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dictionaries_are_read_or_refused_whole),
		cmocka_unit_test(nothing_behind_the_end_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
