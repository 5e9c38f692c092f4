#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "../../../fetch/address.h"
#include "../../../fetch/url.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static enum address_class classify(const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return address_classify((const struct sockaddr *)&v4);
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) != 1)
		fail_msg("%s is no address", text);
	return address_classify((const struct sockaddr *)&v6);
}

struct example {
	const char *text;
	enum address_class class;
};

static void check_classes(const struct example *examples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum address_class got = classify(examples[i].text);

		if (got != examples[i].class)
			fail_msg("%s: %s, not %s", examples[i].text, address_class_name(got),
				 address_class_name(examples[i].class));
	}
}

/* First and last address of each block, and the neighbours. */
static void test_ipv4(void **state)
{
	static const struct example examples[] = {
		{ "0.0.0.0", ADDRESS_UNSPECIFIED },
		{ "0.255.255.255", ADDRESS_UNSPECIFIED },
		{ "1.0.0.0", ADDRESS_PUBLIC },
		{ "1.1.1.1", ADDRESS_PUBLIC },
		{ "9.255.255.255", ADDRESS_PUBLIC },
		{ "10.0.0.0", ADDRESS_PRIVATE },
		{ "10.255.255.255", ADDRESS_PRIVATE },
		{ "11.0.0.0", ADDRESS_PUBLIC },
		{ "100.63.255.255", ADDRESS_PUBLIC },
		{ "100.64.0.0", ADDRESS_SHARED },
		{ "100.127.255.255", ADDRESS_SHARED },
		{ "100.128.0.0", ADDRESS_PUBLIC },
		{ "126.255.255.255", ADDRESS_PUBLIC },
		{ "127.0.0.0", ADDRESS_LOOPBACK },
		{ "127.0.0.1", ADDRESS_LOOPBACK },
		{ "127.255.255.255", ADDRESS_LOOPBACK },
		{ "128.0.0.0", ADDRESS_PUBLIC },
		{ "169.253.255.255", ADDRESS_PUBLIC },
		{ "169.254.0.0", ADDRESS_LINK_LOCAL },
		{ "169.254.169.254", ADDRESS_LINK_LOCAL },
		{ "169.254.255.255", ADDRESS_LINK_LOCAL },
		{ "169.255.0.0", ADDRESS_PUBLIC },
		{ "172.15.255.255", ADDRESS_PUBLIC },
		{ "172.16.0.0", ADDRESS_PRIVATE },
		{ "172.31.255.255", ADDRESS_PRIVATE },
		{ "172.32.0.0", ADDRESS_PUBLIC },
		{ "191.255.255.255", ADDRESS_PUBLIC },
		{ "192.0.0.0", ADDRESS_PROTOCOL },
		{ "192.0.0.170", ADDRESS_PROTOCOL },
		{ "192.0.0.255", ADDRESS_PROTOCOL },
		{ "192.0.1.0", ADDRESS_PUBLIC },
		{ "192.0.2.0", ADDRESS_DOCUMENTATION },
		{ "192.0.2.255", ADDRESS_DOCUMENTATION },
		{ "192.0.3.0", ADDRESS_PUBLIC },
		{ "192.31.196.1", ADDRESS_PUBLIC },
		{ "192.52.193.1", ADDRESS_PUBLIC },
		{ "192.88.98.255", ADDRESS_PUBLIC },
		{ "192.88.99.0", ADDRESS_TUNNEL },
		{ "192.88.99.255", ADDRESS_TUNNEL },
		{ "192.88.100.0", ADDRESS_PUBLIC },
		{ "192.167.255.255", ADDRESS_PUBLIC },
		{ "192.168.0.0", ADDRESS_PRIVATE },
		{ "192.168.255.255", ADDRESS_PRIVATE },
		{ "192.169.0.0", ADDRESS_PUBLIC },
		{ "192.175.48.1", ADDRESS_PUBLIC },
		{ "198.17.255.255", ADDRESS_PUBLIC },
		{ "198.18.0.0", ADDRESS_BENCHMARK },
		{ "198.19.255.255", ADDRESS_BENCHMARK },
		{ "198.20.0.0", ADDRESS_PUBLIC },
		{ "198.51.99.255", ADDRESS_PUBLIC },
		{ "198.51.100.0", ADDRESS_DOCUMENTATION },
		{ "198.51.100.255", ADDRESS_DOCUMENTATION },
		{ "198.51.101.0", ADDRESS_PUBLIC },
		{ "203.0.112.255", ADDRESS_PUBLIC },
		{ "203.0.113.0", ADDRESS_DOCUMENTATION },
		{ "203.0.113.255", ADDRESS_DOCUMENTATION },
		{ "203.0.114.0", ADDRESS_PUBLIC },
		{ "223.255.255.255", ADDRESS_PUBLIC },
		{ "224.0.0.0", ADDRESS_MULTICAST },
		{ "239.255.255.255", ADDRESS_MULTICAST },
		{ "240.0.0.0", ADDRESS_RESERVED },
		{ "255.255.255.254", ADDRESS_RESERVED },
		{ "255.255.255.255", ADDRESS_BROADCAST },
	};

	(void)state;
	check_classes(examples, COUNT_OF(examples));
}

