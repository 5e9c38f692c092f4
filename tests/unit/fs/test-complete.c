/* What is worked out of options, and what is looked up for them. */
#include "options-tools.h"

static int complete(const char *source, const char *mountpoint, const char *list,
		    struct options *o, char reason[OPTIONS_REASON])
{
	char all[512];
	const char *argv[] = { "w", source, mountpoint, "-o", all, NULL };
	int err;

	snprintf(all, sizeof all, "cache_dir=%s,%s", cache, list);
	err = options_parse(5, (char *const *)argv, o, reason, OPTIONS_REASON);
	if (err < 0)
		fail_msg("%s: %s", all, reason);
	return options_complete(o, reason, OPTIONS_REASON);
}

static void test_sources(void **state)
{
	static const struct {
		const char *source, *base_url;	/* NULL: refused */
	} cases[] = {
		{ "https://a.example", "https://a.example/" },
		{ "https://a.example/", "https://a.example/" },
		{ "https://A.Example:443/t/p", "https://a.example/t/p/" },
		{ "http://a.example:8080/t/", "http://a.example:8080/t/" },
		{ "http://anna:secret@127.0.0.1:8080", "http://127.0.0.1:8080/" },
		{ "web", NULL },
		{ "a.example", NULL },
		{ "ftp://a.example/", NULL },
		{ "https://", NULL },
		{ "https://a.example:99999/", NULL },
		{ "https://a.example/?x=1", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct options o;
		char reason[OPTIONS_REASON] = "";
		int err = complete(cases[i].source, mnt, "size=1G", &o, reason);

		if (err != (cases[i].base_url ? 0 : -EINVAL))
			fail_msg("%s: %d %s", cases[i].source, err, reason);
		if (err == 0)
			assert_string_equal(o.fetch.base_url, cases[i].base_url);
		else
			assert_non_null(strstr(reason, cases[i].source));
		options_fini(&o);
	}
}

static void test_headers_from_everywhere(void **state)
{
	struct options o;
	char reason[OPTIONS_REASON], list[128];

	(void)state;
	write_file("# a comment\n\nX-Two: 2, 3\r\n  X-Three:4  \n");
	snprintf(list, sizeof list, "header=X-One: 1,header_file=%s", file);
	assert_int_equal(complete("http://u:p@a.example/", mnt, list, &o, reason), 0);
	assert_string_equal(o.policies.general.headers[0], "X-One: 1");
	assert_string_equal(o.policies.general.headers[1], "Authorization: Basic dTpw");
	assert_null(o.policies.general.headers[2]);
	assert_non_null(o.policies.general.header_file);
	options_fini(&o);
	write_file("this is no header\n");
	assert_int_equal(complete("http://a.example/", mnt, list, &o, reason), -EINVAL);
	assert_non_null(strstr(reason, file));
	options_fini(&o);
	unlink(file);
	assert_int_equal(complete("http://a.example/", mnt, list, &o, reason), -ENOENT);
	assert_non_null(strstr(reason, file));
	options_fini(&o);
}

static void test_directories(void **state)
{
	struct options o;
	char reason[OPTIONS_REASON], list[128], missing[80], below[80];

	(void)state;
	snprintf(missing, sizeof missing, "%s/missing", top);
	assert_int_equal(complete("http://a.example/", missing, "", &o, reason), -ENOENT);
	assert_non_null(strstr(reason, missing));
	options_fini(&o);
	write_file("");
	assert_int_equal(complete("http://a.example/", file, "", &o, reason), -ENOTDIR);
	options_fini(&o);
	assert_int_equal(complete("http://a.example/", "/", "", &o, reason), -EBUSY);
	options_fini(&o);
	snprintf(below, sizeof below, "%s/cache", mnt);
	snprintf(list, sizeof list, "cache_dir=%s", below);
	assert_int_equal(complete("http://a.example/", mnt, list, &o, reason), -EINVAL);
	assert_non_null(strstr(reason, "below the mount point"));
	options_fini(&o);
	snprintf(list, sizeof list, "cacert=%s/none.pem", top);
	assert_int_equal(complete("http://a.example/", mnt, list, &o, reason), -ENOENT);
	assert_non_null(strstr(reason, "none.pem"));
	options_fini(&o);
}

static void test_sizes(void **state)
{
	struct options o;
	char reason[OPTIONS_REASON];

	(void)state;
	assert_int_equal(complete("http://a.example/", mnt, "size=64M,min_free=1M", &o, reason), 0);
	assert_int_equal(o.index.size, 64 << 20);
	assert_int_equal(o.index.min_free, 1 << 20);
	options_fini(&o);
	assert_int_equal(complete("http://a.example/", mnt, "", &o, reason), 0);
	assert_true(o.index.size > 0 && o.index.size <= 10LL << 30);
	assert_int_equal(o.index.min_free, 0);
	options_fini(&o);
	assert_int_equal(complete("http://a.example/", mnt, "size=50%,min_free=10%", &o, reason), 0);
	assert_true(o.index.size > o.index.min_free && o.index.min_free > 0);
	options_fini(&o);
	assert_int_equal(complete("http://a.example/", mnt, "size=4K", &o, reason), -EINVAL);
	options_fini(&o);
}

static void test_who_and_what_kind_of_cache(void **state)
{
	struct options o;
	char reason[OPTIONS_REASON];

	(void)state;
	assert_int_equal(complete("http://a.example/", mnt, "", &o, reason), 0);
	assert_int_equal(o.uid, getuid());
	assert_int_equal(o.gid, getgid());
	assert_false(o.fetch.shared);
	assert_false(o.umask_set);
	assert_string_equal(o.policies.general.user_agent, "webcachefs/" WEBCACHEFS_VERSION);
	options_fini(&o);
	assert_int_equal(complete("http://a.example/", mnt, "allow_other,uid=7,gid=8,umask=0", &o,
				  reason), 0);
	assert_int_equal(o.uid, 7);
	assert_int_equal(o.gid, 8);
	assert_true(o.fetch.shared);
	assert_true(o.umask_set);
	options_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_headers_from_everywhere),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_who_and_what_kind_of_cache),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
