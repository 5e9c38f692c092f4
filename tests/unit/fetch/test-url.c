#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../../fetch/url.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* NULL: refused. */
struct example {
	const char *text, *normal;
};

static void check_normalised(const struct example *examples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct example *e = &examples[i];
		const char *reason = NULL;
		char *got = NULL, *again = NULL;
		int err = url_normalise(e->text, &got, &reason);

		if (!e->normal) {
			if (err != -EINVAL || !reason || !*reason)
				fail_msg("%s: %d (%s), %s", e->text, err, reason, got);
			continue;
		}
		if (err || strcmp(got, e->normal))
			fail_msg("%s: %d (%s), %s, not %s", e->text, err, reason, got, e->normal);
		assert_int_equal(url_normalise(got, &again, NULL), 0);
		assert_string_equal(got, again);
		free(got);
		free(again);
	}
}

#define CHECK(...)                                                             \
	do {                                                                   \
		static const struct example examples_[] = { __VA_ARGS__ };     \
		check_normalised(examples_, COUNT_OF(examples_));              \
	} while (0)

static void test_scheme(void **state)
{
	(void)state;
	CHECK({ "http://a", "http://a/" },
	      { "https://a", "https://a/" },
	      { "HTTPS://a/", "https://a/" },
	      { "ftp://a/", NULL },
	      { "file:///etc/passwd", NULL },
	      { "gopher://a:70/", NULL },
	      { "javascript:alert(1)", NULL },
	      { "httpx://a/", NULL },
	      { "http", NULL },
	      { "http:", NULL },
	      { "http:a", NULL },
	      { "http:/a", NULL },
	      { "http:\\\\a", NULL },
	      { "//a/b", NULL },
	      { "/a", NULL },
	      { "", NULL },
	      { " http://a/", NULL });
}

static void test_host_name(void **state)
{
	(void)state;
	CHECK({ "http://EXAMPLE.Org/", "http://example.org/" },
	      { "http://example.org./", "http://example.org/" },
	      { "http://example.org.:8080/", "http://example.org:8080/" },
	      { "http://ex%41mple.org/", "http://example.org/" },
	      { "http://a_b.example/", "http://a_b.example/" },
	      { "http://localhost", "http://localhost/" },
	      { "http://1.example/", "http://1.example/" },
	      { "http://1a/", "http://1a/" },
	      { "http://0xg/", "http://0xg/" },
	      { "http:///path", NULL },
	      { "http://", NULL },
	      { "http://?q", NULL },
	      { "http://./", NULL },
	      { "http://.a/", NULL },
	      { "http://a..b/", NULL },
	      { "http://a../", NULL },
	      { "http://a b/", NULL },
	      { "http://a%20b/", NULL },
	      { "http://a%00b/", NULL },
	      { "http://a%2Fb/", NULL },
	      { "http://a%2525/", NULL },
	      { "http://a%/", NULL },
	      { "http://a%3A80/", NULL },
	      { "http://a%40b/", NULL },
	      { "http://a<b/", NULL },
	      { "http://a,b/", NULL },
	      { "http://*.example/", NULL },
	      { "http://a\\b/", NULL },
	      { "http://good.example\\@evil.example/", NULL });
}

static void test_host_length(void **state)
{
	char text[400] = "http://";

	(void)state;
	memset(text + 7, 'a', 63);
	memcpy(text + 70, ".b/", 4);
	check_normalised(&(struct example){ text, text }, 1);
	memset(text + 7, 'a', 64);
	memcpy(text + 71, ".b/", 4);
	check_normalised(&(struct example){ text, NULL }, 1);
	for (int i = 0; i < 253; i++)
		text[7 + i] = i % 50 == 49 ? '.' : 'a';
	memcpy(text + 7 + 253, "/", 2);
	check_normalised(&(struct example){ text, text }, 1);
	memcpy(text + 7 + 253, "a/", 3);
	check_normalised(&(struct example){ text, NULL }, 1);
}

static void test_international_host(void **state)
{
	(void)state;
	CHECK({ "http://b\u00fccher.example/", "http://xn--bcher-kva.example/" },
	      { "http://B\u00dcCHER.example/", "http://xn--bcher-kva.example/" },
	      { "http://b%C3%BCcher.example/", "http://xn--bcher-kva.example/" },
	      { "http://bu\u0308cher.example/", "http://xn--bcher-kva.example/" },
	      { "http://XN--BCHER-KVA.example/", "http://xn--bcher-kva.example/" },
	      { "http://fa\u00df.de/", "http://xn--fa-hia.de/" },
	      { "http://\u4f8b\u3048.\u30c6\u30b9\u30c8/", "http://xn--r8jz45g.xn--zckzah/" },
	      { "http://example\u3002org/", "http://example.org/" },
	      { "http://ex\u00adample.org/", "http://example.org/" },
	      { "http://\uff45xample.org/", "http://example.org/" },
	      { "http://a\uff0fb.example/", NULL },	/* becomes '/' */
	      { "http://a\uff03b.example/", NULL },	/* '#' */
	      { "http://a\u2100b.example/", NULL },	/* "a/c" */
	      { "http://\xff.example/", NULL },
	      { "http://%FF.example/", NULL });
}

