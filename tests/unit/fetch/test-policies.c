#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../fetch/policy.h"
#include "../../../fetch/url.h"

#define N_RULES 5

static struct policy rule_policies[N_RULES][4];

static struct policy_origin origins[] = {
	{ .name = "img", .url = "https://img.example/t/", .policy = { .from = "img" } },
	{ .name = "deep", .url = "https://img.example/t/deep/", .policy = { .from = "deep" } },
	{ .name = "port", .url = "https://img.example:444/", .policy = { .from = "port" } },
};

static struct policy_rule rules[N_RULES];

static struct policies all = {
	.general = { .from = "general" },
	.origins = origins, .n_origins = 3,
	.rules = rules, .n_rules = N_RULES,
};

/* [rule img thumbs/ *] [rule img *.svg] [rule *.example.org *.html] [rule * *secret=*]
 * [rule deep *] */
static int make_rules(void **state)
{
	struct hosts *hosts;
	const char *reason;

	(void)state;
	if (hosts_parse("*.example.org", &hosts, &reason) < 0)
		return -1;
	rules[0] = (struct policy_rule){ .origin = &origins[0], .glob = "thumbs/*" };
	rules[1] = (struct policy_rule){ .origin = &origins[0], .glob = "*.svg" };
	rules[2] = (struct policy_rule){ .hosts = hosts, .glob = "*.html" };
	rules[3] = (struct policy_rule){ .glob = "*secret=*" };
	rules[4] = (struct policy_rule){ .origin = &origins[1], .glob = "*" };
	for (int i = 0; i < N_RULES; i++) {
		static const char *const from[N_RULES][4] = {
			{ "0", "0 img", "0 deep", "0 port" }, { "1", "1 img", "1 deep", "1 port" },
			{ "2", "2 img", "2 deep", "2 port" }, { "3", "3 img", "3 deep", "3 port" },
			{ "4", "4 img", "4 deep", "4 port" },
		};

		for (int k = 0; k < 4; k++)
			rule_policies[i][k].from = from[i][k];
		rules[i].policies = rule_policies[i];
	}
	return 0;
}

static int free_rules(void **state)
{
	(void)state;
	hosts_free((struct hosts *)(uintptr_t)rules[2].hosts);
	return 0;
}

