/* For how long is it fresh? Each case names what asks for it; those of the public
 * http-tests/cache-tests suite are here by their values. */
#include "freshness-tools.h"

static const struct fresh_case {
	const char *rfc;
	enum who who;
	const char *section;
	int64_t fresh_s;		/* lifetime - age; 0: stale at once */
	const char *reason;
} fresh_cases[] = {
	{ "nothing said", PRIVATE, "", 0, "default_ttl" },
	{ "nothing said", PRIVATE, "Date: @0\n", 0, "default_ttl" },

	/* max-age (cache-tests: cc-freshness) */
	{ "9111 5.2.2.1", PRIVATE, "Cache-Control: max-age=3600\n", 3600, "max-age" },
	{ "9111 5.2.2.1", SHARED, "Cache-Control: max-age=3600\n", 3600, "max-age" },
	{ "9111 5.2.2.1 zero", PRIVATE, "Cache-Control: max-age=0\n", 0, "max-age" },
	{ "9111 1.2.2", PRIVATE, "Cache-Control: max-age=2147483647\n", 2147483647, "max-age" },
	{ "9111 1.2.2", PRIVATE, "Cache-Control: max-age=2147483648\n", 2147483648, "max-age" },
	{ "9111 1.2.2", PRIVATE, "Cache-Control: max-age=2147483649\n", 2147483648, "max-age" },
	{ "9111 1.2.2", PRIVATE, "Cache-Control: max-age=99999999999\n", 2147483648, "max-age" },
	{ "9111 4.2.1 negative", PRIVATE, "Cache-Control: max-age=-3600\n", 0, "max-age" },
	{ "9111 4.2.1 invalid beats Expires", PRIVATE, "Cache-Control: max-age=x\nExpires: @3600\n", 0,
	  "max-age" },
	{ "9111 4.2.1 quote not closed", PRIVATE, "Cache-Control: max-age=3600, a=\"b\n", 0,
	  "invalid Cache-Control" },
	{ "9111 5.2.3 extension", PRIVATE, "Cache-Control: foobar, max-age=3600\n", 3600, "max-age" },
	{ "9111 5.2 case", PRIVATE, "Cache-Control: MaX-aGe=3600\n", 3600, "max-age" },
	{ "9111 5.3 max-age beats Expires", PRIVATE,
	  "Cache-Control: max-age=3600\nExpires: @-7200\nDate: @0\n", 3600, "max-age" },
	{ "9111 5.3 max-age beats Expires", PRIVATE,
	  "Cache-Control: max-age=3600\nExpires: 0\nDate: @0\n", 3600, "max-age" },
	{ "9111 5.3 max-age beats Expires", PRIVATE,
	  "Expires: @3600\nCache-Control: max-age=0\nDate: @0\n", 0, "max-age" },
	{ "9111 4.2.1 first of two", PRIVATE, "Cache-Control: max-age=1800, max-age=1\n", 1800,
	  "max-age" },
	{ "9111 4.2.1 first of two", PRIVATE, "Cache-Control: max-age=1\nCache-Control: max-age=1800\n",
	  1, "max-age" },
	{ "9110 5.6.4 hidden in quotes", PRIVATE, "Cache-Control: e=\"max-age=3600\", max-age=1\n", 1,
	  "max-age" },

	/* s-maxage */
	{ "9111 5.2.2.10", SHARED, "Cache-Control: s-maxage=3600\n", 3600, "s-maxage" },
	{ "9111 5.2.2.10", SHARED, "Cache-Control: max-age=3600, s-maxage=1\n", 1, "s-maxage" },
	{ "9111 5.2.2.10", SHARED, "Cache-Control: s-maxage=1, max-age=3600\n", 1, "s-maxage" },
	{ "9111 5.2.2.10", SHARED, "Cache-Control: max-age=3600\nCache-Control: s-maxage=1\n", 1,
	  "s-maxage" },
	{ "9111 5.2.2.10", SHARED, "Cache-Control: max-age=1, s-maxage=3600\n", 3600, "s-maxage" },
	{ "9111 5.2.2.10", SHARED, "Expires: @-10\nCache-Control: max-age=0, s-maxage=3600\n", 3600,
	  "s-maxage" },
	{ "9111 5.2.2.10 invalid", SHARED, "Cache-Control: s-maxage=x, max-age=3600\n", 0, "s-maxage" },
	{ "9111 5.2.2.10 private cache", PRIVATE, "Cache-Control: s-maxage=3600, max-age=1\n", 1,
	  "max-age" },
	{ "9111 5.2.2.10 private cache", PRIVATE, "Cache-Control: s-maxage=3600\nCache-Control: max-age=1\n",
	  1, "max-age" },
	{ "9111 5.2.2.10 private cache", PRIVATE, "Cache-Control: s-maxage=3600\nExpires: @5\n", 5,
	  "Expires" },

	/* Expires (cache-tests: expires-freshness, expires-parse) */
	{ "9111 5.3", PRIVATE, "Expires: @3600\nDate: @0\n", 3600, "Expires" },
	{ "9111 5.3 past", PRIVATE, "Expires: @-3600\nDate: @0\n", 0, "Expires" },
	{ "9111 5.3 present", PRIVATE, "Expires: @0\nDate: @0\n", 0, "Expires" },
	{ "9111 4.2.1 older than Date", PRIVATE, "Expires: @300\nDate: @400\n", 0, "Expires" },
	{ "9111 4.2.1 less Date, not now", PRIVATE, "Expires: @900\nDate: @600\n", 300, "Expires" },
	{ "9110 6.6.1 no Date", PRIVATE, "Expires: @3600\n", 3600, "Expires" },
	{ "9110 6.6.1 invalid Date", PRIVATE, "Date: foo\nExpires: @10\n", 10, "Expires" },
	{ "9111 5.3 invalid", PRIVATE, "Expires: 0\nDate: @0\n", 0, "invalid Expires" },
	{ "9111 5.3 invalid", PRIVATE, "Expires:\nDate: @0\n", 0, "invalid Expires" },
	{ "9111 5.3 invalid, no guess", PRIVATE, "Expires: -1\nLast-Modified: @-86400\nDate: @0\n", 0,
	  "invalid Expires" },
	{ "9111 5.3 invalid zone", PRIVATE, "Expires: Thu, 18 Aug 2050 02:01:18 UTC\n", 0,
	  "invalid Expires" },
	{ "9111 5.3 invalid lines", PRIVATE, "Expires: Thu, 18 Aug 2050 2:01:18 GMT\n"
	  "Expires: Thu, 18 Aug 2050 2:01:19 GMT\n", 0, "invalid Expires" },
	{ "9111 4.2.1 first line", PRIVATE, "Expires: @5\nExpires: @3600\nDate: @0\n", 5, "Expires" },
	{ "9110 5.6.7 RFC 850", PRIVATE, "Expires: Thursday, 18-Aug-50 02:01:18 GMT\n",
	  2544400878 - NOW_S, "Expires" },
	{ "9110 5.6.7 asctime", PRIVATE, "Expires: Thu Aug 18 02:01:18 2050\n", 2544400878 - NOW_S,
	  "Expires" },
	{ "9111 4.2 case", PRIVATE, "Expires: THU, 18 AUG 2050 02:01:18 gMT\n", 2544400878 - NOW_S,
	  "Expires" },
	{ "9111 5.3 far future", PRIVATE, "Expires: Fri, 31 Dec 9999 23:59:59 GMT\nDate: @0\n",
	  253402300799 - NOW_S, "Expires" },

	/* Age (cache-tests: age-parse) */
	{ "9111 4.2.3", PRIVATE, "Cache-Control: max-age=3600\nAge: 600\n", 3000, "max-age" },
	{ "9111 4.2.3", PRIVATE, "Date: @0\nCache-Control: max-age=3600\nAge: 7200\n", 0, "max-age" },
	{ "9111 4.2.3", PRIVATE, "Date: @-10\nExpires: @10\nAge: 25\n", 0, "Expires" },
	{ "9111 4.2.3", PRIVATE, "Date: @10\nExpires: @20\nAge: 15\n", 0, "Expires" },
	{ "9111 4.2.3 apparent age", PRIVATE, "Date: @-7200\nCache-Control: max-age=3600\n", 0, "max-age" },
	{ "9111 4.2.3 apparent age", PRIVATE, "Date: @-600\nCache-Control: max-age=3600\n", 3000,
	  "max-age" },
	{ "9111 4.2.3 the larger one", PRIVATE, "Date: @-600\nAge: 60\nCache-Control: max-age=3600\n", 3000,
	  "max-age" },
	{ "9111 4.2.3 the larger one", PRIVATE, "Date: @-60\nAge: 600\nCache-Control: max-age=3600\n", 3000,
	  "max-age" },
	{ "9111 4.2.3 Date ahead", PRIVATE, "Date: @600\nCache-Control: max-age=3600\n", 3600, "max-age" },
	{ "9111 4.2.3 Date invalid", PRIVATE, "Date: 0\nCache-Control: max-age=3600\n", 3600, "max-age" },
	{ "9111 5.1 not a number", PRIVATE, "Cache-Control: max-age=3600\nAge: abc\n", 3600, "max-age" },
	{ "9111 5.1 negative", PRIVATE, "Cache-Control: max-age=3600\nAge: -7200\n", 3600, "max-age" },
	{ "9111 5.1 fraction", PRIVATE, "Cache-Control: max-age=3600\nAge: 7200.0\n", 3600, "max-age" },
	{ "9111 5.1 empty", PRIVATE, "Cache-Control: max-age=3600\nAge:\n", 3600, "max-age" },
	{ "9111 5.1 parameter", PRIVATE, "Cache-Control: max-age=3600\nAge: 7200;foo=bar\n", 3600,
	  "max-age" },
	{ "9111 1.2.2 large", PRIVATE, "Cache-Control: max-age=3600\nAge: 2147483647\n", 0, "max-age" },
	{ "9111 1.2.2 large", PRIVATE, "Cache-Control: max-age=3600\nAge: 2147483648\n", 0, "max-age" },
	{ "9111 1.2.2 large", PRIVATE, "Cache-Control: max-age=3600\nAge: 99999999999999999999\n", 0,
	  "max-age" },
	{ "9111 1.2.2 both large", PRIVATE, "Cache-Control: max-age=99999999999\nAge: 99999999999\n", 0,
	  "max-age" },
	{ "9111 5.1 first of a list", PRIVATE, "Cache-Control: max-age=3600\nAge: 7200, 0\n", 0,
	  "max-age" },
	{ "9111 5.1 first of a list", PRIVATE, "Cache-Control: max-age=3600\nAge: 0, 7200\n", 3600,
	  "max-age" },
	{ "9111 5.1 first line", PRIVATE, "Cache-Control: max-age=3600\nAge: 7200\nAge: 0\n", 0,
	  "max-age" },
	{ "9111 5.1 first line", PRIVATE, "Cache-Control: max-age=3600\nAge: 0\nAge: 7200\n", 3600,
	  "max-age" },
	{ "9111 5.1 the same twice", PRIVATE, "Cache-Control: max-age=10000\nAge: 3600\nAge: 3600\n", 6400,
	  "max-age" },

	/* heuristic */
	{ "9111 4.2.2", PRIVATE, "Last-Modified: @-86400\nDate: @0\n", DAY / 10, "heuristic" },
	{ "9111 4.2.2", SHARED, "Last-Modified: @-100000\nDate: @0\n", 10000, "heuristic" },
	{ "9111 4.2.2 no Date", PRIVATE, "Last-Modified: @-86400\n", DAY / 10, "heuristic" },
	{ "9111 4.2.2 by Date, not now", PRIVATE, "Last-Modified: @-1000\nDate: @1000\n", 200, "heuristic" },
	{ "9111 4.2.2 just changed", PRIVATE, "Last-Modified: @0\nDate: @0\n", 0, "heuristic" },
	{ "9111 4.2.2 changed later", PRIVATE, "Last-Modified: @5\nDate: @0\n", 0, "default_ttl" },
	{ "9111 4.2.2 invalid", PRIVATE, "Last-Modified: yesterday\nDate: @0\n", 0, "default_ttl" },
	{ "9111 4.2.2 not if explicit", PRIVATE, "Last-Modified: @-86400\nCache-Control: max-age=5\n", 5,
	  "max-age" },
	{ "9111 4.2.2 not if explicit", PRIVATE, "Last-Modified: @-86400\nExpires: @5\n", 5, "Expires" },
	{ "9111 4.2.2 not if explicit", PRIVATE, "Last-Modified: @-86400\nCache-Control: max-age=x\n", 0,
	  "max-age" },
	{ "9111 4.2.2 s-maxage is not for us", PRIVATE, "Last-Modified: @-86400\nCache-Control: s-maxage=5\n",
	  DAY / 10, "heuristic" },
	{ "9111 4.2.2 public and private say nothing", PRIVATE,
	  "Last-Modified: @-86400\nCache-Control: public, private\n", DAY / 10, "heuristic" },
	{ "9111 4.2.3 it ages", PRIVATE, "Last-Modified: @-86400\nDate: @0\nAge: 40\n", DAY / 10 - 40,
	  "heuristic" },

	/* no-cache, Pragma */
	{ "9111 5.2.2.4", PRIVATE, "Cache-Control: max-age=10000, no-cache\nExpires: @10000\nDate: @0\n", 0,
	  "no-cache" },
	{ "9111 5.2.2.4 case", PRIVATE, "Cache-Control: max-age=10000, No-CaChE\n", 0, "no-cache" },
	{ "9111 5.2.2.4 fields", PRIVATE, "Cache-Control: no-cache=\"a\"\nCache-Control: max-age=3600\n",
	  3600, "max-age" },
	{ "9111 5.4", PRIVATE, "Cache-Control: max-age=3600\nPragma: no-cache\n", 3600, "max-age" },
	{ "9111 5.4", PRIVATE, "Last-Modified: @-10000\nDate: @0\nPragma: no-cache\n", 1000, "heuristic" },
	{ "9111 5.4", PRIVATE, "Cache-Control: max-age=3600\nPragma: x\n", 3600, "max-age" },
	{ "9111 5.2.2.2", PRIVATE, "Cache-Control: max-age=10000, must-revalidate\n", 10000, "max-age" },

	/* targeted (cache-tests: cdn-cache-control) */
	{ "9213 2.2", TARGETED, "CDN-Cache-Control: max-age=3600\n", 3600, "targeted max-age" },
	{ "9213 2.2", TARGETED, "CDN-Cache-Control: max-age=99999999999\n", 2147483648,
	  "targeted max-age" },
	{ "9213 2.2 Age", TARGETED, "Date: @0\nCDN-Cache-Control: max-age=3600\nAge: 7200\n", 0,
	  "targeted max-age" },
	{ "9213 2.2 zero", TARGETED, "CDN-Cache-Control: max-age=0\n", 0, "targeted max-age" },
	{ "9213 2.2 beats Expires", TARGETED, "CDN-Cache-Control: max-age=3600\nExpires: @-10000\n", 3600,
	  "targeted max-age" },
	{ "9213 2.2 beats Expires", TARGETED, "CDN-Cache-Control: max-age=3600\nExpires: 0\n", 3600,
	  "targeted max-age" },
	{ "9213 2.2 beats Expires", TARGETED, "CDN-Cache-Control: max-age=0\nExpires: @10000\n", 0,
	  "targeted max-age" },
	{ "9213 2.2 Expires is ignored", TARGETED, "CDN-Cache-Control: foo\nExpires: @10000\n", 0,
	  "default_ttl" },
	{ "9213 2.2 beats Cache-Control", TARGETED, "Cache-Control: max-age=1\nCDN-Cache-Control: max-age=3600\n",
	  3600, "targeted max-age" },
	{ "9213 2.2 beats Cache-Control", TARGETED, "Cache-Control: max-age=3600\nCDN-Cache-Control: max-age=1\n",
	  1, "targeted max-age" },
	{ "9213 2.2 beats no-store", TARGETED, "Cache-Control: no-store\nCDN-Cache-Control: max-age=10000\n",
	  10000, "targeted max-age" },
	{ "9213 2.2 beats private", TARGETED, "Cache-Control: private\nCDN-Cache-Control: max-age=10000\n",
	  10000, "targeted max-age" },
	{ "9213 2.2 no-cache", TARGETED, "CDN-Cache-Control: no-cache\nCache-Control: max-age=10000\n", 0,
	  "targeted no-cache" },
	{ "9213 2.2 s-maxage", TARGETED, "CDN-Cache-Control: s-maxage=5, max-age=1\n", 5,
	  "targeted s-maxage" },
	{ "9213 2.1 invalid falls back", TARGETED, "CDN-Cache-Control: max-age =100\nCache-Control: max-age=1\n",
	  1, "max-age" },
	{ "9213 2.1 empty falls back", TARGETED, "CDN-Cache-Control:\nExpires: @5\n", 5, "Expires" },
	{ "9213 2.2 not on our list", SHARED, "CDN-Cache-Control: no-store\nCache-Control: max-age=1\n", 1,
	  "max-age" },
};

