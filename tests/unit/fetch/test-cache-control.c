/* Cache-Control and targeted fields (RFC 9111 5.2, 5861, 8246, 9213). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "../../../fetch/cache_control.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* In words, so that a case is one line: "max-age=5 no-store ...". */
static void describe(const struct cache_control *cc, struct buf *to)
{
	const struct { const char *name; bool set; } flags[] = {
		{ "targeted", cc->targeted }, { "invalid", cc->invalid },
		{ "no-store", cc->no_store }, { "no-cache", cc->no_cache },
		{ "private", cc->is_private }, { "public", cc->is_public },
		{ "must-revalidate", cc->must_revalidate },
		{ "proxy-revalidate", cc->proxy_revalidate },
		{ "must-understand", cc->must_understand }, { "immutable", cc->immutable },
	};
	const struct { const char *name; int64_t value; } seconds[] = {
		{ "max-age", cc->max_age_s }, { "s-maxage", cc->s_maxage_s },
		{ "swr", cc->stale_while_revalidate_s }, { "sie", cc->stale_if_error_s },
	};
	size_t i;

	for (i = 0; i < COUNT(flags); i++)
		if (flags[i].set)
			buf_printf(to, "%s%s", to->len ? " " : "", flags[i].name);
	for (i = 0; i < COUNT(seconds); i++)
		if (seconds[i].value != -1)
			buf_printf(to, "%s%s=%" PRId64, to->len ? " " : "", seconds[i].name,
				   seconds[i].value);
}

static void assert_describes(const struct cache_control *cc, const char *rfc,
			     const char *text, const char *want)
{
	struct buf got = BUF_INIT;

	describe(cc, &got);
	if (strcmp(buf_str(&got), want) != 0)
		fail_msg("%s: '%s' gave '%s', not '%s'", rfc, text, buf_str(&got), want);
	buf_fini(&got);
}

