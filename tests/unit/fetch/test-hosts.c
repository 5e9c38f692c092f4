#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../fetch/url.h"

static void test_matching(void **state)
{
	static const struct {
		const char *list, *key;
		bool matches;
	} cases[] = {
		{ "a.example", "https://a.example/", true },
		{ "a.example", "https://a.example:8080/x", true },
		{ "A.Example.", "https://a.example/", true },
		{ "a.example", "https://b.a.example/", false },
		{ "a.example", "https://a.example.b/", false },
		{ "*.a.example", "https://b.a.example/", true },
		{ "*.a.example", "https://c.b.a.example/", true },
		{ "*.a.example", "https://a.example/", false },
		{ "*.a.example", "https://ba.example/", false },
		{ "*.a.example", "https://x/b.a.example", false },
		{ "*.a.example", "https://x/?b.a.example", false },
		{ "a?.example", "http://ab.example/", true },
		{ "a?.example", "http://a.example/", false },
		{ "*a*b*", "http://xaxbx/", true },
		{ "*a*b*", "http://xbxax/", false },
		{ "*", "http://[::1]/", true },
		{ "x:y:z", "http://y/", true },
		{ "x:y:z", "http://w/", false },
		{ "[::1]", "http://[0:0::1]:80/", true },
		{ "x:[::1]:y", "http://y/", true },
		{ "x:[::1]:y", "http://[::2]/", false },
		{ "0x7f.1", "http://2130706433/", true },
		{ "b\xc3\xbc" "cher.example", "http://xn--bcher-kva.example/", true },
		{ "*.b\xc3\xbc" "cher.example", "http://a.xn--bcher-kva.example/", true },
		{ "a", "no URL", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct hosts *h;
		const char *reason;

		if (hosts_parse(cases[i].list, &h, &reason) < 0)
			fail_msg("\"%s\": %s", cases[i].list, reason);
		if (hosts_match(h, cases[i].key) != cases[i].matches)
			fail_msg("\"%s\" and %s", cases[i].list, cases[i].key);
		hosts_free(h);
	}
}

static void test_wrong_lists(void **state)
{
	static const char *const lists[] = {
		"", ":", "a:", ":a", "a::b", "a b", "a/b", "*.a b", "a@b", "[::1", "[a]", "x]",
		"a*\xc3\xbc", "a..b", "1.2.3.4.5", "*[a]", "https://a",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct hosts *h;
		const char *reason = NULL;

		if (hosts_parse(lists[i], &h, &reason) != -EINVAL || !reason)
			fail_msg("\"%s\" is taken", lists[i]);
	}
}

static void test_names(void **state)
{
	struct hosts *h;
	const char *reason;

	(void)state;
	assert_int_equal(hosts_parse("*.x:B.example:[::1]:a?:c", &h, &reason), 0);
	assert_string_equal(hosts_name(h, 0), "b.example");
	assert_string_equal(hosts_name(h, 1), "::1");
	assert_string_equal(hosts_name(h, 2), "c");
	assert_null(hosts_name(h, 3));
	hosts_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matching),
		cmocka_unit_test(test_wrong_lists),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