static void a_response_is_fresh_for_as_long_as_it_says(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(fresh_cases); i++) {
		const struct fresh_case *c = &fresh_cases[i];
		struct freshness_policy policy = policy_of(c->who);
		struct freshness_verdict v;
		int64_t fresh_ms;

		judge(&policy, 200, c->section, &v);
		fresh_ms = v.lifetime_ms > v.age_ms ? v.lifetime_ms - v.age_ms : 0;
		if (!v.store || fresh_ms != c->fresh_s * 1000 || strcmp(v.reason, c->reason) != 0)
			fail_msg("%s: fresh for %" PRId64 " ms by %s%s, not %" PRId64 " s by %s:\n%s",
				 c->rfc, fresh_ms, v.reason, v.store ? "" : " and not stored",
				 c->fresh_s, c->reason, c->section);
	}
}

/* --- the clock (RFC 9111 4.2.3) --- */

static const struct age_case {
	const char *what;
	int64_t request_ms, response_ms;	/* after NOW_S */
	const char *section;
	int64_t age_ms;
} age_cases[] = {
	{ "no delay", 0, 0, "", 0 },
	{ "response delay", 0, 1500, "", 1500 },
	{ "delay adds to Age", 0, 1500, "Age: 10\n", 11500 },
	{ "delay does not add to the apparent age", -1500, 0, "Date: @-10\n", 10000 },
	{ "the clock went back meanwhile", 5000, 0, "Age: 10\n", 10000 },
	{ "Date has whole seconds only", 999, 999, "Date: @0\n", 0 },
	{ "Date has whole seconds only", 1000, 1000, "Date: @0\n", 1000 },
	{ "Date in the future", 0, 0, "Date: @100\n", 0 },
};

static void age_is_corrected(void **state)
{
	struct freshness_policy policy = policy_of(PRIVATE);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(age_cases); i++) {
		const struct age_case *c = &age_cases[i];
		struct freshness_input in = {
			.status = 200,
			.request_ms = NOW_S * 1000 + c->request_ms,
			.response_ms = NOW_S * 1000 + c->response_ms,
		};
		struct freshness_verdict v;
		struct headers h;

		parse_section(c->section, &h);
		in.headers = &h;
		freshness_verdict(&policy, &in, &v);
		headers_fini(&h);
		if (v.age_ms != c->age_ms)
			fail_msg("%s: %" PRId64 ", not %" PRId64, c->what, v.age_ms, c->age_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_response_is_fresh_for_as_long_as_it_says),
		cmocka_unit_test(age_is_corrected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
