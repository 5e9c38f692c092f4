#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../../base/buf.h"

static void appends_grow_and_stay_terminated(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_string_equal(buf_str(&b), "");
	for (int i = 0; i < 10000; i++) {
		buf_char(&b, (char)('a' + i % 26));
		assert_int_equal(b.data[b.len], '\0');
	}
	buf_append(&b, "x\0y", 3);
	buf_append(&b, NULL, 0);
	assert_int_equal(b.len, 10003);
	assert_memory_equal(b.data + 10000, "x\0y", 4);
	assert_int_equal(b.data[9999], 'a' + 9999 % 26);
	assert_true(buf_ok(&b));
	buf_fini(&b);
	assert_string_equal(buf_str(&b), "");
}

static void printf_appends_any_length(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_printf(&b, "%d-%s", 42, "x");
	buf_printf(&b, "%500d", 7);
	assert_int_equal(b.len, 504);
	assert_memory_equal(b.data, "42-x ", 5);
	assert_string_equal(b.data + 503, "7");
	buf_fini(&b);
}

static void reset_keeps_the_memory(void **state)
{
	struct buf b = BUF_INIT;
	char *data;

	(void)state;
	buf_str_append(&b, "something");
	data = b.data;
	buf_reset(&b);
	assert_string_equal(buf_str(&b), "");
	buf_str_append(&b, "new");
	assert_ptr_equal(b.data, data);
	assert_string_equal(buf_str(&b), "new");
	buf_fini(&b);
}

static void a_failure_sticks(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_str_append(&b, "before");
	assert_int_equal(buf_reserve(&b, SIZE_MAX - 3), -ENOMEM);
	assert_false(buf_ok(&b));
	buf_str_append(&b, "after");
	buf_printf(&b, "%s", "after");
	assert_string_equal(buf_str(&b), "before");
	assert_null(buf_take(&b));
	assert_true(buf_ok(&b));
	assert_int_equal(b.len, 0);
}

static void take_hands_over(void **state)
{
	struct buf b = BUF_INIT;
	char *text;

	(void)state;
	text = buf_take(&b);
	assert_string_equal(text, "");
	free(text);
	buf_str_append(&b, "mine");
	text = buf_take(&b);
	assert_string_equal(text, "mine");
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	free(text);
}

static void json_escapes(void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "", "\"\"" },
		{ "a/b", "\"a/b\"" },
		{ "\"\\", "\"\\\"\\\\\"" },
		{ "\n\x01\x7f", "\"\\u000a\\u0001\\u007f\"" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		  "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"" },
		{ "\xff", "\"\\ufffd\"" },
		{ "\x80x", "\"\\ufffdx\"" },
		{ "\xc0\xaf", "\"\\ufffd\\ufffd\"" },			/* overlong */
		{ "\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"" },	/* overlong */
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },	/* a surrogate */
		{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },	/* too high */
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"" },			/* cut off */
		{ "\xc3\"", "\"\\ufffd\\\"\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf b = BUF_INIT;

		buf_json(&b, cases[i].text);
		assert_string_equal(buf_str(&b), cases[i].json);
		buf_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_grow_and_stay_terminated),
		cmocka_unit_test(printf_appends_any_length),
		cmocka_unit_test(reset_keeps_the_memory),
		cmocka_unit_test(a_failure_sticks),
		cmocka_unit_test(take_hands_over),
		cmocka_unit_test(json_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