static void test_ipv4(void **state)
{
	(void)state;
	CHECK({ "http://127.0.0.1/", "http://127.0.0.1/" },
	      { "http://127.1/", "http://127.0.0.1/" },
	      { "http://127.0.1/", "http://127.0.0.1/" },
	      { "http://0x7f.1/", "http://127.0.0.1/" },
	      { "http://0X7F.0X1/", "http://127.0.0.1/" },
	      { "http://0x7f000001/", "http://127.0.0.1/" },
	      { "http://2130706433/", "http://127.0.0.1/" },
	      { "http://017700000001/", "http://127.0.0.1/" },
	      { "http://0177.0.0.1/", "http://127.0.0.1/" },
	      { "http://0000177.00.0x0.01/", "http://127.0.0.1/" },
	      { "http://127.0.0.1./", "http://127.0.0.1/" },
	      { "http://%31%32%37.0.0.1/", "http://127.0.0.1/" },
	      { "http://\u2460\u2461\u2466.0.0.1/", "http://127.0.0.1/" },
	      { "http://127\u30020\u30020\u30021/", "http://127.0.0.1/" },
	      { "http://\uff11\uff12\uff17.1/", "http://127.0.0.1/" },
	      { "http://0/", "http://0.0.0.0/" },
	      { "http://0x/", "http://0.0.0.0/" },
	      { "http://0xa9fea9fe/", "http://169.254.169.254/" },
	      { "http://169.254.43518/", "http://169.254.169.254/" },
	      { "http://4294967295/", "http://255.255.255.255/" },
	      { "http://255.255.65535/", "http://255.255.255.255/" },
	      { "http://4294967296/", NULL },
	      { "http://99999999999999999999999999/", NULL },
	      { "http://0xfffffffffffffffffffffff/", NULL },
	      { "http://18446744073709551617/", NULL },	/* 2^64 + 1 */
	      { "http://0x1000000007f000001/", NULL },
	      { "http://1.0x10000000000000000/", NULL },
	      { "http://1.2.3.256/", NULL },
	      { "http://256.1/", NULL },
	      { "http://1.2.65536/", NULL },
	      { "http://1.2.3.4.5/", NULL },
	      { "http://1.2.3.09/", NULL },
	      { "http://a.b.1/", NULL },
	      { "http://1.2.3.08/", NULL },
	      { "http://foo.0x4/", NULL },
	      { "http://1..2/", NULL },
	      { "http://-1/", "http://-1/" });
}

static void test_ipv6(void **state)
{
	(void)state;
	CHECK({ "http://[::1]/", "http://[::1]/" },
	      { "http://[0:0:0:0:0:0:0:1]/", "http://[::1]/" },
	      { "http://[::]/", "http://[::]/" },
	      { "http://[2001:DB8::00A]:8080/", "http://[2001:db8::a]:8080/" },
	      { "http://[2001:db8:0:0:1:0:0:1]/", "http://[2001:db8::1:0:0:1]/" },
	      { "http://[2001:db8:0:1:1:1:1:1]/", "http://[2001:db8:0:1:1:1:1:1]/" },
	      { "http://[2001:0:0:1:0:0:0:1]/", "http://[2001:0:0:1::1]/" },
	      { "http://[1:2:3:4:5:6:0:0]/", "http://[1:2:3:4:5:6::]/" },
	      { "http://[1:2:3:4:5:6:7::]/", "http://[1:2:3:4:5:6:7:0]/" },
	      { "http://[::ffff:7f00:1]/", "http://[::ffff:127.0.0.1]/" },
	      { "http://[::FFFF:127.0.0.1]:443/", "http://[::ffff:127.0.0.1]:443/" },
	      { "http://[::127.0.0.1]/", "http://[::7f00:1]/" },
	      { "http://[64:ff9b::10.0.0.1]/", "http://[64:ff9b::a00:1]/" },
	      { "http://[]/", NULL },
	      { "http://[::1/", NULL },
	      { "http://::1/", NULL },
	      { "http://[::1]a/", NULL },
	      { "http://a[::1]/", NULL },
	      { "http://[:::]/", NULL },
	      { "http://[1:2:3:4:5:6:7:8:9]/", NULL },
	      { "http://[12345::]/", NULL },
	      { "http://[fe80::1%25eth0]/", NULL },
	      { "http://[fe80::1%eth0]/", NULL },
	      { "http://[%3A%3A1]/", NULL },
	      { "http://[v1.a]/", NULL },
	      { "http://[127.0.0.1]/", NULL },
	      { "http://[::127.1]/", NULL },
	      { "http://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]/", NULL });
}

