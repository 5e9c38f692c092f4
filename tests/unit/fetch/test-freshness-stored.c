/* May it be stored? Each case names what asks for it. */
#include "freshness-tools.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_may_be_stored_is_stored),
		cmocka_unit_test(only_some_statuses_are_heuristically_fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
