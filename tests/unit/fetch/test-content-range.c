#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "../../../fetch/content_range.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void test_valid(void **state)
{
	static const struct {
		const char *value;
		struct content_range range;
	} cases[] = {
		{ "bytes 0-0/1", { 0, 1, 1 } },
		{ "bytes 0-499/1234", { 0, 500, 1234 } },
		{ "bytes 734-1233/1234", { 734, 1234, 1234 } },
		{ "bytes 42-1233/*", { 42, 1234, -1 } },
		{ "bytes */1234", { -1, -1, 1234 } },
		{ "bytes */0", { -1, -1, 0 } },
		{ "Bytes 0-0/1", { 0, 1, 1 } },
		{ "BYTES */5", { -1, -1, 5 } },
		{ "bytes 000-01/0002", { 0, 2, 2 } },
		{ "bytes 4294967296-4294967297/8589934592",
		  { 4294967296, 4294967298, 8589934592 } },
		{ "bytes 0-9223372036854775805/9223372036854775806",
		  { 0, INT64_MAX - 1, INT64_MAX - 1 } },
		{ "bytes 9223372036854775806-9223372036854775806/*",
		  { INT64_MAX - 1, INT64_MAX, -1 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct content_range got = { 7, 7, 7 };
		int err = content_range_parse(cases[i].value, &got);

		if (err || got.off != cases[i].range.off || got.end != cases[i].range.end ||
		    got.length != cases[i].range.length)
			fail_msg("%s: %d, [%jd, %jd) of %jd", cases[i].value, err,
				 (intmax_t)got.off, (intmax_t)got.end, (intmax_t)got.length);
	}
}

static void test_invalid(void **state)
{
	static const char *const values[] = {
		"", "bytes", "bytes ", "bytes  0-0/1", "bytes\t0-0/1", " bytes 0-0/1",
		"bytes=0-0/1", "bytes: 0-0/1", "items 0-0/1", "byte 0-0/1", "bytess 0-0/1",
		"bytes 0-0", "bytes 0-0/", "bytes 0-/1", "bytes -0/1", "bytes -1/1", "bytes 0/1",
		"bytes 0-0/1 ", "bytes 0-0/1,", "bytes 0-0/1, bytes 0-0/1", "bytes 0 -0/1",
		"bytes 0- 0/1", "bytes 0-0 /1", "bytes 0-0/ 1", "bytes 0-0/1x", "bytes 0-0//1",
		"bytes 0-0-0/1", "bytes +0-0/1", "bytes 0-0/-1", "bytes 0x0-0/1", "bytes 0-0/*1",
		"bytes 0-0/**", "bytes */*", "bytes *", "bytes */", "bytes */1x", "bytes *-0/1",
		"bytes */-1",
		/* contradictions */
		"bytes 1-0/2", "bytes 1-0/*", "bytes 0-1/1", "bytes 5-5/5", "bytes 0-0/0",
		/* overflow */
		"bytes 0-9223372036854775806/9223372036854775807",
		"bytes 9223372036854775807-9223372036854775807/*",
		"bytes 0-9223372036854775807/*", "bytes 0-18446744073709551616/*",
		"bytes 0-0/18446744073709551617", "bytes 18446744073709551616-18446744073709551617/*",
		"bytes */99999999999999999999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		struct content_range got = { 7, 7, 7 };

		if (content_range_parse(values[i], &got) != -EBADMSG)
			fail_msg("%s", values[i]);
		assert_int_equal(got.length, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
