/* What the sections of a configuration file make of the options. */
#include "options-tools.h"

/* `webcachefs SOURCE MNT -o config=FILE,MORE`, up to the mount. */
static int complete(const char *source, const char *text, const char *more, struct options *o,
		    char reason[OPTIONS_REASON])
{
	char list[512];
	const char *argv[] = { "webcachefs", source, mnt, "-o", list, NULL };
	int err;

	write_file(text);
	snprintf(list, sizeof list, "config=%s,cache_dir=%s,size=1G,%s", file, cache, more);
	reason[0] = '\0';
	err = options_parse(5, (char *const *)argv, o, reason, OPTIONS_REASON);
	return err < 0 ? err : options_complete(o, reason, OPTIONS_REASON);
}

static void test_mount_section(void **state)
{
	struct options o;
	char reason[OPTIONS_REASON];

	(void)state;
	assert_int_equal(complete("http://a.example/",
				  "[mount]\nttl = 1h\nretries = 7\nallow_other = yes\nro = yes\n"
				  "noatime = no\nheader = A: 1\nheader = B: 2\nfile = x\n"
				  "only_cached_for = none\n",
				  "retries=3,header=a: 3", &o, reason), 0);
	assert_int_equal(o.policies.general.ttl_ms, 3600 * 1000);
	assert_int_equal(o.policies.general.retries, 3);
	assert_string_equal(o.policies.general.headers[0], "a: 3");
	assert_string_equal(o.policies.general.headers[1], "B: 2");
	assert_null(o.policies.general.headers[2]);
	assert_true(o.allow_other && o.fetch.shared && o.read_only);
	assert_string_equal(o.mount_options,
			    "ro,fsname=http://a.example/,subtype=webcachefs,allow_other");
	assert_int_equal(o.files.n, 1);
	assert_string_equal(o.only_cached_for, "");
	options_fini(&o);
}

#define ORIGINS "[origin img]\nurl = https://IMG.example/t\n" \
		"[origin api]\nurl = https://u:p@api.example\nttl = 1m\nheader = X: api\n" \
		"max_object = 1M\nonly = *.a:*.b\nrate = 5K\n"

static const struct policy *policy_of(const struct options *o, const char *key)
{
	return policies_find(&o->policies, key);
}

static void test_who_inherits_what(void **state)
{
	const struct policy *p;
	struct options o;
	char reason[OPTIONS_REASON];

	(void)state;
	assert_int_equal(complete("web",
				  "[mount]\nttl = 1s\nretries = 9\nheader = X: mount\n"
				  "header = Y: mount\nonly = *.c\n"
				  ORIGINS
				  "[rule api q/*]\nttl = 2m\nheader = X: rule\nheader = Z: rule\n"
				  "header = Z: too\nbypass = x\n"
				  "[rule api *.x]\nonly = *.d\nrate = 9K\n"
				  "[rule * *.iso]\nmax_object = none\n",
				  "retries=1", &o, reason), 0);
	p = policy_of(&o, "https://other.example/");
	assert_string_equal(p->from, "mount");
	assert_int_equal(p->ttl_ms, 1000);
	assert_int_equal(p->retries, 1);
	assert_int_equal(p->rate, -1);
	assert_int_equal(p->max_per_host, 128);

	p = policy_of(&o, "https://img.example/t/a");
	assert_string_equal(p->from, "origin img");
	assert_int_equal(p->ttl_ms, 1000);
	assert_string_equal(p->headers[0], "X: mount");

	p = policy_of(&o, "https://api.example/a");
	assert_int_equal(p->ttl_ms, 60 * 1000);
	assert_int_equal(p->retries, 1);
	assert_int_equal(p->max_object, 1 << 20);
	assert_int_equal(p->only.n, 2);
	assert_string_equal(p->headers[0], "Y: mount");
	assert_string_equal(p->headers[1], "X: api");
	assert_string_equal(p->headers[2], "Authorization: Basic dTpw");
	assert_null(p->headers[3]);

	p = policy_of(&o, "https://api.example/q/a.x");
	assert_string_equal(p->from, "rule api q/*");
	assert_int_equal(p->ttl_ms, 120 * 1000);
	assert_int_equal(p->max_object, 1 << 20);
	assert_int_equal(p->only.n, 2);
	assert_int_equal(p->bypass.n, 1);
	assert_string_equal(p->headers[0], "Y: mount");
	assert_string_equal(p->headers[1], "X: rule");
	assert_string_equal(p->headers[2], "Z: rule");
	assert_string_equal(p->headers[3], "Z: too");
	assert_ptr_equal(p->rate_of, policy_of(&o, "https://api.example/a")->rate_of);

	p = policy_of(&o, "https://api.example/a.x");
	assert_int_equal(p->ttl_ms, 60 * 1000);
	assert_int_equal(p->only.n, 1);
	assert_int_equal(p->rate, 9 * 1024);
	assert_ptr_not_equal(p->rate_of, policy_of(&o, "https://api.example/a")->rate_of);

	assert_int_equal(policy_of(&o, "https://api.example/a.iso")->max_object, -1);
	assert_int_equal(policy_of(&o, "https://api.example/a.iso")->ttl_ms, 60 * 1000);
	assert_int_equal(policy_of(&o, "https://x.example/a.iso")->ttl_ms, 1000);
	options_fini(&o);
}

