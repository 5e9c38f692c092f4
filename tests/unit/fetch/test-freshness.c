/* May it be stored, and for how long is it fresh? Each case names what asks for
 * it; those of the public http-tests/cache-tests suite are here by their values.
 *
 * In the header sections, @N is the HTTP date N seconds after the response. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../../fetch/freshness.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW_S INT64_C(1767225600)	/* 2026-01-01 00:00:00 */
#define DAY 86400

enum who { PRIVATE, SHARED, AUTHORIZED_PRIVATE, AUTHORIZED_SHARED, TARGETED };

static void append_date(struct buf *to, int64_t s)
{
	time_t t = (time_t)s;
	char text[40];
	struct tm tm;

	assert_non_null(gmtime_r(&t, &tm));
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	buf_str_append(to, text);
}

static void parse_section(const char *text, struct headers *ret)
{
	struct buf full = BUF_INIT;

	while (*text) {
		if (*text == '@') {
			char *end;

			append_date(&full, NOW_S + strtoll(text + 1, &end, 10));
			text = end;
		} else {
			buf_char(&full, *text++);
		}
	}
	assert_true(buf_ok(&full));
	assert_int_equal(headers_parse(buf_str(&full), ret), 0);
	buf_fini(&full);
}

static struct freshness_policy policy_of(enum who who)
{
	return (struct freshness_policy){
		.shared = who == SHARED || who == AUTHORIZED_SHARED || who == TARGETED,
		.authorized = who == AUTHORIZED_PRIVATE || who == AUTHORIZED_SHARED,
		.ttl_ms = -1,
		.max_ttl_ms = -1,
		.negative_ttl_ms = 10 * 1000,
		.targeted = who == TARGETED ? "CDN-Cache-Control" : NULL,
	};
}

static void judge(const struct freshness_policy *policy, int status, const char *section,
		  struct freshness_verdict *ret)
{
	struct freshness_input in = {
		.status = status,
		.request_ms = NOW_S * 1000,
		.response_ms = NOW_S * 1000,
	};
	struct headers h;

	parse_section(section, &h);
	in.headers = &h;
	freshness_verdict(policy, &in, ret);
	headers_fini(&h);
	assert_non_null(ret->reason);
	assert_true(ret->lifetime_ms >= 0 && ret->age_ms >= 0);
	assert_true(ret->swr_ms >= 0 && ret->sie_ms >= 0);
	assert_true(ret->store || (!ret->lifetime_ms && !ret->swr_ms && !ret->sie_ms &&
				   !ret->age_ms));
}

/* --- for how long is it fresh, from when it came? --- */

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

/* --- may it be stored? --- */

