#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../../fs/options.h"
#include "../../../fs/targets.h"

#define ROOT "https://a.example/t/"

static const struct options mount = { .base_url = (char *)(uintptr_t)ROOT };

static int parse(const char *text, struct target **ret, size_t *ret_n)
{
	bool dry_run;

	return targets_parse(&mount, text, strlen(text), ret, ret_n, &dry_run);
}

static void test_one_line(void **state)
{
	static const struct {
		const char *line;
		enum target_kind kind;
		const char *key;
	} cases[] = {
		{ "all", TARGET_ALL, NULL },
		{ "all\r\n", TARGET_ALL, NULL },
		{ "/all", TARGET_KEY, ROOT "all" },
		{ "allover", TARGET_KEY, ROOT "allover" },
		{ "/stale", TARGET_KEY, ROOT "stale" },
		{ "https://b.example/x.jpg", TARGET_KEY, "https://b.example/x.jpg" },
		{ "HTTPS://B.example:443/%7ex", TARGET_KEY, "https://b.example/~x" },
		{ "https://b.example", TARGET_KEY, "https://b.example/" },
		{ "https://b.example/x?y=1&z", TARGET_KEY, "https://b.example/x?y=1&z" },
		{ "a.jpg", TARGET_KEY, ROOT "a.jpg" },
		{ "/a.jpg", TARGET_KEY, ROOT "a.jpg" },
		{ "w500/a b.jpg", TARGET_KEY, ROOT "w500/a%20b.jpg" },
		{ "d/a?x=1", TARGET_KEY, ROOT "d/a?x=1" },
		{ "docs/", TARGET_KEY, ROOT "docs/" },
		{ "/", TARGET_KEY, ROOT },
		{ "*", TARGET_PREFIX, ROOT },
		{ "/*", TARGET_PREFIX, ROOT },
		{ "docs/*", TARGET_PREFIX, ROOT "docs/" },
		{ "docs/in*", TARGET_PREFIX, ROOT "docs/in" },
		{ "docs/a b*", TARGET_PREFIX, ROOT "docs/a%20b" },
		{ "docs/.*", TARGET_PREFIX, ROOT "docs/." },
		{ "docs/..*", TARGET_PREFIX, ROOT "docs/.." },
		{ "https://b.example/im*", TARGET_PREFIX, "https://b.example/im" },
		{ "https://b.example/a/.*", TARGET_PREFIX, "https://b.example/a/." },
		{ "https://b.example/a/..*", TARGET_PREFIX, "https://b.example/a/.." },
		{ "https://b.example/*", TARGET_PREFIX, "https://b.example/" },
		{ "https://b.example*", TARGET_PREFIX, "https://b.example/" },
		{ "https://b.example/a?x=*", TARGET_PREFIX, "https://b.example/a?x=" },
		{ "a\\*", TARGET_KEY, ROOT "a*" },
		{ "a\\*b", TARGET_KEY, ROOT "a*b" },
		{ "a\\**", TARGET_PREFIX, ROOT "a*" },
		{ "a*b", TARGET_GLOB, ROOT "a\1b" },
		{ "*.jpg", TARGET_GLOB, ROOT "\1.jpg" },
		{ "/*/c d*", TARGET_GLOB, ROOT "\1/c%20d\1" },
		{ "d/*?x=*&y\\*", TARGET_GLOB, ROOT "d/\1?x=\1&y*" },
		{ "https://*/x", TARGET_GLOB, "https://\1/x" },
		{ "https://*.B.example/a*.jpg", TARGET_GLOB, "https://\1.b.example/a\1.jpg" },
		{ "host:B.example", TARGET_HOST, "b.example" },
		{ "host:b.example:8080", TARGET_HOST, "b.example:8080" },
		{ "host:b.example:443", TARGET_HOST, "b.example:443" },
		{ "host:[::1]:80", TARGET_HOST, "[::1]:80" },
		{ "tag:one two", TARGET_TAG, "one two" },
		{ "stale", TARGET_STALE, NULL },
		{ "dry-run all", TARGET_ALL, NULL },
		{ "dry-run a.jpg", TARGET_KEY, ROOT "a.jpg" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct target *targets = NULL;
		size_t n = 0;
		int err = parse(cases[i].line, &targets, &n);

		if (err < 0 || n != 1)
			fail_msg("'%s': %d, %zu targets", cases[i].line, err, n);
		if (targets[0].kind != cases[i].kind)
			fail_msg("'%s': kind %d", cases[i].line, targets[0].kind);
		if (cases[i].key)
			assert_string_equal(targets[0].key, cases[i].key);
		else
			assert_null(targets[0].key);
		targets_free(targets, n);
	}
}

/* What is wrong anywhere makes nothing of it happen. */
static void test_bad_syntax(void **state)
{
	static const char *const cases[] = {
		"https://",
		"http:///x",
		"https://b.example:99999/",
		"a//b",
		"//a",
		"a/./b",
		"a/../b",
		"..",
		"d?x/y",
		"host:",
		"host:b.example/x",
		"host:b.example:99999",
		"host:*",
		"tag:",
		"dry-run ",
		"dry-run dry-run a",
		"dry-run a.jpg\nb.jpg",
		"a*/../b",
		"a//*b",
		"https://b.example:*/x",
		"a.jpg\nb.jpg\n../b\nc.jpg\n",
		"all\nhttps://\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct target *targets = NULL;
		size_t n = 7;
		int err = parse(cases[i], &targets, &n);

		if (err != -EINVAL)
			fail_msg("'%s': %d", cases[i], err);
		assert_null(targets);
		assert_int_equal(n, 7);
	}
	struct target *targets = NULL;
	size_t n;

	assert_int_equal(targets_parse(&mount, "a\0b\n", 4, &targets, &n, &(bool){ false }), -EINVAL);
}

static void test_lines(void **state)
{
	struct target *targets = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(parse("a.jpg\n\n  \t\nb.jpg\r\n\r\nall\nc*", &targets, &n), 0);
	assert_int_equal(n, 4);
	assert_string_equal(targets[0].key, ROOT "a.jpg");
	assert_string_equal(targets[1].key, ROOT "b.jpg");
	assert_int_equal(targets[2].kind, TARGET_ALL);
	assert_int_equal(targets[3].kind, TARGET_PREFIX);
	targets_free(targets, n);

	targets = NULL;
	assert_int_equal(parse("\n\n", &targets, &n), 0);
	assert_int_equal(n, 0);
	targets_free(targets, n);
	assert_int_equal(targets_parse(&mount, "", 0, &targets, &n, &(bool){ false }), 0);
	assert_int_equal(n, 0);
	targets_free(targets, n);
	/* The bytes behind len are not looked at. */
	assert_int_equal(targets_parse(&mount, "a.jpg-and-more", 5, &targets, &n, &(bool){ false }), 0);
	assert_string_equal(targets[0].key, ROOT "a.jpg");
	targets_free(targets, n);
}

/* stdio writes full buffers: what does not end with its line may be the first half. */
static void test_an_unfinished_long_text_is_refused(void **state)
{
	struct target *targets = NULL;
	size_t n = 0, len = 8192;
	char *text = malloc(len);

	(void)state;
	for (size_t i = 0; i < len; i++)
		text[i] = i % 8 == 7 ? '\n' : 'a';
	assert_int_equal(targets_parse(&mount, text, len, &targets, &n, &(bool){ false }), 0);
	assert_int_equal(n, len / 8);
	targets_free(targets, n);
	assert_int_equal(targets_parse(&mount, text, len - 3, &targets, &n, &(bool){ false }), -EINVAL);
	assert_int_equal(targets_parse(&mount, text, 4096 - 3, &targets, &n, &(bool){ false }), 0);
	targets_free(targets, n);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_bad_syntax),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_an_unfinished_long_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
