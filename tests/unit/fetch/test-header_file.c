#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../../base/buf.h"
#include "../../../fetch/header_file.h"
#include "../../../fetch/policy.h"

static char path[] = "/tmp/test-header-file-XXXXXX", aside[64];

/* In one step, as a new file. */
static void replace(const char *text)
{
	FILE *f = fopen(aside, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(rename(aside, path), 0);
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	snprintf(aside, sizeof aside, "%s.new", path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void assert_lines(struct header_file *h, const char *wanted)
{
	struct header_lines *l = header_file_lines(h);
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < l->n; i++)
		buf_printf(&text, "%s|", l->lines[i]);
	assert_null(l->lines[l->n]);
	assert_string_equal(buf_str(&text), wanted);
	buf_fini(&text);
	header_lines_unref(l);
}

static void test_reading(void **state)
{
	struct header_file *h;
	char reason[256];

	(void)state;
	replace("# a comment\n\nX-Two: 2, 3\r\n  X-Three:4  \n");
	assert_int_equal(header_file_open(path, &h, reason, sizeof reason), 0);
	assert_lines(h, "X-Two: 2, 3|X-Three:4|");
	header_file_free(h);
	replace("");
	assert_int_equal(header_file_open(path, &h, reason, sizeof reason), 0);
	assert_lines(h, "");
	header_file_free(h);
	assert_null(header_file_lines(NULL));
	header_file_look(NULL);
	header_file_free(NULL);
}

static void test_what_is_no_header_file(void **state)
{
	static const char *const texts[] = { "no header\n", "Range: bytes=0-1\n", "A: \x01\n" };
	struct header_file *h;
	char reason[256];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		replace(texts[i]);
		assert_int_equal(header_file_open(path, &h, reason, sizeof reason), -EINVAL);
		assert_non_null(strstr(reason, path));
	}
	unlink(path);
	assert_int_equal(header_file_open(path, &h, reason, sizeof reason), -ENOENT);
	assert_non_null(strstr(reason, path));
}

static void test_changes(void **state)
{
	struct header_file *h;
	struct header_lines *old;
	char reason[256];

	(void)state;
	replace("A: 1\n");
	assert_int_equal(header_file_open(path, &h, reason, sizeof reason), 0);
	old = header_file_lines(h);
	replace("A: 2\n");
	assert_lines(h, "A: 1|");
	header_file_look(h);
	assert_lines(h, "A: 2|");
	assert_string_equal(old->lines[0], "A: 1");
	header_lines_unref(old);
	unlink(path);
	header_file_look(h);
	header_file_look(h);
	assert_lines(h, "A: 2|");
	replace("wrong\n");
	header_file_look(h);
	header_file_look(h);
	assert_lines(h, "A: 2|");
	replace("A: 3\nB: 4\n");
	header_file_look(h);
	assert_lines(h, "A: 3|B: 4|");
	header_file_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_what_is_no_header_file),
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