static const struct store_case {
	const char *rfc;
	enum who who;
	int status;
	const char *section;
	const char *why_not;		/* NULL: stored */
} store_cases[] = {
	{ "9111 5.2.2.5", PRIVATE, 200, "Cache-Control: no-store\n", "no-store" },
	{ "9111 5.2.2.5 case", PRIVATE, 200, "Cache-Control: No-StOrE\n", "no-store" },
	{ "9111 5.2.2.5", PRIVATE, 200, "Cache-Control: max-age=10000, no-store\nExpires: @10000\n",
	  "no-store" },
	{ "9111 5.2.2.5 second line", PRIVATE, 200, "Cache-Control: max-age=10000\nCache-Control: no-store\n",
	  "no-store" },
	{ "9111 5.2.2.4", PRIVATE, 200, "Cache-Control: no-cache\nETag: \"a\"\n", NULL },

	{ "9111 5.2.2.7", SHARED, 200, "Cache-Control: private, max-age=3600\n", "private" },
	{ "9111 5.2.2.7", PRIVATE, 200, "Cache-Control: private, max-age=3600\n", NULL },
	{ "9111 5.2.2.7 fields", SHARED, 200, "Cache-Control: private=\"a\", max-age=3600\n", NULL },
	{ "9111 5.2.2.7 no fields", SHARED, 200, "Cache-Control: private=\"\", max-age=3600\n", "private" },
	{ "9213 2.2", TARGETED, 200, "CDN-Cache-Control: private\nCache-Control: max-age=10000\n", "private" },
	{ "9213 2.2", TARGETED, 200, "CDN-Cache-Control: no-store\nCache-Control: max-age=10000\n",
	  "no-store" },
	{ "9213 2.1 invalid", TARGETED, 200, "CDN-Cache-Control: max-age=10000, &&&&&\n"
	  "Cache-Control: no-store\n", "no-store" },

	{ "9111 3.5", AUTHORIZED_SHARED, 200, "Cache-Control: max-age=3600\nDate: @0\n", "Authorization" },
	{ "9111 3.5", AUTHORIZED_SHARED, 200, "Cache-Control: max-age=3600, proxy-revalidate\n",
	  "Authorization" },
	{ "9111 3.5", AUTHORIZED_SHARED, 200, "Last-Modified: @-86400\n", "Authorization" },
	{ "9111 3.5 public", AUTHORIZED_SHARED, 200, "Cache-Control: max-age=3600, public\n", NULL },
	{ "9111 3.5 must-revalidate", AUTHORIZED_SHARED, 200, "Cache-Control: max-age=3600, must-revalidate\n",
	  NULL },
	{ "9111 3.5 s-maxage", AUTHORIZED_SHARED, 200, "Cache-Control: s-maxage=3600\n", NULL },
	{ "9111 3.5 shared caches only", AUTHORIZED_PRIVATE, 200, "Cache-Control: max-age=3600\n", NULL },

	{ "9111 4.1 Vary: *", PRIVATE, 200, "Cache-Control: max-age=3600\nVary: *\n", "Vary: *" },
	{ "9111 4.1 Vary: *", PRIVATE, 200, "Cache-Control: max-age=3600\nVary: a\nVary: b, *\n", "Vary: *" },
	{ "9111 4.1 other Vary", PRIVATE, 200, "Cache-Control: max-age=3600\nVary: Accept-*\n", NULL },

	/* Explicit freshness makes any final status cacheable (cache-tests: status). */
	{ "9111 3", PRIVATE, 200, "Cache-Control: max-age=5\n", NULL },
	{ "9111 3", PRIVATE, 299, "Cache-Control: max-age=5\n", NULL },
	{ "9111 3", PRIVATE, 302, "Cache-Control: max-age=5\n", NULL },
	{ "9111 3", PRIVATE, 303, "Cache-Control: max-age=5\n", NULL },
	{ "9111 3", PRIVATE, 307, "Cache-Control: max-age=5\n", NULL },
	{ "9111 3", PRIVATE, 400, "Cache-Control: max-age=5\n", NULL },
	{ "9111 3", PRIVATE, 499, "Cache-Control: max-age=5\n", NULL },
	{ "9111 3", PRIVATE, 500, "Cache-Control: max-age=5\n", NULL },
	{ "9111 3", PRIVATE, 502, "Expires: @5\n", NULL },
	{ "9111 3", PRIVATE, 503, "Cache-Control: public\n", NULL },
	{ "9111 3", PRIVATE, 504, "Cache-Control: private\n", NULL },
	{ "9111 3", PRIVATE, 599, "Cache-Control: max-age=5\n", NULL },
	{ "9111 3 s-maxage, shared", SHARED, 302, "Cache-Control: s-maxage=5\n", NULL },
	{ "9111 3 s-maxage, private", PRIVATE, 302, "Cache-Control: s-maxage=5\n", "status" },
	{ "9213 2.2 Expires is ignored", TARGETED, 302, "CDN-Cache-Control: foo\nExpires: @5\n", "status" },
	{ "9111 3 not by a validator", PRIVATE, 302, "ETag: \"a\"\nLast-Modified: @-86400\n", "status" },
	{ "9111 3", PRIVATE, 201, "Last-Modified: @-86400\n", "status" },
	{ "9111 3", PRIVATE, 202, "Last-Modified: @-86400\n", "status" },
	{ "9111 3", PRIVATE, 403, "Last-Modified: @-86400\n", "status" },
	{ "9111 3", PRIVATE, 500, "", "status" },
	{ "9111 3", PRIVATE, 502, "Last-Modified: @-86400\n", "status" },
	{ "9111 3", PRIVATE, 503, "Last-Modified: @-86400\n", "status" },
	{ "9111 3", PRIVATE, 504, "Last-Modified: @-86400\n", "status" },
	{ "9111 3", PRIVATE, 599, "Last-Modified: @-86400\n", "status" },
	{ "9111 3 not final", PRIVATE, 103, "Cache-Control: max-age=5\n", "no final response" },
	{ "9111 4.3.4 no response of its own", PRIVATE, 304, "Cache-Control: max-age=5\n",
	  "no final response" },

	{ "9111 5.2.2.3 understood", PRIVATE, 200, "Cache-Control: max-age=3600, no-store, must-understand\n",
	  NULL },
	{ "9111 5.2.2.3 understood", PRIVATE, 404, "Cache-Control: must-understand, no-store, max-age=5\n",
	  NULL },
	{ "9111 5.2.2.3 not understood", PRIVATE, 599,
	  "Cache-Control: max-age=3600, no-store, must-understand\n", "must-understand" },
	{ "9111 5.2.2.3 not understood", PRIVATE, 299, "Cache-Control: max-age=3600, must-understand\n",
	  "must-understand" },
	{ "9111 5.2.2.3 private all the same", SHARED, 200,
	  "Cache-Control: private, no-store, must-understand\n", "private" },
};

