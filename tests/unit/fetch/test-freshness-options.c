/* What the options of a mount change. */
#include "freshness-tools.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_change_what_they_say),
		cmocka_unit_test(ttl_and_no_cache_ask_again_when_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
