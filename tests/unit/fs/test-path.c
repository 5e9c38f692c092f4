#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../fs/path.h"

static void test_names_that_look_like_files(void **state)
{
	static const struct {
		const char *name;
		bool file;
	} cases[] = {
		{ "a.jpg", true },	{ "a.tar.gz", true },	{ "A.JPG", true },
		{ "movie.mp4", true },	{ "x.7z", true },	{ "a.jp2", true },
		{ "a.b", true },	{ "a.abcde", true },	{ ".git", true },
		{ "docs?page=2", true },	{ "?", true },	{ "a.?", true },
		{ "docs", false },	{ "v1.2", false },	{ "1.0.10", false },
		{ "a.", false },	{ "a.abcdef", false },	{ ".well-known", false },
		{ "a.b-c", false },	{ "a.b c", false },	{ "", false },
		{ "a.\xc3\xa9", false },	{ ".", false },	{ "x.12345", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (path_is_file_name(cases[i].name) != cases[i].file)
			fail_msg("\"%s\" is %sa file", cases[i].name, cases[i].file ? "" : "not ");
}

static void assert_key(const char *key, const char *wanted, const char *name)
{
	if (!key != !wanted || (key && strcmp(key, wanted) != 0))
		fail_msg("\"%s\": %s instead of %s", name, key ? key : "none",
			 wanted ? wanted : "none");
}

static void test_children(void **state)
{
	static const struct {
		const char *dir, *name;
		int err;
		enum path_guess guess;
		const char *file_key, *dir_key;
	} cases[] = {
		{ "http://a/", "b", 0, PATH_EITHER, "http://a/b", "http://a/b/" },
		{ "http://a/b/", "c.jpg", 0, PATH_FILE, "http://a/b/c.jpg", "http://a/b/c.jpg/" },
		{ "http://a/", "c d", 0, PATH_EITHER, "http://a/c%20d", "http://a/c%20d/" },
		{ "http://a/", "s?q=1", 0, PATH_FILE, "http://a/s?q=1", NULL },
		{ "http://a/", "v1.2", 0, PATH_EITHER, "http://a/v1.2", "http://a/v1.2/" },

		{ "http://a/", "https:", 0, PATH_DIR, NULL, "http://a/https://" },
		{ "http://a/b/", "http:", 0, PATH_DIR, NULL, "http://a/b/http://" },
		{ "http://a/", "ftp:", 0, PATH_EITHER, "http://a/ftp:", "http://a/ftp:/" },
		{ "http://a/https://", "b.com", 0, PATH_EITHER, "http://a/https://b.com",
		  "http://a/https://b.com/" },
		{ "http://a/https://", "me@b", 0, PATH_EITHER, "http://a/https://me@b",
		  "http://a/https://me@b/" },
		{ "http://a/https://", "b?x", 0, PATH_FILE, "http://a/https://b?x", NULL },
		{ "http://a/https://b/", "c.jpg", 0, PATH_FILE, "http://a/https://b/c.jpg",
		  "http://a/https://b/c.jpg/" },
		{ "", "https:", 0, PATH_DIR, NULL, "https://" },
		{ "", "http:", 0, PATH_DIR, NULL, "http://" },
		{ "", "ftp:", -ENOENT, PATH_DIR, NULL, NULL },
		{ "", "favicon.ico", -ENOENT, PATH_DIR, NULL, NULL },
		{ "https://", "a.example.org", 0, PATH_DIR, NULL, "https://a.example.org/" },
		{ "https://", "A.Example.org", 0, PATH_DIR, NULL, "https://a.example.org/" },
		{ "http://", "a:8080", 0, PATH_DIR, NULL, "http://a:8080/" },
		{ "https://", "me@a", -ENOENT, PATH_DIR, NULL, NULL },
		{ "https://", "a?b", -ENOENT, PATH_DIR, NULL, NULL },
		{ "https://", "a b", -ENOENT, PATH_DIR, NULL, NULL },
		{ "https://", "a:port", -ENOENT, PATH_DIR, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct path p = { PATH_DIR, NULL, NULL };
		int err = path_child(cases[i].dir, cases[i].name, &p);

		if (err != cases[i].err)
			fail_msg("\"%s\": %d instead of %d", cases[i].name, err, cases[i].err);
		if (err == 0)
			assert_int_equal(p.guess, cases[i].guess);
		assert_key(p.file, cases[i].file_key, cases[i].name);
		assert_key(p.dir, cases[i].dir_key, cases[i].name);
		path_fini(&p);
	}
}

static void test_page_of_a_directory(void **state)
{
	static const struct {
		const char *dir, *page;
	} cases[] = {
		{ "http://a/b/", "http://a/b" },
		{ "http://a/b/c/", "http://a/b/c" },
		{ "http://a:80/b/", "http://a:80/b" },
		{ "http://a/", NULL },
		{ "https://", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *page = path_page_key(cases[i].dir);

		assert_key(page, cases[i].page, cases[i].dir);
		free(page);
	}
}

static void test_types_with_nothing_below(void **state)
{
	(void)state;
	assert_true(path_is_leaf_type("image/png"));
	assert_true(path_is_leaf_type("Video/MP4"));
	assert_true(path_is_leaf_type("application/zip"));
	assert_false(path_is_leaf_type("text/html; charset=utf-8"));
	assert_false(path_is_leaf_type("application/json"));
	assert_false(path_is_leaf_type("imagery"));
	assert_false(path_is_leaf_type(""));
	assert_false(path_is_leaf_type(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_that_look_like_files),
		cmocka_unit_test(test_children),
		cmocka_unit_test(test_page_of_a_directory),
		cmocka_unit_test(test_types_with_nothing_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