static void only_what_may_be_stored_is_stored(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(store_cases); i++) {
		const struct store_case *c = &store_cases[i];
		struct freshness_policy policy = policy_of(c->who);
		struct freshness_verdict v;

		judge(&policy, c->status, c->section, &v);
		if (v.store != !c->why_not || (c->why_not && strcmp(v.reason, c->why_not) != 0))
			fail_msg("%s: %d %s: %s\n%s", c->rfc, c->status,
				 v.store ? "stored" : "not stored", v.reason, c->section);
	}
}

/* RFC 9110 15.1: statuses for which a guess is allowed. */
static void only_some_statuses_are_heuristically_fresh(void **state)
{
	static const int heuristic[] = { 200, 203, 204, 206, 300, 301, 308, 405, 414, 501 };
	struct freshness_policy policy = policy_of(PRIVATE);
	struct freshness_verdict v;
	int status;
	size_t i;

	(void)state;
	for (status = 200; status < 600; status++) {
		bool allowed = status == 404 || status == 410;

		for (i = 0; i < COUNT(heuristic); i++)
			allowed |= heuristic[i] == status;
		judge(&policy, status, "Last-Modified: @-86400\nDate: @0\n", &v);
		assert_int_equal(v.store, allowed);
		assert_int_equal(v.heuristic, allowed);
		if (!allowed)
			continue;
		/* These two have a time of their own. */
		if (status == 404 || status == 410)
			assert_string_equal(v.reason, "negative_ttl");
		else
			assert_int_equal(v.lifetime_ms, DAY * 100);
	}
	/* ... unless it is marked as cacheable (RFC 9111 4.2.2). */
	judge(&policy, 599, "Last-Modified: @-86400\nDate: @0\nCache-Control: public\n", &v);
	assert_true(v.store && v.heuristic);
	assert_int_equal(v.lifetime_ms, DAY * 100);
	judge(&policy, 599, "Last-Modified: @-86400\nCache-Control: private\n", &v);
	assert_true(v.store);
	assert_int_equal(v.lifetime_ms, 0);
	judge(&policy, 200, "Cache-Control: max-age=5\n", &v);
	assert_false(v.heuristic);
}

/* --- what may be done when it is stale? --- */

