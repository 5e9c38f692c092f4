/* What may be done when it is stale? Each case names what asks for it. */
#include "freshness-tools.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stale_is_served_only_where_it_may_be),
		cmocka_unit_test(immutable_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