static void test_ipv6(void **state)
{
	static const struct example examples[] = {
		{ "::", ADDRESS_UNSPECIFIED },
		{ "::1", ADDRESS_LOOPBACK },
		{ "64:ff9a:ffff::", ADDRESS_RESERVED },
		{ "64:ff9b:0:0:0:1::", ADDRESS_RESERVED },
		{ "64:ff9b:1::", ADDRESS_TUNNEL },
		{ "64:ff9b:1:ffff:ffff:ffff:808:808", ADDRESS_TUNNEL },
		{ "64:ff9b:2::", ADDRESS_RESERVED },
		{ "100::", ADDRESS_DISCARD },
		{ "100::ffff:ffff:ffff:ffff", ADDRESS_DISCARD },
		{ "100:0:0:1::1", ADDRESS_DISCARD },
		{ "100:0:0:2::", ADDRESS_RESERVED },
		{ "1fff:ffff::", ADDRESS_RESERVED },
		{ "2000::", ADDRESS_PUBLIC },
		{ "2001::", ADDRESS_TUNNEL },
		{ "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_TUNNEL },
		{ "2001:1::1", ADDRESS_PROTOCOL },
		{ "2001:2::", ADDRESS_BENCHMARK },
		{ "2001:2:0:ffff::", ADDRESS_BENCHMARK },
		{ "2001:2:1::", ADDRESS_PROTOCOL },
		{ "2001:3::1", ADDRESS_PUBLIC },
		{ "2001:4:112::1", ADDRESS_PUBLIC },
		{ "2001:4:113::1", ADDRESS_PROTOCOL },
		{ "2001:10::1", ADDRESS_PROTOCOL },
		{ "2001:20::1", ADDRESS_PROTOCOL },
		{ "2001:1ff:ffff::", ADDRESS_PROTOCOL },
		{ "2001:200::", ADDRESS_PUBLIC },
		{ "2001:db7:ffff::", ADDRESS_PUBLIC },
		{ "2001:db8::", ADDRESS_DOCUMENTATION },
		{ "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_DOCUMENTATION },
		{ "2001:db9::", ADDRESS_PUBLIC },
		{ "2606:4700:4700::1111", ADDRESS_PUBLIC },
		{ "2620:4f:8000::1", ADDRESS_PUBLIC },
		{ "3ffe:ffff::", ADDRESS_PUBLIC },
		{ "3fff::", ADDRESS_DOCUMENTATION },
		{ "3fff:fff:ffff::", ADDRESS_DOCUMENTATION },
		{ "3fff:1000::", ADDRESS_PUBLIC },
		{ "4000::", ADDRESS_RESERVED },
		{ "5f00::1", ADDRESS_PROTOCOL },
		{ "5f01::", ADDRESS_RESERVED },
		{ "fbff:ffff::", ADDRESS_RESERVED },
		{ "fc00::", ADDRESS_PRIVATE },
		{ "fd00:ec2::254", ADDRESS_PRIVATE },
		{ "fdff:ffff::", ADDRESS_PRIVATE },
		{ "fe00::", ADDRESS_RESERVED },
		{ "fe80::1", ADDRESS_LINK_LOCAL },
		{ "febf:ffff::", ADDRESS_LINK_LOCAL },
		{ "fec0::", ADDRESS_PRIVATE },
		{ "feff:ffff::", ADDRESS_PRIVATE },
		{ "ff00::", ADDRESS_MULTICAST },
		{ "ff02::1", ADDRESS_MULTICAST },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_MULTICAST },
	};

	(void)state;
	check_classes(examples, COUNT_OF(examples));
}

static void test_embedded_ipv4(void **state)
{
	static const struct example examples[] = {
		{ "::ffff:127.0.0.1", ADDRESS_LOOPBACK },
		{ "::ffff:10.1.2.3", ADDRESS_PRIVATE },
		{ "::ffff:169.254.169.254", ADDRESS_LINK_LOCAL },
		{ "::ffff:0.0.0.0", ADDRESS_UNSPECIFIED },
		{ "::ffff:8.8.8.8", ADDRESS_PUBLIC },
		{ "::127.0.0.1", ADDRESS_LOOPBACK },
		{ "::192.168.0.1", ADDRESS_PRIVATE },
		{ "::2", ADDRESS_UNSPECIFIED },
		{ "::8.8.8.8", ADDRESS_PUBLIC },
		{ "::ffff:0:127.0.0.1", ADDRESS_LOOPBACK },
		{ "::ffff:0:8.8.8.8", ADDRESS_PUBLIC },
		{ "64:ff9b::127.0.0.1", ADDRESS_LOOPBACK },
		{ "64:ff9b::10.0.0.1", ADDRESS_PRIVATE },
		{ "64:ff9b::8.8.8.8", ADDRESS_PUBLIC },
		{ "2002:7f00:1::", ADDRESS_LOOPBACK },
		{ "2002:a00:1::1", ADDRESS_PRIVATE },
		{ "2002:a9fe:a9fe::1", ADDRESS_LINK_LOCAL },
		{ "2002:808:808::1", ADDRESS_PUBLIC },
	};

	(void)state;
	check_classes(examples, COUNT_OF(examples));
}

/* From the spelling in a URL to the verdict: what is used to get around rules. */
static void test_spellings_lead_nowhere(void **state)
{
	static const char *const urls[] = {
		"http://127.0.0.1/", "http://127.1/", "http://127.0.1/", "http://0/",
		"http://0.0.0.0/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/",
		"http://0X7F.0.0.1/", "http://0177.0.0.1/", "http://00000177.1/",
		"http://017700000001/", "http://127.0.0.1./", "http://%31%32%37.0.0.1/",
		"http://127%2E0%2E0%2E1/", "http://\u2460\u2461\u2466.0.0.1/",
		"http://127\u30020\u30020\u30021/", "http://\uff11\uff12\uff17.0.0.1/",
		"http://127.127.127.127/", "http://good.example@127.0.0.1/", "http://3232235521/",
		"http://192.168.257/", "http://0xc0a80001/", "http://169.254.169.254/",
		"http://2852039166/", "http://0xa9.0xfe.0xa9.0xfe/", "http://0251.0376.0251.0376/",
		"http://[::1]/", "http://[0000::0001]/", "http://[::]/", "http://[::127.0.0.1]/",
		"http://[::ffff:127.0.0.1]/", "http://[::FFFF:7f00:1]/",
		"http://[0:0:0:0:0:ffff:a9fe:a9fe]/", "http://[64:ff9b::7f00:1]/",
		"http://[2002:7f00:1::]/", "http://[fd00:ec2::254]/", "http://[fe80::1]/",
		"http://100.100.100.200/", "http://192.0.0.192/", "http://255.255.255.255/",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct url u;

		if (url_parse(urls[i], &u, NULL) < 0)
			fail_msg("%s", urls[i]);
		if (classify(u.host) == ADDRESS_PUBLIC)
			fail_msg("%s: %s is public", urls[i], u.host);
		url_fini(&u);
	}
}

static void test_other_families(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x08080808) };

	(void)state;
	assert_int_equal(address_classify((const struct sockaddr *)&un), ADDRESS_UNKNOWN);
	assert_false(address_is_public((const struct sockaddr *)&un));
	assert_true(address_is_public((const struct sockaddr *)&v4));
	v4.sin_addr.s_addr = htonl(0x0a000001);
	assert_false(address_is_public((const struct sockaddr *)&v4));
}

static void test_each_class_has_a_name(void **state)
{
	(void)state;
	for (int c = 0; c < ADDRESS_N; c++)
		assert_non_null(address_class_name(c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_embedded_ipv4),
		cmocka_unit_test(test_spellings_lead_nowhere),
		cmocka_unit_test(test_other_families),
		cmocka_unit_test(test_each_class_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