static const struct stale_case {
	const char *rfc;
	enum who who;
	const char *section;
	bool must_revalidate;
	int64_t swr_s, sie_s;		/* 7 and 8: the policy's */
} stale_cases[] = {
	{ "the policy's", PRIVATE, "Cache-Control: max-age=1\n", false, 7, 8 },
	{ "the policy's", PRIVATE, "Last-Modified: @-86400\n", false, 7, 8 },
	{ "5861 3", PRIVATE, "Cache-Control: max-age=1, stale-while-revalidate=3600\n", false, 3600, 8 },
	{ "5861 4", PRIVATE, "Cache-Control: max-age=1, stale-if-error=60\n", false, 7, 60 },
	{ "5861 3, 4 zero", PRIVATE, "Cache-Control: stale-while-revalidate=0, stale-if-error=0\n", false,
	  0, 0 },
	{ "5861 3, 4 invalid", PRIVATE, "Cache-Control: stale-while-revalidate=x, stale-if-error\n", false,
	  0, 0 },
	{ "5861 3 large", PRIVATE, "Cache-Control: stale-while-revalidate=99999999999\n", false,
	  2147483648, 8 },
	{ "9111 5.2.2.2", PRIVATE, "Cache-Control: max-age=1, must-revalidate\n", true, 0, 0 },
	{ "9111 4.2.4 stronger than 5861", PRIVATE, "Cache-Control: max-age=1, must-revalidate, "
	  "stale-while-revalidate=60, stale-if-error=60\n", true, 0, 0 },
	{ "9111 5.2.2.8", SHARED, "Cache-Control: max-age=1, proxy-revalidate\n", true, 0, 0 },
	{ "9111 5.2.2.8 private cache", PRIVATE, "Cache-Control: max-age=1, proxy-revalidate\n", false, 7, 8 },
	{ "9111 5.2.2.10", SHARED, "Cache-Control: s-maxage=2\n", true, 0, 0 },
	{ "9111 5.2.2.10", SHARED, "Cache-Control: s-maxage=2, stale-while-revalidate=60\n", true, 0, 0 },
	{ "9111 5.2.2.10 private cache", PRIVATE, "Cache-Control: max-age=1, s-maxage=2\n", false, 7, 8 },
	{ "9111 5.2.2.4", PRIVATE, "Cache-Control: max-age=2, no-cache\n", true, 0, 0 },
	{ "9111 5.2.2.4 fields", PRIVATE, "Cache-Control: max-age=2, no-cache=\"a\"\n", false, 7, 8 },
	{ "9213 2.2", TARGETED, "CDN-Cache-Control: max-age=2, must-revalidate\n"
	  "Cache-Control: stale-if-error=60\n", true, 0, 0 },
	{ "9213 2.2", TARGETED, "CDN-Cache-Control: max-age=2, stale-if-error=60\n"
	  "Cache-Control: must-revalidate\n", false, 7, 60 },
};

static void stale_is_served_only_where_it_may_be(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(stale_cases); i++) {
		const struct stale_case *c = &stale_cases[i];
		struct freshness_policy policy = policy_of(c->who);
		struct freshness_verdict v;

		policy.stale_while_revalidate_ms = 7000;
		policy.stale_if_error_ms = 8000;
		judge(&policy, 200, c->section, &v);
		if (!v.store || v.must_revalidate != c->must_revalidate ||
		    v.swr_ms != c->swr_s * 1000 || v.sie_ms != c->sie_s * 1000)
			fail_msg("%s: swr %" PRId64 " sie %" PRId64 "%s\n%s", c->rfc, v.swr_ms,
				 v.sie_ms, v.must_revalidate ? " must-revalidate" : "",
				 c->section);
	}
}

static void immutable_is_told(void **state)
{
	struct freshness_policy policy = policy_of(PRIVATE);
	struct freshness_verdict v;

	(void)state;
	judge(&policy, 200, "Cache-Control: max-age=10000, immutable\n", &v);
	assert_true(v.immutable);
	judge(&policy, 200, "Cache-Control: max-age=10000\n", &v);
	assert_false(v.immutable);
}

/* --- what the mount's options change --- */