static void test_whose_policy(void **state)
{
	static const struct {
		const char *key, *from;
	} cases[] = {
		{ "https://other.example/a.jpg", "general" },
		{ "https://img.example/a.jpg", "general" },
		{ "http://img.example/t/a.jpg", "general" },
		{ "https://img.example/t/", "img" },
		{ "https://img.example/t/a.jpg", "img" },
		{ "https://img.example/tt/a.jpg", "general" },
		{ "https://img.example:444/t/a.jpg", "port" },
		{ "https://img.example/t/thumbs/x/y.jpg", "0 img" },
		{ "https://img.example/t/thumbs/y.svg", "0 img" },
		{ "https://img.example/t/x/thumbs/y.jpg", "img" },
		{ "https://img.example/t/x/y.svg", "1 img" },
		{ "https://img.example/t/y.svg?v=2", "1 img" },
		{ "https://img.example/t/y.jpg?v=.svg", "1 img" },
		{ "https://img.example/t/y.svg/z", "img" },
		{ "https://other.example/y.svg", "general" },
		{ "https://a.example.org/d/x.html", "2" },
		{ "https://example.org/d/x.html", "general" },
		{ "https://a.example.org:80/x.html?y", "2" },
		{ "https://other.example/?secret=1", "3" },
		{ "https://img.example/t/a?x=1&secret=1", "3 img" },
		{ "https://img.example:444/a?secret=", "3 port" },
		{ "https://other.example/secret=1/x", "general" },
		{ "https://img.example/t/deep/a.svg", "4 deep" },
		{ "https://img.example/t/deep/a?secret=1", "3 deep" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *from = policies_find(&all, cases[i].key)->from;

		if (strcmp(from, cases[i].from) != 0)
			fail_msg("%s: %s", cases[i].key, from);
	}
}

static void test_what_an_origin_owns(void **state)
{
	static const char img[] = "https://img.example/t/a", other[] = "https://other.example/";

	(void)state;
	assert_true(policies_own(&all, img, img));
	assert_true(policies_own(&all, other, img));
	assert_true(policies_own(&all, img, "https://img.example/elsewhere"));
	assert_false(policies_own(&all, other, "https://img.example/elsewhere"));
	assert_false(policies_own(&all, img, "http://img.example/t/a"));
	assert_false(policies_own(&all, other, other));
	assert_true(policies_on_the_way(&all, "https://img.example/"));
	assert_true(policies_on_the_way(&all, "https://img.example/t/x/"));
	assert_false(policies_on_the_way(&all, "https://img.example/x/"));
	assert_false(policies_on_the_way(&all, "https://img.exampl/"));
}

static void test_keys(void **state)
{
	static const struct {
		bool sort;
		const char *ignore, *query, *key;	/* NULL: as it is */
	} cases[] = {
		{ false, NULL, "?b=2&a=1", NULL },
		{ true, NULL, "?b=2&a=1", "?a=1&b=2" },
		{ true, NULL, "?a=1&b=2", NULL },
		{ true, NULL, "?b&a", "?a&b" },
		{ true, NULL, "?a=2&b=3&a=1", "?a=2&a=1&b=3" },
		{ true, NULL, "?ab=1&a=2", "?a=2&ab=1" },
		{ true, NULL, "?", NULL },
		{ true, NULL, "", NULL },
		{ true, "none", "?b&&a", "?&a&b" },
		{ false, "utm_*:x", "?b=1&utm_id=3&x=2&a=3", "?b=1&a=3" },
		{ false, "utm_*:x", "?x", "" },
		{ false, "utm_*:x", "?xx=1", NULL },
		{ false, "utm_*:x", "?X=1", NULL },
		{ false, "a b", "?a%20b=1&c", "?c" },
		{ false, "", "?c", NULL },
		{ true, "*", "?b&a", "" },
		{ true, "b", "?c=1&b=2&a=3", "?a=3&c=1" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct policies p = {
			.general = { .sort_query = cases[i].sort, .ignore_query = cases[i].ignore },
		};
		char url[128], wanted[128], *key;

		snprintf(url, sizeof url, "https://a.example/x%s", cases[i].query);
		snprintf(wanted, sizeof wanted, "https://a.example/x%s",
			 cases[i].key ? cases[i].key : "");
		assert_int_equal(policies_key(&p, url, &key), 0);
		if (!cases[i].key != !key || (key && strcmp(key, wanted) != 0))
			fail_msg("%s: %s", url, key ? key : "(as it is)");
		if (key) {
			char *again;

			assert_int_equal(policies_key(&p, key, &again), 0);
			assert_null(again);
		}
		free(key);
	}
}

static void test_what_is_stored(void **state)
{
	static const struct {
		const char *only, *bypass, *key;
		bool stored;
	} cases[] = {
		{ NULL, NULL, "https://img.example/t/a", true },
		{ "*.jpg", NULL, "https://img.example/t/a.jpg", true },
		{ "*.jpg", NULL, "https://img.example/t/a.jpg?x", true },
		{ "*.jpg", NULL, "https://img.example/t/a.png", false },
		{ "x/*", NULL, "https://img.example/t/x/a.png", true },
		{ "t/x/*", NULL, "https://img.example/t/x/a.png", true },
		{ "x/*", NULL, "https://other.example/t/x/a.png", false },
		{ NULL, "*preview=true*", "https://img.example/t/a?b&preview=true", false },
		{ NULL, "*preview=true*", "https://img.example/t/a?b&preview=no", true },
		{ "*.jpg", "b*", "https://img.example/t/b.jpg", false },
		{ "*.jpg", "b*", "https://img.example/t/a.jpg", true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *only = (char *)(uintptr_t)cases[i].only;
		char *bypass = (char *)(uintptr_t)cases[i].bypass;
		const struct policy policy = {
			.only = { &only, only != NULL }, .bypass = { &bypass, bypass != NULL },
		};

		if (policy_stores(&all, &policy, cases[i].key) != cases[i].stored)
			fail_msg("%s", cases[i].key);
	}
}

static void test_globs(void **state)
{
	static const struct {
		const char *text, *glob;
	} cases[] = {
		{ "a*b?[cd]", "a*b?[cd]" }, { "/x/*", "x/*" }, { "a b", "a%20b" },
		{ "\xc3\xa9", "%C3%A9" },   { "a%20b", "a%20b" }, { "a\\*b", "a\\*b" }, { "/", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *glob = policy_glob(cases[i].text);

		assert_string_equal(glob, cases[i].glob);
		free(glob);
	}
}

static void test_names_of_fields(void **state)
{
	(void)state;
	assert_true(policy_names_field("A:X-*", "x-foo"));
	assert_true(policy_names_field("A:X-*", "a"));
	assert_false(policy_names_field("A:X-*", "b"));
	assert_false(policy_names_field("", "b"));
	assert_false(policy_names_field(NULL, "b"));
}

static void test_header_lines(void **state)
{
	static const struct {
		const char *line;
		int err;
	} cases[] = {
		{ "A: b", 0 }, { "A:", 0 }, { "A: b\tc", 0 }, { "A", -EINVAL }, { ": b", -EINVAL },
		{ "A b: c", -EINVAL }, { "A: b\rc", -EINVAL }, { "A: \x7f", -EINVAL },
		{ "Range: bytes=0-1", -EINVAL }, { "if-none-match: x", -EINVAL },
		{ "Te: x", -EINVAL }, { "Tea: x", 0 }, { "If: x", 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *reason;

		assert_int_equal(policy_check_header(cases[i].line, &reason), cases[i].err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose_policy),
		cmocka_unit_test(test_what_an_origin_owns),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_what_is_stored),
		cmocka_unit_test(test_globs),
		cmocka_unit_test(test_names_of_fields),
		cmocka_unit_test(test_header_lines),
	};

	return cmocka_run_group_tests(tests, make_rules, free_rules);
}
