#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../base/access_log.h"
#include "../../../base/counters.h"

static char path[64], moved[80];
static int woken;

static void wake(void *arg)
{
	(void)arg;
	woken++;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "/tmp/test-access-log-%d", (int)getpid());
	snprintf(moved, sizeof moved, "%s.1", path);
	unlink(path);
	access_log_set_wake(wake, NULL);
	return access_log_open(path);
}

static int tear_down(void **state)
{
	(void)state;
	access_log_close();
	unlink(path);
	unlink(moved);
	return 0;
}

/* The file, without the time before each line. */
static const char *text(const char *name)
{
	static char all[4096];
	char line[1024];
	size_t n = 0;
	FILE *file = fopen(name, "r");

	assert_non_null(file);
	all[0] = '\0';
	while (fgets(line, sizeof line, file)) {
		int ms = -1, end = 0;

		assert_int_equal(sscanf(line, "%*4d-%*2d-%*2dT%*2d:%*2d:%*2d.%3dZ%n", &ms, &end), 1);
		assert_true(ms >= 0 && end == 24);
		n += (size_t)snprintf(all + n, sizeof all - n, "%s", line + end + 1);
	}
	fclose(file);
	return all;
}

static const struct access hit = {
	.by_kernel = true, .uid = 1000, .pid = 77, .url = "https://a.example/a.jpg", .status = 200,
	.bytes = 1234, .took_us = 1002003, .word = "HIT", .reason = "max-age=60",
};

static void lines_wait_in_memory(void **state)
{
	(void)state;
	assert_true(access_log_wanted());
	access_log_add(&hit);
	access_log_add(&hit);
	assert_int_equal(woken, 1);
	assert_string_equal(text(path), "");
	access_log_flush();
	assert_string_equal(text(path),
		"1000/77 \"https://a.example/a.jpg\" 200 1234 1.002003 HIT \"max-age=60\"\n"
		"1000/77 \"https://a.example/a.jpg\" 200 1234 1.002003 HIT \"max-age=60\"\n");
	access_log_add(&hit);
	assert_int_equal(woken, 2);
}

static void what_is_missing_and_what_is_odd(void **state)
{
	struct access line = { .url = "https://a/\"\n\x01\\\xc3\xa9", .bytes = -1, .word = "ERROR" };

	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	access_log_flush();
	assert_int_equal(truncate(path, 0), 0);
	access_log_add(&line);
	access_log_flush();
	assert_string_equal(text(path), "-/- \"https://a/\\x22\\x0A\\x01\\x5C\xc3\xa9\" - - "
					"0.000000 ERROR \"-\"\n");
}

static void reopened_after_it_was_renamed(void **state)
{
	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(rename(path, moved), 0);
	access_log_add(&hit);
	access_log_reopen();
	assert_non_null(strstr(text(moved), "HIT"));
	assert_string_equal(text(path), "");
	access_log_add(&hit);
	access_log_flush();
	assert_non_null(strstr(text(path), "HIT"));
}

static void more_than_memory_holds_is_lost_and_counted(void **state)
{
	int64_t before = counter_value(COUNT_unlogged);

	(void)state;
	for (int i = 0; i < 20000; i++)
		access_log_add(&hit);
	assert_true(counter_value(COUNT_unlogged) > before);
	access_log_flush();
	before = counter_value(COUNT_unlogged);
	access_log_add(&hit);
	access_log_flush();
	assert_int_equal(counter_value(COUNT_unlogged), before);
}

static void a_directory_is_no_log(void **state)
{
	(void)state;
	assert_int_equal(access_log_open("/tmp"), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_wait_in_memory),
		cmocka_unit_test(what_is_missing_and_what_is_odd),
		cmocka_unit_test(reopened_after_it_was_renamed),
		cmocka_unit_test(more_than_memory_holds_is_lost_and_counted),
		cmocka_unit_test(a_directory_is_no_log),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
