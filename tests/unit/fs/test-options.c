#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../../fs/options.h"

#define URL "https://a.example/b"

/* Parses `webcachefs URL /mnt -o list`. */
static int parse(const char *list, struct options *o, char reason[OPTIONS_REASON])
{
	const char *argv[] = { "webcachefs", URL, "/mnt", "-o", list, NULL };

	reason[0] = '\0';
	return options_parse(5, (char *const *)argv, o, reason, OPTIONS_REASON);
}

static char *rendered(const struct options *o)
{
	struct buf text = BUF_INIT;

	options_render(o, &text);
	return buf_take(&text);
}

/* What is in force once the list was read: the line that .control/config shows. */
static void test_good(void **state)
{
	static const struct {
		const char *list, *line;
	} cases[] = {
		{ "", "ttl=none" },
		{ "", "default_ttl=0s" },
		{ "", "negative_ttl=10s" },
		{ "", "stale_if_error=1d" },
		{ "", "stale_while_revalidate=0s" },
		{ "", "kernel_ttl=auto" },
		{ "", "refresh_ahead=0%" },
		{ "", "read_ahead=512K" },
		{ "read_ahead=4M", "read_ahead=4M" },
		{ "read_ahead=0", "read_ahead=0" },
		{ "read_ahead=none", "read_ahead=none" },
		{ "refresh_ahead=80%", "refresh_ahead=80%" },
		{ "refresh_ahead=80", "refresh_ahead=80%" },
		{ "", "max_transfers=256" },
		{ "", "connect_timeout=10s" },
		{ "", "stall_timeout=30s" },
		{ "", "retries=2" },
		{ "", "compress=zstd:3" },
		{ "", "control_mode=0700" },
		{ "", "offline=no" },
		{ "", "max_object=none" },
		{ "", "source=" URL },
		{ "ttl=7d", "ttl=7d" },
		{ "ttl=7d,ttl=none", "ttl=none" },
		{ ",,ttl=7d,,", "ttl=7d" },
		{ "size=10G,ttl=1h", "size=10G" },
		{ "size=10%", "size=10%" },
		{ "min_free=5%", "min_free=5%" },
		{ "max_object=64K", "max_object=64K" },
		{ "max_ttl=30d", "max_ttl=30d" },
		{ "kernel_ttl=500ms", "kernel_ttl=500ms" },
		{ "kernel_ttl=0", "kernel_ttl=0s" },
		{ "compress=none", "compress=none" },
		{ "compress=zstd", "compress=zstd:3" },
		{ "compress=zstd:19", "compress=zstd:19" },
		{ "compress=none,compress=zstd:5", "compress=zstd:5" },
		{ "offline", "offline=yes" },
		{ "offline=yes", "offline=yes" },
		{ "offline,offline=no", "offline=no" },
		{ "count_opens=1", "count_opens=yes" },
		{ "allow_private", "allow_private=yes" },
		{ "netrc", "netrc=yes" },
		{ "allow_other", "allow_other=yes" },
		{ "uid=1234,gid=0", "uid=1234" },
		{ "uid=root,gid=77", "gid=77" },
		{ "umask=077", "umask=0077" },
		{ "control_mode=755", "control_mode=0755" },
		{ "targeted=CDN-Cache-Control:Surrogate-Control",
		  "targeted=CDN-Cache-Control:Surrogate-Control" },
		{ "user_agent=a\\,b", "user_agent=a,b" },
		{ "user_agent=a\\\\b", "user_agent=a\\b" },
		{ "user_agent=a\\nb", "user_agent=a\\nb" },
		{ "user_agent=\"a,b\",ttl=1s", "user_agent=a,b" },
		{ "user_agent=\"a,b\",ttl=1s", "ttl=1s" },
		{ "user_agent=a=b", "user_agent=a=b" },
		{ "user_agent=a \"b,c\" d", "user_agent=a \"b,c\" d" },
		{ "user_agent=a=\"b\"", "user_agent=a=\"b\"" },
		{ "user_agent=\"a\\\"b\"", "user_agent=a\"b" },
		{ "user_agent=\"a\"b,ttl=1s", "user_agent=ab" },
		{ "proxy=http://p.example:3128", "proxy=http://p.example:3128" },
		{ "proxy=http://u:secret@p.example:3128", "proxy=http://***@p.example:3128" },
		{ "proxy=u:secret@p.example", "proxy=***@p.example" },
		{ "header=Accept: image/png", "header=Accept: ***" },
		{ "header=A: 1\\,2,header=B:", "header=A: ***, B: ***" },
		{ "ro,nodev,nosuid,noexec,noatime,dev,suid,exec,rw,ttl=1s", "ttl=1s" },
		{ "_netdev,auto,noauto,user,users,nofail,defaults,relatime,ttl=1s", "ttl=1s" },
		{ "x-systemd.automount,x-gvfs-show=1,X-mount.mkdir,user=anna,ttl=1s", "ttl=1s" },
		{ "default_permissions,max_read=65536,fsname=x,subtype=y,ttl=1s", "ttl=1s" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct options o;
		char reason[OPTIONS_REASON], line[256];
		char *text;

		if (parse(cases[i].list, &o, reason) != 0)
			fail_msg("-o %s: %s", cases[i].list, reason);
		text = rendered(&o);
		snprintf(line, sizeof line, "\n%s\n", cases[i].line);
		/* The first line has none before it. */
		if (!strstr(text, line) && strncmp(text, line + 1, strlen(line + 1)) != 0)
			fail_msg("-o %s: no line %s in\n%s", cases[i].list, cases[i].line, text);
		assert_null(strstr(text, "secret"));
		free(text);
		options_fini(&o);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *list, *named;	/* what the reason must say */
	} cases[] = {
		{ "tll=7d", "unknown option: tll" },
		{ "nosuchflag", "unknown option: nosuchflag" },
		{ "remount", "unknown option: remount" },
		{ "Ttl=1s", "unknown option: Ttl" },
		{ "nodev=1", "unknown option: nodev" },
		{ "max_read", "unknown option: max_read" },
		{ "=7d", "unknown option" },
		{ "ttl", "ttl needs a value" },
		{ "ttl=", "ttl=" },
		{ "ttl=abc", "ttl=abc: not a duration" },
		{ "ttl=-1s", "ttl=-1s" },
		{ "ttl=auto", "ttl=auto" },
		{ "default_ttl=none", "default_ttl=none" },
		{ "kernel_ttl=none", "kernel_ttl=none" },
		{ "stall_timeout=0", "stall_timeout=0" },
		{ "connect_timeout=0ms", "connect_timeout=0ms" },
		{ "size=ten", "size=ten: not a size" },
		{ "size=0%", "size=0%" },
		{ "max_object=10%", "max_object=10%" },
		{ "compress=gzip", "compress=gzip" },
		{ "compress=zstd:0", "compress=zstd:0" },
		{ "compress=zstd:20", "compress=zstd:20" },
		{ "compress=zstd3", "compress=zstd3" },
		{ "max_transfers=0", "from 1 to" },
		{ "retries=101", "from 0 to 100" },
		{ "refresh_ahead=100%", "refresh_ahead=100%: not a part" },
		{ "refresh_ahead=%", "refresh_ahead=%: not a part" },
		{ "refresh_ahead=8%%", "refresh_ahead=8%%: not a part" },
		{ "refresh_ahead=1000000000", "not a part" },
		{ "offline=maybe", "offline=maybe: not yes or no" },
		{ "uid=no-such-user-here", "no such user" },
		{ "gid=no-such-group-here", "no such group" },
		{ "umask=999", "umask=999" },
		{ "cache_dir=", "cache_dir=" },
		{ "header=no colon", "not a header line" },
		{ "header=: x", "not a header line" },
		{ "header=A B: x", "not a header line" },
		{ "header=A: x\ny", "control characters" },
		{ "header=Range: bytes=0-1", "sent by the cache" },
		{ "header=if-none-match: x", "sent by the cache" },
		{ "user_agent=\"a,ttl=1s", "not closed" },
		{ "user_agent=5\" disk,ttl=1s", "not closed" },
		{ "ttl=1s,size=1G,bogus", "unknown option: bogus" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct options o;
		char reason[OPTIONS_REASON];
		int err = parse(cases[i].list, &o, reason);

		if (err != -EINVAL)
			fail_msg("-o %s: %d", cases[i].list, err);
		if (!strstr(reason, cases[i].named) || strchr(reason, '\n'))
			fail_msg("-o %s: reason '%s'", cases[i].list, reason);
		options_fini(&o);
	}
}

static void test_secrets_are_not_in_reasons(void **state)
{
	struct options o;
	char reason[OPTIONS_REASON];

	(void)state;
	assert_int_equal(parse("header=Bad Name: secret", &o, reason), -EINVAL);
	assert_null(strstr(reason, "secret"));
	options_fini(&o);
	assert_int_equal(parse("heder=X-Key: secret", &o, reason), -EINVAL);
	assert_null(strstr(reason, "secret"));
	options_fini(&o);
}

static void test_arguments(void **state)
{
	static const struct {
		const char *argv[8];
		int err;
		enum options_action action;
		bool foreground, debug;
	} cases[] = {
		{ { "w", URL, "/mnt" }, 0, OPTIONS_RUN, false, false },
		{ { "w", URL, "/mnt", "-f" }, 0, OPTIONS_RUN, true, false },
		{ { "w", "-d", URL, "/mnt" }, 0, OPTIONS_RUN, true, true },
		{ { "w", "-fottl=1s", URL, "/mnt" }, 0, OPTIONS_RUN, true, false },
		{ { "w", "--", URL, "/mnt" }, 0, OPTIONS_RUN, false, false },
		{ { "w", URL, "-o", "ttl=1s", "/mnt", "-o", "size=1G" }, 0, OPTIONS_RUN,
		  false, false },
		{ { "w", "-s", "-o", "bogus=1", URL, "/mnt" }, 0, OPTIONS_RUN, false, false },
		{ { "w", "-s", "-o", "ttl=x", URL, "/mnt" }, -EINVAL, OPTIONS_RUN, false, false },
		{ { "w", "-h" }, 0, OPTIONS_HELP, false, false },
		{ { "w", "--help" }, 0, OPTIONS_HELP, false, false },
		{ { "w", "-V" }, 0, OPTIONS_VERSION, false, false },
		{ { "w", "--version" }, 0, OPTIONS_VERSION, false, false },
		{ { "w" }, -EINVAL, OPTIONS_RUN, false, false },
		{ { "w", URL }, -EINVAL, OPTIONS_RUN, false, false },
		{ { "w", URL, "/mnt", "more" }, -EINVAL, OPTIONS_RUN, false, false },
		{ { "w", URL, "/mnt", "-x" }, -EINVAL, OPTIONS_RUN, false, false },
		{ { "w", URL, "/mnt", "--bogus" }, -EINVAL, OPTIONS_RUN, false, false },
		{ { "w", URL, "/mnt", "-o" }, -EINVAL, OPTIONS_RUN, false, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct options o;
		char reason[OPTIONS_REASON];
		const char *argv[9] = { NULL };
		int argc = 0;

		while (argc < 8 && cases[i].argv[argc]) {
			argv[argc] = cases[i].argv[argc];
			argc++;
		}
		assert_int_equal(options_parse(argc, (char *const *)argv, &o, reason,
					       sizeof reason),
				 cases[i].err);
		if (cases[i].err == 0) {
			assert_int_equal(o.action, cases[i].action);
			assert_int_equal(o.foreground, cases[i].foreground);
			assert_int_equal(o.debug, cases[i].debug);
		}
		if (cases[i].err == 0 && o.action == OPTIONS_RUN) {
			assert_string_equal(o.source, URL);
			assert_string_equal(o.mountpoint, "/mnt");
		}
		options_fini(&o);
	}
}

static void test_what_libfuse_is_told(void **state)
{
	static const struct {
		const char *list, *told;
	} cases[] = {
		{ "", "fsname=" URL ",subtype=webcachefs" },
		{ "fsname=a\\,b", "fsname=a\\,b,subtype=webcachefs" },
		{ "subtype=x,nodev", "nodev,fsname=" URL ",subtype=x" },
		{ "allow_other", "fsname=" URL ",subtype=webcachefs,allow_other" },
		{ "_netdev,ro,nofail,max_read=4096,ttl=1s",
		  "ro,max_read=4096,fsname=" URL ",subtype=webcachefs" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct options o;
		char reason[OPTIONS_REASON];

		assert_int_equal(parse(cases[i].list, &o, reason), 0);
		assert_string_equal(o.mount_options, cases[i].told);
		options_fini(&o);
	}
}

static void test_a_password_is_cut_out_of_the_source(void **state)
{
	const char *argv[] = { "w", "https://anna:se%40cret@a.example/@x", "/mnt", NULL };
	struct options o;
	char reason[OPTIONS_REASON];

	(void)state;
	assert_int_equal(options_parse(3, (char *const *)argv, &o, reason, sizeof reason), 0);
	assert_string_equal(o.source, "https://a.example/@x");
	assert_string_equal(o.credentials, "anna:se%40cret");
	assert_null(strstr(o.mount_options, "cret"));
	options_fini(&o);
}

static void test_help_names_every_option(void **state)
{
	static const char *const some[] = { "cache_dir=DIR", "ttl=TIME", "header=", "allow_other" };
	struct options o;
	char reason[OPTIONS_REASON];
	char *help = NULL, *config, *line, *rest;
	size_t len;
	FILE *to = open_memstream(&help, &len);
	int n = 0;

	(void)state;
	options_help(to, "webcachefs");
	fclose(to);
	for (size_t i = 0; i < sizeof some / sizeof *some; i++)
		assert_non_null(strstr(help, some[i]));
	assert_int_equal(parse("", &o, reason), 0);
	rest = config = rendered(&o);
	while ((line = strsep(&rest, "\n"))) {
		char name[64];

		line[strcspn(line, "=")] = '\0';
		if (!*line || strcmp(line, "source") == 0 || strcmp(line, "mountpoint") == 0)
			continue;
		snprintf(name, sizeof name, "\n  %s", line);
		if (!strstr(help, name))
			fail_msg("--help does not name %s", line);
		n++;
	}
	assert_true(n > 25);
	free(config);
	free(help);
	options_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_secrets_are_not_in_reasons),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_what_libfuse_is_told),
		cmocka_unit_test(test_a_password_is_cut_out_of_the_source),
		cmocka_unit_test(test_help_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