static const struct policy_case {
	const char *what;
	struct freshness_policy policy;
	int status;
	const char *section;
	int64_t lifetime_s, age_s;	/* lifetime -1: not stored */
	const char *reason;
} policy_cases[] = {
	{ "ttl forces", { .ttl_ms = 60000, .max_ttl_ms = -1 }, 200, "Cache-Control: max-age=5\n", 60, 0,
	  "ttl" },
	{ "ttl forces less", { .ttl_ms = 0, .max_ttl_ms = -1 }, 200, "Cache-Control: max-age=5\n", 0, 0,
	  "ttl" },
	{ "ttl forces against no-cache", { .ttl_ms = 60000, .max_ttl_ms = -1 }, 200,
	  "Cache-Control: no-cache\n", 60, 0, "ttl" },
	{ "ttl forces against Expires", { .ttl_ms = 60000, .max_ttl_ms = -1 }, 301, "Expires: 0\n", 60, 0,
	  "ttl" },
	{ "ttl counts from the response", { .ttl_ms = 60000, .max_ttl_ms = -1 }, 200,
	  "Age: 600\nDate: @-900\n", 60, 0, "ttl" },
	{ "ttl is above max_ttl", { .ttl_ms = 60000, .max_ttl_ms = 1000 }, 200, "", 60, 0, "ttl" },
	{ "ttl does not store what may not be", { .ttl_ms = 60000, .max_ttl_ms = -1 }, 200,
	  "Cache-Control: no-store\n", -1, 0, "no-store" },
	{ "ttl does not store what is private",
	  { .ttl_ms = 60000, .max_ttl_ms = -1, .shared = true }, 200, "Cache-Control: private\n", -1, 0,
	  "private" },
	{ "ttl is not for 404", { .ttl_ms = 60000, .max_ttl_ms = -1, .negative_ttl_ms = 1000 }, 404, "",
	  1, 0, "negative_ttl" },
	{ "ttl is not for errors", { .ttl_ms = 60000, .max_ttl_ms = -1 }, 500, "Cache-Control: max-age=5\n",
	  5, 0, "max-age" },
	{ "ttl is not for passing redirects", { .ttl_ms = 60000, .max_ttl_ms = -1 }, 302, "", -1, 0,
	  "status" },
	{ "ttl is not for passing redirects", { .ttl_ms = 60000, .max_ttl_ms = -1 }, 302,
	  "Cache-Control: max-age=5\n", 5, 0, "max-age" },
	{ "default_ttl is not for passing redirects",
	  { .ttl_ms = -1, .max_ttl_ms = -1, .default_ttl_ms = 60000 }, 302, "Cache-Control: public\n", 0, 0,
	  "no freshness" },
	{ "default_ttl", { .ttl_ms = -1, .max_ttl_ms = -1, .default_ttl_ms = 60000 }, 200, "", 60, 0,
	  "default_ttl" },
	{ "default_ttl ages too", { .ttl_ms = -1, .max_ttl_ms = -1, .default_ttl_ms = 60000 }, 200,
	  "Age: 20\n", 60, 20, "default_ttl" },
	{ "default_ttl is behind explicit", { .ttl_ms = -1, .max_ttl_ms = -1, .default_ttl_ms = 60000 },
	  200, "Cache-Control: max-age=0\n", 0, 0, "max-age" },
	{ "default_ttl is behind no-cache", { .ttl_ms = -1, .max_ttl_ms = -1, .default_ttl_ms = 60000 },
	  200, "Cache-Control: no-cache\n", 0, 0, "no-cache" },
	{ "default_ttl is behind heuristics", { .ttl_ms = -1, .max_ttl_ms = -1, .default_ttl_ms = 60000 },
	  200, "Last-Modified: @-100\n", 10, 0, "heuristic" },
	{ "default_ttl is not for errors", { .ttl_ms = -1, .max_ttl_ms = -1, .default_ttl_ms = 60000 },
	  405, "", 0, 0, "no freshness" },
	{ "default_ttl is not for errors", { .ttl_ms = -1, .max_ttl_ms = -1, .default_ttl_ms = 60000 },
	  503, "Cache-Control: public\n", 0, 0, "no freshness" },
	{ "negative_ttl", { .ttl_ms = -1, .max_ttl_ms = -1, .negative_ttl_ms = 60000 }, 404, "", 60, 0,
	  "negative_ttl" },
	{ "negative_ttl", { .ttl_ms = -1, .max_ttl_ms = -1, .negative_ttl_ms = 60000 }, 410,
	  "Last-Modified: @-100\n", 60, 0, "negative_ttl" },
	{ "negative_ttl is behind explicit", { .ttl_ms = -1, .max_ttl_ms = -1, .negative_ttl_ms = 60000 },
	  404, "Cache-Control: max-age=5\n", 5, 0, "max-age" },
	{ "negative_ttl is behind explicit", { .ttl_ms = -1, .max_ttl_ms = -1, .negative_ttl_ms = 60000 },
	  404, "Expires: 0\n", 0, 0, "invalid Expires" },
	{ "negative_ttl is for these two", { .ttl_ms = -1, .max_ttl_ms = -1, .negative_ttl_ms = 60000 },
	  405, "", 0, 0, "no freshness" },
	{ "max_ttl", { .ttl_ms = -1, .max_ttl_ms = 2000 }, 200, "Cache-Control: max-age=5\n", 2, 0,
	  "max_ttl" },
	{ "max_ttl caps guesses too", { .ttl_ms = -1, .max_ttl_ms = 2000 }, 200, "Last-Modified: @-86400\n",
	  2, 0, "max_ttl" },
	{ "max_ttl is no least", { .ttl_ms = -1, .max_ttl_ms = 2000 }, 200, "Cache-Control: max-age=1\n", 1,
	  0, "max-age" },
	{ "max_ttl 0", { .ttl_ms = -1, .max_ttl_ms = 0 }, 200, "Cache-Control: max-age=1\n", 0, 0,
	  "max_ttl" },
	{ "negative settings mean 0", { .ttl_ms = -1, .max_ttl_ms = -1, .default_ttl_ms = -1,
	  .stale_if_error_ms = -1, .stale_while_revalidate_ms = -1 }, 200, "", 0, 0, "default_ttl" },
	{ "targets in order", { .ttl_ms = -1, .max_ttl_ms = -1, .targeted = "A:B" }, 200,
	  "B: max-age=2\nA: max-age=1\n", 1, 0, "targeted max-age" },
};

