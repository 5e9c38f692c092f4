#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../base/buf.h"
#include "../../../fs/ini.h"

static int print(void *arg, const char *section, const char *name, const char *value, int line,
		 const char **ret_reason)
{
	struct buf *to = arg;

	if (name)
		buf_printf(to, "%d %s.%s=<%s>|", line, section, name, value);
	else
		buf_printf(to, "%d [%s]|", line, section);
	*ret_reason = "refused";
	return name && strcmp(name, "refuse") == 0 ? -EINVAL : 0;
}

static int parse(const char *text, size_t len, struct buf *to, const char **ret_reason, int *ret_line)
{
	FILE *file = len ? fmemopen((void *)(uintptr_t)text, len, "r") : fopen("/dev/null", "r");
	int err;

	assert_non_null(file);
	err = ini_read(file, print, to, ret_reason, ret_line);
	fclose(file);
	return err;
}

static void test_good(void **state)
{
	static const struct {
		const char *text, *read;
	} cases[] = {
		{ "", "" },
		{ "# x\n; y\n\n  \n", "" },
		{ "[a]", "1 [a]|" },
		{ "[a]\nb=c", "1 [a]|2 a.b=<c>|" },
		{ "[ a b  c ]\r\n  b  =  c d  \r\n", "1 [a b  c]|2 a b  c.b=<c d>|" },
		{ "\xef\xbb\xbf[a]\n\nb=\n", "1 [a]|3 a.b=<>|" },
		{ "[a]\nb = \" c \"\n", "1 [a]|2 a.b=< c >|" },
		{ "[a]\nb = \"c\" d\n", "1 [a]|2 a.b=<\"c\" d>|" },
		{ "[a]\nb = \"\n", "1 [a]|2 a.b=<\">|" },
		{ "[a]\nb = Accept: x;q=1 # y\n", "1 [a]|2 a.b=<Accept: x;q=1 # y>|" },
		{ "[a]\nb=c=d\n[e]\n[a]\nb=2\n", "1 [a]|2 a.b=<c=d>|3 [e]|4 [a]|5 a.b=<2>|" },
		{ "[rule x a[bc]*]\n", "1 [rule x a[bc]*]|" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf to = BUF_INIT;
		const char *reason;
		int line;

		assert_int_equal(parse(cases[i].text, strlen(cases[i].text), &to, &reason, &line), 0);
		assert_string_equal(buf_str(&to), cases[i].read);
		buf_fini(&to);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *reason;
		int line;
	} cases[] = {
		{ "[a]\nb\n", "neither", 2 },
		{ "[a]\n=b\n", "no name", 2 },
		{ "\n[a\n", "no ]", 2 },
		{ "[]\n", "without a name", 1 },
		{ "[  ]\n", "without a name", 1 },
		{ "#\na=b\n", "in front of", 2 },
		{ "[a]\nb=c\nrefuse=1\nd=e\n", "refused", 3 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf to = BUF_INIT;
		const char *reason;
		int line;

		assert_int_equal(parse(cases[i].text, strlen(cases[i].text), &to, &reason, &line),
				 -EINVAL);
		if (!strstr(reason, cases[i].reason) || line != cases[i].line)
			fail_msg("%s: %d: %s", cases[i].text, line, reason);
		buf_fini(&to);
	}
}

static void test_no_text(void **state)
{
	struct buf to = BUF_INIT;
	const char *reason;
	int line;

	(void)state;
	assert_int_equal(parse("[a]\nb=\0c\n", 9, &to, &reason, &line), -EINVAL);
	assert_int_equal(line, 2);
	buf_fini(&to);
}

/* Nothing is cut off at a length. */
static void test_long_lines(void **state)
{
	struct buf text = BUF_INIT, to = BUF_INIT;
	const char *reason;
	int line;

	(void)state;
	buf_printf(&text, "[%0300d]\nb=%05000d\n", 1, 2);
	assert_int_equal(parse(buf_str(&text), text.len, &to, &reason, &line), 0);
	assert_int_equal(to.len, strlen("1 []|2 .b=<>|") + 300 + 300 + 5000);
	buf_printf(&text, "b=%070000d\n", 2);
	assert_int_equal(parse(buf_str(&text), text.len, &to, &reason, &line), -EINVAL);
	assert_int_equal(line, 3);
	buf_fini(&to);
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_no_text),
		cmocka_unit_test(test_long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
