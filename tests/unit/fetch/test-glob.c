#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../fetch/glob.h"

static void test_matching(void **state)
{
	static const struct {
		const char *glob, *text;
		bool matches;
	} cases[] = {
		{ "", "", true }, { "", "a", false }, { "a", "", false }, { "*", "", true },
		{ "*", "a/b", true }, { "a*c", "abbc", true }, { "a*c", "abbcd", false },
		{ "*.jpg", "x.jpg", true }, { "*.jpg", "x.jpg.png", false },
		{ "*a*b*", "xaxbx", true }, { "*a*b*", "xbxax", false }, { "a?c", "a/c", true },
		{ "?", "", false }, { "[ab]c", "bc", true }, { "[!ab]c", "bc", false },
		{ "[^ab]c", "xc", true }, { "[a-c]", "b", true }, { "[a-c]", "d", false },
		{ "[]a]", "]", true }, { "[a-]", "-", true }, { "[\\]]", "]", true },
		{ "[a", "[a", true }, { "\\*", "*", true }, { "\\*", "a", false },
		{ "a\\?b*", "a?bc", true }, { "%20*", "%20x", true }, { "**a", "bba", true },
		{ "[\xc0-\xff]", "\xd0", true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (glob_matches(cases[i].glob, cases[i].text, strlen(cases[i].text)) !=
		    cases[i].matches)
			fail_msg("%s: %s", cases[i].glob, cases[i].text);
}

static void test_text_need_not_end(void **state)
{
	(void)state;
	assert_true(glob_matches("*.jpg", "a.jpg?x", 5));
	assert_false(glob_matches("*.jpg", "a.jpg?x", 7));
	assert_true(glob_matches("a*", "abc", 1));
}

/* The same as the C library says, for all short globs over a few letters. */
static void test_as_fnmatch(void **state)
{
	static const char letters[] = "ab*?";
	char glob[6], text[5];

	(void)state;
	for (int g = 0; g < 4 * 4 * 4 * 4 * 4; g++)
		for (int t = 0; t < 2 * 2 * 2 * 2; t++) {
			for (int i = 0; i < 5; i++)
				glob[i] = letters[g >> 2 * i & 3];
			for (int i = 0; i < 4; i++)
				text[i] = letters[t >> i & 1];
			glob[5] = text[4] = '\0';
			if (glob_matches(glob, text, 4) != (fnmatch(glob, text, 0) == 0))
				fail_msg("%s: %s", glob, text);
		}
}

static void test_many_stars_take_no_time(void **state)
{
	static char glob[2001], text[20001];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof glob; i += 2) {
		glob[i] = '*';
		glob[i + 1] = 'a';
	}
	glob[1999] = 'b';
	memset(text, 'a', sizeof text - 1);
	assert_false(glob_matches(glob, text, sizeof text - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matching),
		cmocka_unit_test(test_text_need_not_end),
		cmocka_unit_test(test_as_fnmatch),
		cmocka_unit_test(test_many_stars_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