static void options_change_what_they_say(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(policy_cases); i++) {
		const struct policy_case *c = &policy_cases[i];
		struct freshness_verdict v;

		judge(&c->policy, c->status, c->section, &v);
		if (v.store != (c->lifetime_s >= 0) || strcmp(v.reason, c->reason) != 0 ||
		    (v.store && (v.lifetime_ms != c->lifetime_s * 1000 ||
				 v.age_ms != c->age_s * 1000)))
			fail_msg("%s: %s %" PRId64 " ms, age %" PRId64 " ms by %s", c->what,
				 v.store ? "stored" : "not stored", v.lifetime_ms, v.age_ms,
				 v.reason);
	}
}

static void ttl_and_no_cache_ask_again_when_stale(void **state)
{
	struct freshness_policy policy = policy_of(PRIVATE);
	struct freshness_verdict v;

	(void)state;
	policy.ttl_ms = 60000;
	policy.stale_if_error_ms = 8000;
	judge(&policy, 200, "Cache-Control: no-cache\n", &v);
	assert_int_equal(v.lifetime_ms, 60000);
	assert_true(v.must_revalidate);
	assert_int_equal(v.sie_ms, 0);
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
		cmocka_unit_test(only_what_may_be_stored_is_stored),
		cmocka_unit_test(only_some_statuses_are_heuristically_fresh),
		cmocka_unit_test(stale_is_served_only_where_it_may_be),
		cmocka_unit_test(immutable_is_told),
		cmocka_unit_test(options_change_what_they_say),
		cmocka_unit_test(ttl_and_no_cache_ask_again_when_stale),
		cmocka_unit_test(age_is_corrected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