static const struct cc_case {
	const char *rfc;
	const char *value, *second;	/* the values of one or two lines */
	const char *want;
} cases[] = {
	{ "9111 5.2 nothing", "", NULL, "" },
	{ "9111 5.2 nothing", " , ,", NULL, "" },
	{ "9111 5.2.2", "no-store, no-cache, private, public, must-revalidate, proxy-revalidate, "
	  "must-understand, immutable, no-transform", NULL, "no-store no-cache private public "
	  "must-revalidate proxy-revalidate must-understand immutable" },
	{ "9111 5.2.2.1", "max-age=3600", NULL, "max-age=3600" },
	{ "9111 5.2.2.10", "s-maxage=5,max-age=3600", NULL, "max-age=3600 s-maxage=5" },
	{ "5861 3, 4", "stale-while-revalidate=60, stale-if-error=0", NULL, "swr=60 sie=0" },
	{ "9111 5.2 case", "MaX-aGe=3600, No-StOrE", NULL, "no-store max-age=3600" },
	{ "9110 5.3 two lines", "max-age=3600", "no-store", "no-store max-age=3600" },
	{ "9111 5.2.3 extension", "foobar, max-age=3600, a=b, c=\"d, e\"", NULL, "max-age=3600" },
	{ "9111 5.2.3 extension", "max-age-x=5, xmax-age=5, no-stor, no-stores", NULL, "" },
	/* delta-seconds */
	{ "9111 1.2.2", "max-age=0", NULL, "max-age=0" },
	{ "9111 1.2.2", "max-age=003600", NULL, "max-age=3600" },
	{ "9111 1.2.2", "max-age=2147483647", NULL, "max-age=2147483647" },
	{ "9111 1.2.2", "max-age=2147483648", NULL, "max-age=2147483648" },
	{ "9111 1.2.2 overflow", "max-age=2147483649", NULL, "max-age=2147483648" },
	{ "9111 1.2.2 overflow", "max-age=99999999999", NULL, "max-age=2147483648" },
	{ "9111 1.2.2 overflow", "max-age=18446744073709551617", NULL, "max-age=2147483648" },
	{ "9111 1.2.2 overflow", "max-age=100000000000000000000000000000000000000001", NULL,
	  "max-age=2147483648" },
	{ "9111 4.2.1 negative", "max-age=-3600", NULL, "max-age=0" },
	{ "9111 4.2.1 signed", "max-age=+3600", NULL, "max-age=0" },
	{ "9111 4.2.1 fraction", "max-age=3600.0", NULL, "max-age=0" },
	{ "9111 4.2.1 leading letter", "max-age=a3600", NULL, "max-age=0" },
	{ "9111 4.2.1 trailing letter", "max-age=3600a", NULL, "max-age=0" },
	{ "9111 4.2.1 hexadecimal", "max-age=0x10", NULL, "max-age=0" },
	{ "9111 4.2.1 single quotes", "max-age='3600'", NULL, "max-age=0" },
	{ "9111 4.2.1 no argument", "max-age", NULL, "max-age=0" },
	{ "9111 4.2.1 no argument", "max-age=", NULL, "max-age=0" },
	{ "9111 4.2.1 no argument", "max-age=\"\"", NULL, "max-age=0" },
	{ "9111 4.2.1 space before =", "max-age =3600", NULL, "max-age=0" },
	{ "9111 4.2.1 space behind =", "max-age= 3600", NULL, "max-age=0" },
	{ "9111 4.2.1 no =", "max-age 3600", NULL, "max-age=0" },
	{ "9111 4.2.1 colon", "max-age: 3600", NULL, "max-age=0" },
	{ "9111 4.2.1 semicolon", "max-age=3600; public", NULL, "max-age=0" },
	{ "9111 4.2.1 also for others", "s-maxage=x, stale-while-revalidate=-1, stale-if-error",
	  NULL, "s-maxage=0 swr=0 sie=0" },
	{ "9111 5.2 either form", "max-age=\"3600\"", NULL, "max-age=3600" },
	{ "9111 5.2 either form", "max-age=\" 3600\"", NULL, "max-age=0" },
	/* the first, or stale */
	{ "9111 4.2.1 first", "max-age=1800, max-age=1", NULL, "max-age=1800" },
	{ "9111 4.2.1 first", "max-age=1, max-age=1800", NULL, "max-age=1" },
	{ "9111 4.2.1 first", "max-age=1800", "max-age=1", "max-age=1800" },
	{ "9111 4.2.1 one invalid", "max-age=1800, max-age=x", NULL, "max-age=0" },
	{ "9111 4.2.1 one invalid", "max-age=x", "max-age=1800", "max-age=0" },
	/* quotes */
	{ "9110 5.6.4 hidden in quotes", "extension=\"max-age=3600\", max-age=1", NULL, "max-age=1" },
	{ "9110 5.6.4 hidden in quotes", "max-age=1, e=\"a, max-age=3600, no-store\"", NULL,
	  "max-age=1" },
	{ "9110 5.6.4 escaped quote", "e=\"a\\\", no-store\", max-age=1", NULL, "max-age=1" },
	{ "9110 5.6.4 never closed", "max-age=3600, e=\"a, no-store", NULL, "invalid max-age=3600" },
	{ "9110 5.6.4 quote in a token", "max-age=3600, e=a\"b, no-store", NULL,
	  "invalid max-age=3600" },
	{ "9110 5.6.4 closed and going on", "max-age=3600, e=\"a\"b", NULL, "invalid max-age=3600" },
	{ "9110 5.6.4 lines are not joined", "e=\"a", "no-store", "invalid no-store" },
	/* what forbids is obeyed, however it is written */
	{ "9111 5.2.2.5", "no-store=1", NULL, "no-store" },
	{ "9111 5.2.2.5", "no-store=\"x\"", NULL, "no-store" },
	{ "9111 5.2.2.5", "no-store; max-age=5", NULL, "no-store" },
	{ "8246 2 argument ignored", "immutable=0", NULL, "immutable" },
	{ "garbage", "(), [x], max-age=5, @", NULL, "max-age=5" },
	/* some fields only */
	{ "9111 5.2.2.4 fields", "no-cache=\"a, b\", max-age=5", NULL, "max-age=5" },
	{ "9111 5.2.2.4 one field as token", "no-cache=a", NULL, "" },
	{ "9111 5.2.2.7 fields", "private=\"Set-Cookie\"", NULL, "" },
	{ "9111 5.2.2.7 both forms", "private=\"a\", private", NULL, "private" },
	{ "9111 5.2.2.4 empty list", "no-cache=\"\"", NULL, "no-cache" },
	{ "9111 5.2.2.4 empty list", "no-cache=\" ,\"", NULL, "no-cache" },
	{ "9111 5.2.2.4 no argument", "no-cache=", NULL, "no-cache" },
	{ "9111 5.2.2.4 no names", "no-cache=\"a b\"", NULL, "no-cache" },
	{ "9111 5.2.2.7 never closed", "private=\"a", NULL, "invalid private" },
	{ "9111 5.2.2.7 space", "private =\"a\"", NULL, "invalid private" },
};

