#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../fs/cache_dir.h"

static void test_names(void **state)
{
	static const struct {
		const char *url, *name;
	} cases[] = {
		{ "https://a.example/", "https_a.example" },
		{ "http://a.example/", "http_a.example" },
		{ "https://a.example:8443/t/p/", "https_a.example:8443_t_p" },
		{ "https://a.example/t_p/", "https_a.example_t%5Fp" },
		{ "https://a.example/t%20p/", "https_a.example_t%2520p" },
		{ "https://[::1]/", "https_%5B::1%5D" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *name = cache_dir_name(cases[i].url);

		assert_string_equal(name, cases[i].name);
		free(name);
	}
}

static void test_long_names_fit_and_differ(void **state)
{
	char one[600], two[600], *a, *b;

	(void)state;
	snprintf(one, sizeof one, "https://a.example/%0500d1/", 0);
	snprintf(two, sizeof two, "https://a.example/%0500d2/", 0);
	a = cache_dir_name(one);
	b = cache_dir_name(two);
	assert_true(strlen(a) <= 255);
	assert_string_not_equal(a, b);
	free(a);
	free(b);
}

static void test_defaults(void **state)
{
	char *dir;

	(void)state;
	assert_int_equal(cache_dir_default("https://a.example/", 0, &dir), 0);
	assert_string_equal(dir, "/var/cache/webcachefs/https_a.example");
	free(dir);
	setenv("XDG_CACHE_HOME", "/x/cache", 1);
	assert_int_equal(cache_dir_default("https://a.example/", 1000, &dir), 0);
	assert_string_equal(dir, "/x/cache/webcachefs/https_a.example");
	free(dir);
	/* The specification: relative paths do not count. */
	setenv("XDG_CACHE_HOME", "x/cache", 1);
	setenv("HOME", "/home/anna", 1);
	assert_int_equal(cache_dir_default("https://a.example/", 1000, &dir), 0);
	assert_string_equal(dir, "/home/anna/.cache/webcachefs/https_a.example");
	free(dir);
}

static void test_resolve(void **state)
{
	char top[] = "/tmp/test-cache-dir-XXXXXX", path[128], link[128], *real;

	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(link, sizeof link, "%s/link", top);
	assert_int_equal(symlink("/tmp", link), 0);
	snprintf(path, sizeof path, "%s/link/not-there-%d/b/", top, (int)getpid());
	assert_int_equal(cache_dir_resolve(path, &real), 0);
	snprintf(path, sizeof path, "/tmp/not-there-%d/b", (int)getpid());
	assert_string_equal(real, path);
	free(real);
	/* Out of a directory that is not there: nobody can tell where that is. */
	snprintf(path, sizeof path, "%s/not-there/../link", top);
	assert_int_equal(cache_dir_resolve(path, &real), -ENOENT);
	assert_int_equal(chdir(top), 0);
	assert_int_equal(cache_dir_resolve("new", &real), 0);
	snprintf(path, sizeof path, "%s/new", top);
	assert_string_equal(real, path);
	free(real);
	assert_int_equal(cache_dir_resolve("/", &real), 0);
	assert_string_equal(real, "/");
	free(real);
	unlink(link);
	assert_int_equal(chdir("/"), 0);
	rmdir(top);
}

static void test_below(void **state)
{
	(void)state;
	assert_true(cache_dir_is_below("/mnt/a/b", "/mnt/a"));
	assert_true(cache_dir_is_below("/mnt/a", "/mnt/a"));
	assert_false(cache_dir_is_below("/mnt/ab", "/mnt/a"));
	assert_false(cache_dir_is_below("/mnt", "/mnt/a"));
	assert_true(cache_dir_is_below("/mnt", "/"));
}

static void test_disk_of_what_is_not_there(void **state)
{
	int64_t total, here, total_there, there;

	(void)state;
	assert_int_equal(cache_dir_disk("/", &total, &here), 0);
	assert_int_equal(cache_dir_disk("/not-there/at/all", &total_there, &there), 0);
	assert_int_equal(total, total_there);
	assert_true(total > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_names_fit_and_differ),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_disk_of_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