static void test_port(void **state)
{
	(void)state;
	CHECK({ "http://a:80/", "http://a/" },
	      { "https://a:443/", "https://a/" },
	      { "http://a:443/", "http://a:443/" },
	      { "https://a:80/", "https://a:80/" },
	      { "http://a:/", "http://a/" },
	      { "http://[::1]:/", "http://[::1]/" },
	      { "http://a:00080/", "http://a/" },
	      { "http://a:1", "http://a:1/" },
	      { "http://a:65535/", "http://a:65535/" },
	      { "http://a:65536/", NULL },
	      { "http://a:4294967376/", NULL },
	      { "http://a:99999999999999999999/", NULL },
	      { "http://a:0/", NULL },
	      { "http://a:-1/", NULL },
	      { "http://a:+1/", NULL },
	      { "http://a: 80/", NULL },
	      { "http://a:8a/", NULL },
	      { "http://a:80:80/", NULL });
}

static void test_path(void **state)
{
	(void)state;
	CHECK({ "http://a?x", "http://a/?x" },
	      { "http://a#x", "http://a/" },
	      { "http://a/b#c#d", "http://a/b" },
	      { "http://a/B", "http://a/B" },
	      { "http://a/.", "http://a/" },
	      { "http://a/..", "http://a/" },
	      { "http://a/../../../b", "http://a/b" },
	      { "http://a/b/c/./../../g", "http://a/g" },
	      { "http://a/b/.", "http://a/b/" },
	      { "http://a/b/..", "http://a/" },
	      { "http://a/b/../", "http://a/" },
	      { "http://a/b/c/..", "http://a/b/" },
	      { "http://a/%2e%2E/b", "http://a/b" },
	      { "http://a/b/%2e./c", "http://a/c" },
	      { "http://a/b/.%2e", "http://a/" },
	      { "http://a/b/%2E/c", "http://a/b/c" },
	      { "http://a/%252e%252e/b", "http://a/%252e%252e/b" },
	      { "http://a/.../b", "http://a/.../b" },
	      { "http://a/..b/.c/d..", "http://a/..b/.c/d.." },
	      { "http://a/b;/../c", "http://a/c" },
	      { "http://a//b///c", "http://a//b///c" },
	      { "http://a//..", "http://a/" },
	      { "http://a/b//../c", "http://a/b/c" },
	      { "http://a/.//b", "http://a//b" },
	      { "http://a/b\\..\\c", "http://a/b%5C..%5Cc" },
	      { "http://a/%2F../b", "http://a/%2F../b" },
	      { "http://a/b%2f%2e%2e/c", "http://a/b%2F../c" },
	      { "http://a/x@y:z", "http://a/x@y:z" });
}

static void test_percent_encoding(void **state)
{
	(void)state;
	CHECK({ "http://a/%7euser", "http://a/~user" },
	      { "http://a/%41%5a%61%7A%30%39%2D%2E%5F%7E", "http://a/AZaz09-._~" },
	      { "http://a/b c", "http://a/b%20c" },
	      { "http://a/b%20c ", "http://a/b%20c%20" },
	      { "http://a/%c3%a9", "http://a/%C3%A9" },
	      { "http://a/\u00e9", "http://a/%C3%A9" },
	      { "http://a/\xff", "http://a/%FF" },
	      { "http://a/%2f%3f%23%25", "http://a/%2F%3F%23%25" },
	      { "http://a/%26%2B%3D%40%3A", "http://a/%26%2B%3D%40%3A" },
	      { "http://a/!$&'()*+,;=:@", "http://a/!$&'()*+,;=:@" },
	      { "http://a/\"<>[]^`{|}", "http://a/%22%3C%3E%5B%5D%5E%60%7B%7C%7D" },
	      { "http://a/100%", "http://a/100%25" },
	      { "http://a/%4", "http://a/%254" },
	      { "http://a/%zz%4g", "http://a/%25zz%254g" },
	      { "http://a/%%41", "http://a/%25A" },
	      { "http://a/%4%31", "http://a/%2541" },
	      { "http://a/%00%0a", "http://a/%00%0A" },
	      { "http://a/?%7e%2f /?:@[]|%", "http://a/?~%2F%20/?:@%5B%5D%7C%25" },
	      { "http://a/?a=../..&b=%2e%2e", "http://a/?a=../..&b=.." },
	      { "http://a/?a+b%20c", "http://a/?a+b%20c" },
	      { "http://a/?", "http://a/?" },
	      { "http://a/??", "http://a/??" },
	      { "http://a/?x#?y", "http://a/?x" });
}