static void directives_are_read(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		const struct cc_case *c = &cases[i];
		struct headers h = HEADERS_INIT;
		struct cache_control cc;

		assert_int_equal(headers_add(&h, "Cache-control", c->value), 0);
		assert_int_equal(headers_add(&h, "Pragma", "no-cache"), 0);
		if (c->second)
			assert_int_equal(headers_add(&h, "cache-Control", c->second), 0);
		cache_control_parse(&h, &cc);
		assert_describes(&cc, c->rfc, c->value, c->want);
		headers_fini(&h);
	}
}

static const struct target_case {
	const char *rfc, *targets, *text, *want;
} target_cases[] = {
	{ "9213 2.2 none", NULL, "CDN-Cache-Control: max-age=5\nCache-Control: max-age=6\n",
	  "max-age=6" },
	{ "9213 2.2 none", "", "CDN-Cache-Control: max-age=5\nCache-Control: max-age=6\n",
	  "max-age=6" },
	{ "9213 2.2", "CDN-Cache-Control", "Cache-Control: max-age=6\nCDN-Cache-Control: max-age=5\n",
	  "targeted max-age=5" },
	{ "9213 2.2 nothing is merged", "CDN-Cache-Control",
	  "Cache-Control: no-store\nCDN-Cache-Control: max-age=5\n", "targeted max-age=5" },
	{ "9213 2.2 case of the name", "cdn-cache-control", "CDN-CACHE-CONTROL: max-age=5\n",
	  "targeted max-age=5" },
	{ "9213 2.2 not there", "CDN-Cache-Control", "Cache-Control: max-age=6\n", "max-age=6" },
	{ "9213 2.2 first of the list", "A:B", "B: max-age=2\nA: max-age=1\n", "targeted max-age=1" },
	{ "9213 2.2 the next", "A:B", "B: max-age=2\n", "targeted max-age=2" },
	{ "9213 2.2 the next, if invalid", "A : B", "A: max-age=1,\nB: max-age=2\n",
	  "targeted max-age=2" },
	{ "9213 2.2 not on the list", "A", "B: no-store\n", "" },
	{ "9213 2.1 empty", "A", "A:\nCache-Control: max-age=6\n", "max-age=6" },
	{ "9213 2.1 unknown alone counts", "A", "A: foo\nCache-Control: max-age=6\n", "targeted" },
	{ "9213 2.1 garbage", "A", "A: max-age=10000, &&&&&\nCache-Control: no-store\n", "no-store" },
	{ "9213 2.1 wrong type", "A", "A: max-age=\"10000\"\nCache-Control: no-store\n", "no-store" },
	{ "9213 2.1 wrong type", "A", "A: max-age=1.5\nCache-Control: no-store\n", "no-store" },
	{ "9213 2.1 wrong type", "A", "A: max-age\nCache-Control: no-store\n", "no-store" },
	{ "9213 2.1 wrong type", "A", "A: max-age=(1)\nCache-Control: no-store\n", "no-store" },
	{ "9213 2.1 wrong type", "A", "A: public=1\nCache-Control: no-store\n", "no-store" },
	{ "9213 2.1 wrong type", "A", "A: no-cache=a\nCache-Control: no-store\n", "no-store" },
	{ "9213 2.1 upper-case key", "A", "A: MaX-aGe=3600\nCache-Control: no-store\n", "no-store" },
	{ "9213 2.1 space before =", "A", "A: max-age =100\nCache-Control: max-age=1\n", "max-age=1" },
	{ "9213 2.1 space behind =", "A", "A: max-age= 100\nCache-Control: max-age=1\n", "max-age=1" },
	{ "9213 2.1 parameters", "A", "A: max-age=5;x=1, no-store;y\n", "targeted no-store max-age=5" },
	{ "9213 2.1 all directives", "A", "A: no-cache, private, public, must-revalidate, "
	  "proxy-revalidate, must-understand, immutable, s-maxage=1, stale-while-revalidate=2, "
	  "stale-if-error=3\n", "targeted no-cache private public must-revalidate "
	  "proxy-revalidate must-understand immutable s-maxage=1 swr=2 sie=3" },
	{ "9213 2.1 capped", "A", "A: max-age=99999999999\n", "targeted max-age=2147483648" },
	{ "9213 2.1 negative", "A", "A: max-age=-5\n", "targeted max-age=0" },
	{ "8941 4.2.2 last of a key", "A", "A: max-age=1, max-age=2\n", "targeted max-age=2" },
	{ "8941 3.3.6 false", "A", "A: no-store, max-age=1, no-store=?0\n", "targeted max-age=1" },
	{ "8941 4.2 two lines", "A", "A: max-age=1\nB: x\nA: no-store\n",
	  "targeted no-store max-age=1" },
	{ "8941 4.2 one line is bad", "A", "A: max-age=1\nA: ,\nCache-Control: max-age=6\n",
	  "max-age=6" },
	{ "8941 4.2 one line is empty", "A", "A: max-age=1\nA:\nCache-Control: max-age=6\n",
	  "max-age=6" },
	{ "8941 4.2 nothing of a bad one stays", "A:B", "A: no-store, =\nB: max-age=2\n",
	  "targeted max-age=2" },
	{ "9111 5.2.2.4 fields", "A", "A: no-cache=\"x, y\", private=\"z\", max-age=5\n",
	  "targeted max-age=5" },
	{ "9111 5.2.2.4 empty list", "A", "A: no-cache=\"\", max-age=5\n",
	  "targeted no-cache max-age=5" },
};