static void test_errors_name_the_line(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *words;
	} cases[] = {
		{ "[mount]\nttl = abc\n", 2, "option ttl=abc: not a duration" },
		{ "[mount]\nnone_such = 1\n", 2, "unknown option" },
		{ "[mount]\nconfig = x\n", 2, "another" },
		{ "[mount x]\n", 1, "no name" },
		{ "[mounts]\n", 1, "not [mount]" },
		{ "[mount\n", 1, "no ]" },
		{ "[origin]\n", 1, "[origin NAME]" },
		{ "[origin a/b]\n", 1, "[origin NAME]" },
		{ "[origin .a]\n", 1, "[origin NAME]" },
		{ "[origin http:]\n", 1, "[origin NAME]" },
		{ "[origin a b]\n", 1, "[origin NAME]" },
		{ "\n[origin a]\nttl = 1h\n", 2, "needs url" },
		{ "[origin a]\nurl = ftp://x/\n", 2, "neither http nor https" },
		{ "[origin a]\nurl = http://x/?y\n", 2, "query" },
		{ "[origin a]\nurl = http://x/\nsize = 1G\n", 3, "not an option that origins" },
		{ "[origin a]\nurl = http://x/\nmax_transfers = 1\n", 3, "max_per_host" },
		{ "[origin a]\nurl = http://x/\nrate = 1\n", 3, "at least 1K" },
		{ "[origin a]\nurl = http://x/\ncacert = /none\n", 1, "/none" },
		{ "[origin a]\nurl = http://x/\nheader_file = /none\n", 1, "/none" },
		{ "[origin a]\nurl = http://x/\n[origin a]\nurl=http://y/\n", 3, "already" },
		{ "[rule *]\nttl=1h\n", 1, "[rule ORIGIN GLOB]" },
		{ "[rule]\n", 1, "[rule ORIGIN GLOB]" },
		{ "[rule imgs *]\nttl=1h\n", 1, "no origin has this name" },
		{ "[rule * /]\nttl=1h\n", 1, "not a glob" },
		{ "[rule * *]\nurl=http://x/\n", 2, "not an option that origins" },
		{ "[rule * *]\nheader=Range: x\n", 2, "sent by the cache itself" },
		{ "[rule a.b:80 *]\n", 1, "without a port" },
		{ "[rule a..b *]\n", 1, "" },
		{ "ttl = 1\n", 1, "in front of" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct options o;
		char reason[OPTIONS_REASON], where[128];
		int err = complete("http://a.example/", cases[i].text, "", &o, reason);

		snprintf(where, sizeof where, "%s:%d: ", file, cases[i].line);
		if (err >= 0 || strncmp(reason, where, strlen(where)) != 0 ||
		    !strstr(reason, cases[i].words))
			fail_msg("%s: %d %s", cases[i].text, err, reason);
		options_fini(&o);
	}
}

static void test_web_needs_one_or_the_other(void **state)
{
	struct options o;
	char reason[OPTIONS_REASON];

	(void)state;
	assert_int_equal(complete("web", "[mount]\nttl=1s\n", "", &o, reason), -EINVAL);
	assert_non_null(strstr(reason, "allow"));
	options_fini(&o);
	assert_int_equal(complete("web", "[mount]\nallow=x\n", "", &o, reason), 0);
	options_fini(&o);
	assert_int_equal(complete("web", ORIGINS, "", &o, reason), 0);
	options_fini(&o);
}

static void test_secrets_are_not_shown(void **state)
{
	static const char *const lines[] = {
		"\n[origin img]\nurl=https://IMG.example/t\n",
		"\n[origin api]\nurl=https://***@api.example\nttl=1m\nheader=X: ***\nmax_object=1M\n"
		"only=*.a:*.b\nrate=5K\n",
		"\n[rule api a b]\nheader=Authorization: ***\nproxy=http://***@p/\nnetrc=yes\n",
	};
	struct options o;
	struct buf text = BUF_INIT;
	char reason[OPTIONS_REASON];

	(void)state;
	assert_int_equal(complete("web", ORIGINS "[rule api a b]\nheader=Authorization: secret\n"
				  "proxy=http://u:secret@p/\nnetrc=yes\n", "", &o, reason), 0);
	options_render(&o, &text);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (!strstr(buf_str(&text), lines[i]))
			fail_msg("%s", buf_str(&text));
	assert_null(strstr(buf_str(&text), "secret"));
	buf_fini(&text);
	options_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mount_section),
		cmocka_unit_test(test_who_inherits_what),
		cmocka_unit_test(test_errors_name_the_line),
		cmocka_unit_test(test_web_needs_one_or_the_other),
		cmocka_unit_test(test_secrets_are_not_shown),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