static void test_control_bytes_are_refused(void **state)
{
	(void)state;
	CHECK({ "http://a/\n", NULL },
	      { "http://a/\r\nHost: b", NULL },
	      { "ht\ttp://a/", NULL },
	      { "http://a/b\tc", NULL },
	      { "http://a/?\x01", NULL },
	      { "http://a/#\x1f", NULL },
	      { "http://a/\x7f", NULL },
	      { "http://u\n@a/", NULL });
}

static void test_length_is_limited(void **state)
{
	char *text = malloc(65536 + 2);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 65536 + 1);
	memcpy(text, "http://a/", 9);
	text[65536 + 1] = '\0';
	check_normalised(&(struct example){ text, NULL }, 1);
	text[65536] = '\0';
	check_normalised(&(struct example){ text, text }, 1);
	free(text);
}

static void test_parts(void **state)
{
	struct url u;
	char *text;

	(void)state;
	assert_int_equal(url_parse("https://me:p%40ss@[2001:DB8::1]:8443/a%20b/?q=1#f", &u, NULL), 0);
	assert_string_equal(u.scheme, "https");
	assert_string_equal(u.user, "me:p%40ss");
	assert_string_equal(u.host, "2001:db8::1");
	assert_int_equal(u.port, 8443);
	assert_string_equal(u.path, "/a%20b/");
	assert_string_equal(u.query, "q=1");
	text = url_format(&u);
	assert_string_equal(text, "https://[2001:db8::1]:8443/a%20b/?q=1");
	free(text);
	text = url_origin(&u);
	assert_string_equal(text, "https://[2001:db8::1]:8443");
	free(text);
	url_fini(&u);
	url_fini(&u);

	assert_int_equal(url_parse("http://host", &u, NULL), 0);
	assert_null(u.user);
	assert_int_equal(u.port, 80);
	assert_string_equal(u.path, "/");
	assert_null(u.query);
	url_fini(&u);

	assert_int_equal(url_parse("https://host/?", &u, NULL), 0);
	assert_int_equal(u.port, 443);
	assert_string_equal(u.query, "");
	text = url_origin(&u);
	assert_string_equal(text, "https://host");
	free(text);
	url_fini(&u);
}

static void test_user(void **state)
{
	(void)state;
	CHECK({ "http://user@a/", "http://a/" },
	      { "http://user:secret@a:81/", "http://a:81/" },
	      { "http://@a/", "http://a/" },
	      { "http://good.example@evil.example/", "http://evil.example/" },
	      { "http://good.example:80@evil.example/", "http://evil.example/" },
	      { "http://a/@b", "http://a/@b" },
	      { "http://a?@b", "http://a/?@b" },
	      { "http://a#@b", "http://a/" },
	      { "http://u@", NULL },
	      { "http://u@v@a/", NULL },
	      { "http://a:80@/", NULL });
}

static void test_reasons(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "ftp://a/", "neither http nor https" },
		{ "http:a", "no // after the scheme" },
		{ "http://a/\n", "control character" },
		{ "http://a\\b/", "backslash before the path" },
		{ "http://u@v@a/", "more than one @ before the host" },
		{ "http:///", "no host" },
		{ "http://a..b/", "empty label in the host name" },
		{ "http://a b/", "character that no host name has" },
		{ "http://1.2.3.256/", "bad IPv4 address" },
		{ "http://[::1/", "bad IPv6 address" },
		{ "http://[::1]a/", "bad IPv6 address" },
		{ "http://\xff/", "not an internationalised host name" },
		{ "http://a:0/", "bad port" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *reason = NULL;
		struct url u;

		assert_int_equal(url_parse(cases[i].text, &u, &reason), -EINVAL);
		assert_string_equal(reason, cases[i].reason);
	}
}