static void the_first_valid_target_counts(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(target_cases); i++) {
		const struct target_case *c = &target_cases[i];
		struct cache_control cc;
		struct headers h;

		assert_int_equal(headers_parse(c->text, &h), 0);
		cache_control_select(&h, c->targets, &cc);
		assert_describes(&cc, c->rfc, c->text, c->want);
		headers_fini(&h);
	}
}

static const struct drop_case {
	const char *rfc, *targets;
	bool shared;
	const char *text, *want;
} drop_cases[] = {
	{ "9111 5.2.2.4", NULL, false, "a: 1\nCache-Control: no-cache=\"A, b\"\nb: 2\nc: 3\n",
	  "Cache-Control: no-cache=\"A, b\"\nc: 3\n" },
	{ "9111 5.2.2.4 token", NULL, false, "a: 1\nCache-Control: no-cache=a\n",
	  "Cache-Control: no-cache=a\n" },
	{ "9111 5.2.2.4 two lines", NULL, false,
	  "a: 1\na: 2\nCache-Control: no-cache=\"a\"\nb: 2\nCache-Control: no-cache=\"b\"\n",
	  "Cache-Control: no-cache=\"a\"\nCache-Control: no-cache=\"b\"\n" },
	{ "9111 5.2.2.7 private cache", NULL, false, "Set-Cookie: 1\nCache-Control: private=\"set-cookie\"\n",
	  "Set-Cookie: 1\nCache-Control: private=\"set-cookie\"\n" },
	{ "9111 5.2.2.7 shared cache", NULL, true, "Set-Cookie: 1\nCache-Control: private=\"set-cookie\"\n",
	  "Cache-Control: private=\"set-cookie\"\n" },
	{ "not other directives", NULL, true, "a: 1\nCache-Control: ext=\"a\", max-age=1\n",
	  "a: 1\nCache-Control: ext=\"a\", max-age=1\n" },
	{ "not by a list that is none", NULL, true, "a: 1\nCache-Control: no-cache=\"a, b c\"\n",
	  "a: 1\nCache-Control: no-cache=\"a, b c\"\n" },
	{ "it names itself", NULL, true, "a: 1\nCache-Control: no-cache=\"cache-control, a\"\n",
	  "Cache-Control: no-cache=\"cache-control, a\"\n" },
	{ "9213 2.2 targeted", "CDN", true,
	  "a: 1\nb: 1\nCDN: no-cache=\"a, cdn\"\nCache-Control: no-cache=\"b\"\n",
	  "b: 1\nCDN: no-cache=\"a, cdn\"\nCache-Control: no-cache=\"b\"\n" },
	{ "9213 2.2 targeted, invalid", "CDN", true,
	  "a: 1\nb: 1\nCDN: no-cache=\"a\",\nCache-Control: no-cache=\"b\"\n",
	  "a: 1\nCDN: no-cache=\"a\",\nCache-Control: no-cache=\"b\"\n" },
};

static void fields_that_may_not_be_kept_are_dropped(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(drop_cases); i++) {
		const struct drop_case *c = &drop_cases[i];
		struct buf got = BUF_INIT;
		struct headers h;

		assert_int_equal(headers_parse(c->text, &h), 0);
		cache_control_drop_fields(&h, c->targets, c->shared);
		headers_render(&h, &got);
		if (strcmp(buf_str(&got), c->want) != 0)
			fail_msg("%s: got\n%s", c->rfc, buf_str(&got));
		buf_fini(&got);
		headers_fini(&h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(directives_are_read),
		cmocka_unit_test(the_first_valid_target_counts),
		cmocka_unit_test(fields_that_may_not_be_kept_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
