#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../fs/options.h"
#include "../../../fs/rules.h"

static void test_rules(void **state)
{
	static const struct {
		const char *options, *base, *dir, *name;
		enum rule wanted;
	} cases[] = {
		{ "file=README", "http://a/", "http://a/", "README", RULE_FILE },
		{ "file=README", "http://a/", "http://a/b/c/", "README", RULE_FILE },
		{ "file=README", "http://a/", "http://a/", "READMES", RULE_NONE },
		{ "dir=*.d:x", "http://a/", "http://a/", "b.d", RULE_DIR },
		{ "dir=*.d:x", "http://a/", "http://a/", "x", RULE_DIR },
		{ "dir=*.d:x", "http://a/", "http://a/x/", "y", RULE_NONE },
		{ "dir=b,file=b", "http://a/", "http://a/", "b", RULE_FILE },
		{ "file=b/*", "http://a/", "http://a/b/", "c", RULE_FILE },
		{ "file=/b/*", "http://a/", "http://a/b/c/", "d", RULE_FILE },
		{ "file=/b/*", "http://a/", "http://a/x/b/", "c", RULE_NONE },
		{ "file=/b/*", "http://a/x/", "http://a/x/b/", "c", RULE_FILE },
		{ "file=b c/d", "http://a/", "http://a/b%20c/", "d", RULE_FILE },
		{ "file=https\\:/h/*", "", "https://h/", "d", RULE_FILE },
		{ "file=x/https\\:/h/*", "http://a/", "http://a/x/https://h/", "d", RULE_FILE },
		{ "file=b\\:c", "http://a/", "http://a/", "b:c", RULE_FILE },
		{ "file=[ab]?", "http://a/", "http://a/", "bz", RULE_FILE },
		{ "ttl=1s", "http://a/", "http://a/", "b", RULE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *argv[] = { (char *)"webcachefs", (char *)"http://a",
				 (char *)"/mnt", (char *)"-o",
				 (char *)cases[i].options, NULL };
		struct options o;
		char reason[OPTIONS_REASON];

		if (options_parse(5, argv, &o, reason, sizeof(reason)) < 0)
			fail_msg("%s: %s", cases[i].options, reason);
		o.base_url = strdup(cases[i].base);
		if (rules_find(&o, cases[i].dir, cases[i].name) != cases[i].wanted)
			fail_msg("%s: %s%s", cases[i].options, cases[i].dir, cases[i].name);
		options_fini(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
