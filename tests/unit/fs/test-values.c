#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../../fs/values.h"

#define SECOND 1000LL
#define DAY (24 * 3600 * SECOND)

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;		/* -1: wrong */
		const char *printed;
	} cases[] = {
		{ "0", 0, "0s" },
		{ "500ms", 500, "500ms" },
		{ "1500ms", 1500, "1500ms" },
		{ "5s", 5 * SECOND, "5s" },
		{ "5", 5 * SECOND, "5s" },
		{ "60", 60 * SECOND, "1m" },
		{ "10m", 600 * SECOND, "10m" },
		{ "2min", 120 * SECOND, "2m" },
		{ "12h", 12 * 3600 * SECOND, "12h" },
		{ "7d", 7 * DAY, "7d" },
		{ "8d", 8 * DAY, "8d" },
		{ "2w", 14 * DAY, "14d" },
		{ "1.5h", 5400 * SECOND, "90m" },
		{ "0.25s", 250, "250ms" },
		{ "0.0000001s", 0, "0s" },
		{ "", -1, NULL },
		{ "s", -1, NULL },
		{ "-1s", -1, NULL },
		{ "+1s", -1, NULL },
		{ " 1s", -1, NULL },
		{ "1 s", -1, NULL },
		{ "1.s", -1, NULL },
		{ ".5s", -1, NULL },
		{ "1e3", -1, NULL },
		{ "1x", -1, NULL },
		{ "5S", -1, NULL },
		{ "1s1s", -1, NULL },
		{ "9223372036854775807w", -1, NULL },
		{ "99999999999999999999s", -1, NULL },
		{ "9223372036854775.9s", -1, NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf printed = BUF_INIT;
		int64_t ms = -7;
		int err = value_duration_ms(cases[i].text, &ms);

		if (err != (cases[i].ms < 0 ? -EINVAL : 0))
			fail_msg("'%s': %d", cases[i].text, err);
		assert_int_equal(ms, cases[i].ms < 0 ? -7 : cases[i].ms);
		if (err < 0)
			continue;
		value_print_duration(&printed, ms);
		assert_string_equal(buf_str(&printed), cases[i].printed);
		assert_int_equal(value_duration_ms(buf_str(&printed), &ms), 0);
		assert_int_equal(ms, cases[i].ms);
		buf_fini(&printed);
	}
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
		const char *printed;
	} cases[] = {
		{ "0", 0, "0" },
		{ "4097", 4097, "4097" },
		{ "64K", 64 << 10, "64K" },
		{ "64k", 64 << 10, "64K" },
		{ "64KB", 64 << 10, "64K" },
		{ "64KiB", 64 << 10, "64K" },
		{ "10M", 10 << 20, "10M" },
		{ "1.5G", 1536LL << 20, "1536M" },
		{ "2T", 2LL << 40, "2T" },
		{ "1P", 1LL << 50, "1P" },
		{ "12B", 12, "12" },
		{ "", -1, NULL },
		{ "K", -1, NULL },
		{ "-1", -1, NULL },
		{ "10X", -1, NULL },
		{ "10Mb", -1, NULL },
		{ "10MiBs", -1, NULL },
		{ "10BB", -1, NULL },
		{ "10%", -1, NULL },
		{ "8192P", -1, NULL },
		{ "18446744073709551616", -1, NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf printed = BUF_INIT;
		int64_t bytes = -7;
		int err = value_size(cases[i].text, &bytes);

		if (err != (cases[i].bytes < 0 ? -EINVAL : 0))
			fail_msg("'%s': %d", cases[i].text, err);
		assert_int_equal(bytes, cases[i].bytes < 0 ? -7 : cases[i].bytes);
		if (err < 0)
			continue;
		value_print_size(&printed, bytes);
		assert_string_equal(buf_str(&printed), cases[i].printed);
		buf_fini(&printed);
	}
}

static void test_percent(void **state)
{
	int percent = 0;

	(void)state;
	assert_int_equal(value_percent("20%", &percent), 0);
	assert_int_equal(percent, 20);
	assert_int_equal(value_percent("100%", &percent), 0);
	assert_int_equal(value_percent("0%", &percent), -EINVAL);
	assert_int_equal(value_percent("101%", &percent), -EINVAL);
	assert_int_equal(value_percent("20", &percent), -EINVAL);
	assert_int_equal(value_percent("%", &percent), -EINVAL);
	assert_int_equal(value_percent("20%%", &percent), -EINVAL);
}

static void test_modes(void **state)
{
	mode_t mode = 0;

	(void)state;
	assert_int_equal(value_octal("022", &mode), 0);
	assert_int_equal(mode, 022);
	assert_int_equal(value_octal("0700", &mode), 0);
	assert_int_equal(mode, 0700);
	assert_int_equal(value_octal("0", &mode), 0);
	assert_int_equal(mode, 0);
	assert_int_equal(value_octal("", &mode), -EINVAL);
	assert_int_equal(value_octal("1000", &mode), -EINVAL);
	assert_int_equal(value_octal("08", &mode), -EINVAL);
	assert_int_equal(value_octal("u=rwx", &mode), -EINVAL);
}

static void test_names(void **state)
{
	uid_t uid = 1;
	gid_t gid = 1;

	(void)state;
	assert_int_equal(value_user("root", &uid), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(value_user("1234", &uid), 0);
	assert_int_equal(uid, 1234);
	assert_int_equal(value_user("4294967295", &uid), -ENOENT);
	assert_int_equal(value_user("no-such-user-here", &uid), -ENOENT);
	assert_int_equal(value_group("root", &gid), 0);
	assert_int_equal(gid, 0);
	assert_int_equal(value_group("", &gid), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations), cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_percent),	  cmocka_unit_test(test_modes),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