/* RFC 3986 5.4, as far as it is about http. */
static void test_resolve(void **state)
{
	static const struct example examples[] = {
		{ "http:g", NULL },
		{ "g:h", NULL },
		{ "g", "http://a/b/c/g" },
		{ "./g", "http://a/b/c/g" },
		{ "g/", "http://a/b/c/g/" },
		{ "/g", "http://a/g" },
		{ "//g", "http://g/" },
		{ "?y", "http://a/b/c/d;p?y" },
		{ "g?y", "http://a/b/c/g?y" },
		{ "#s", "http://a/b/c/d;p?q" },
		{ "g#s", "http://a/b/c/g" },
		{ "g?y#s", "http://a/b/c/g?y" },
		{ ";x", "http://a/b/c/;x" },
		{ "g;x", "http://a/b/c/g;x" },
		{ "", "http://a/b/c/d;p?q" },
		{ ".", "http://a/b/c/" },
		{ "./", "http://a/b/c/" },
		{ "..", "http://a/b/" },
		{ "../", "http://a/b/" },
		{ "../g", "http://a/b/g" },
		{ "../..", "http://a/" },
		{ "../../g", "http://a/g" },
		{ "../../../g", "http://a/g" },
		{ "/./g", "http://a/g" },
		{ "/../g", "http://a/g" },
		{ "g.", "http://a/b/c/g." },
		{ "..g", "http://a/b/c/..g" },
		{ "./g/.", "http://a/b/c/g/" },
		{ "g/../h", "http://a/b/c/h" },
		{ "g;x=1/../y", "http://a/b/c/y" },
		{ "g?y/../x", "http://a/b/c/g?y/../x" },
		{ "g#s/../x", "http://a/b/c/g" },
		/* and more */
		{ "?", "http://a/b/c/d;p?" },
		{ "%2e%2e/g", "http://a/b/g" },
		{ "a b", "http://a/b/c/a%20b" },
		{ "x/y:z", "http://a/b/c/x/y:z" },
		{ "./y:z", "http://a/b/c/y:z" },
		{ "1:2", "http://a/b/c/1:2" },
		{ " \n g \t", "http://a/b/c/g" },
		{ "HTTPS://B:444/x/../y", "https://b:444/y" },
		{ "//B:80/x", "http://b/x" },
		{ "//u@b/", "http://b/" },
		{ "\\\\b\\c", "http://a/b/c/%5C%5Cb%5Cc" },
		{ "///g", NULL },
		{ "//", NULL },
		{ "file:///etc/passwd", NULL },
		{ "javascript:void(0)", NULL },
		{ "mailto:a@b", NULL },
		{ "data:,x", NULL },
		{ "g\nh", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(examples); i++) {
		const struct example *e = &examples[i];
		char *got = NULL;
		int err = url_resolve("http://a/b/c/d;p?q", e->text, &got);

		if (err != (e->normal ? 0 : -EINVAL) || (got && strcmp(got, e->normal)))
			fail_msg("%s: %d, %s, not %s", e->text, err, got, e->normal);
		free(got);
	}
}

static void test_resolve_keeps_the_origin_of_its_base(void **state)
{
	char *got = NULL;

	(void)state;
	assert_int_equal(url_resolve("https://[::1]:8443", "x", &got), 0);
	assert_string_equal(got, "https://[::1]:8443/x");
	free(got);
	assert_int_equal(url_resolve("https://a/b", "//c/d", &got), 0);
	assert_string_equal(got, "https://c/d");
	free(got);
	assert_int_equal(url_resolve("nonsense", "d", &got), -EINVAL);
	assert_int_equal(url_resolve("nonsense", "http://a", &got), 0);
	free(got);
}

static void test_same_origin(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "http://a/x", "http://A:80/y?z", true },
		{ "https://a/", "https://a.:443", true },
		{ "http://[::1]/", "http://[0::1]:80/", true },
		{ "http://127.1/", "http://127.0.0.1/", true },
		{ "http://a/", "https://a/", false },
		{ "http://a:443/", "https://a/", false },
		{ "http://a/", "http://a:81/", false },
		{ "http://a/", "http://b/", false },
		{ "http://a/", "http://a.b/", false },
		{ "http://a@b/", "http://a/", false },
		{ "nonsense", "nonsense", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (url_same_origin(cases[i].a, cases[i].b) != cases[i].same)
			fail_msg("%s, %s", cases[i].a, cases[i].b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scheme),
		cmocka_unit_test(test_host_name),
		cmocka_unit_test(test_host_length),
		cmocka_unit_test(test_international_host),
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_percent_encoding),
		cmocka_unit_test(test_control_bytes_are_refused),
		cmocka_unit_test(test_length_is_limited),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_resolve_keeps_the_origin_of_its_base),
		cmocka_unit_test(test_same_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
