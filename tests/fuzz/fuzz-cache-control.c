/* A byte for the policy, one for the status, then a header section: the verdict
 * makes sense, and more directives that forbid never allow more. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../fetch/cache_control.h"
#include "../../fetch/freshness.h"

#define NOW_MS INT64_C(1767225600123)	/* 2026-01-01 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct freshness_policy policy_of(uint8_t bits)
{
	return (struct freshness_policy){
		.shared = bits & 1,
		.authorized = bits & 2,
		.targeted = bits & 4 ? "CDN-Cache-Control:B" : NULL,
		.ttl_ms = bits & 8 ? 60000 : -1,
		.max_ttl_ms = bits & 16 ? 3600000 : -1,
		.default_ttl_ms = bits & 32 ? 5000 : 0,
		.negative_ttl_ms = 10000,
		.stale_if_error_ms = bits & 64 ? 7000 : 0,
		.stale_while_revalidate_ms = bits & 128 ? 8000 : 0,
	};
}

static int status_of(uint8_t choice)
{
	static const int statuses[] = { 200, 404, 206, 301, 302, 410, 500, 599, 304, 103 };

	return statuses[choice % (sizeof(statuses) / sizeof(statuses[0]))];
}

static void check_seconds(int64_t s)
{
	assert(s >= -1 && s <= CACHE_CONTROL_MAX_S);
}

static void check_parsed(const struct headers *h, const char *targets)
{
	struct cache_control cc;

	cache_control_select(h, targets, &cc);
	check_seconds(cc.max_age_s);
	check_seconds(cc.s_maxage_s);
	check_seconds(cc.stale_while_revalidate_s);
	check_seconds(cc.stale_if_error_s);
	assert(!cc.targeted || (targets && !cc.invalid));
}

static void check_verdict(const struct freshness_policy *policy,
			  const struct freshness_verdict *v)
{
	assert(v->reason && *v->reason);
	assert(v->lifetime_ms >= 0 && v->age_ms >= 0 && v->swr_ms >= 0 && v->sie_ms >= 0);
	if (!v->store)
		assert(!v->lifetime_ms && !v->age_ms && !v->swr_ms && !v->sie_ms);
	if (v->must_revalidate)
		assert(!v->swr_ms && !v->sie_ms);
	if (policy->max_ttl_ms >= 0 && policy->ttl_ms < 0)
		assert(v->lifetime_ms <= policy->max_ttl_ms);
}

static void check_stricter(const struct freshness_policy *policy, struct freshness_input *in,
			   struct headers *h, const struct freshness_verdict *before)
{
	struct freshness_verdict v;
	struct cache_control cc;

	if (policy->targeted || headers_add(h, "Cache-Control", "no-cache") < 0)
		return;
	freshness_verdict(policy, in, &v);
	assert(v.store == before->store);
	if (v.store)
		assert(v.must_revalidate && (policy->ttl_ms >= 0 || v.lifetime_ms == 0));
	if (headers_add(h, "Cache-Control", "no-store") < 0)
		return;
	cache_control_select(h, policy->targeted, &cc);
	freshness_verdict(policy, in, &v);
	assert(cc.no_store && (!v.store || cc.must_understand));
}

static void check_drop(struct headers *h, const struct freshness_policy *policy)
{
	size_t n = h->n;

	cache_control_drop_fields(h, policy->targeted, policy->shared);
	assert(h->n <= n);
	n = h->n;
	cache_control_drop_fields(h, policy->targeted, policy->shared);
	assert(h->n <= n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct headers h = HEADERS_INIT;
	struct freshness_policy policy;
	struct freshness_verdict v;
	struct freshness_input in;
	size_t pos = 2;

	if (len < pos)
		return 0;
	policy = policy_of(data[0]);
	while (pos < len) {
		const uint8_t *end = memchr(data + pos, '\n', len - pos);
		size_t line_len = end ? (size_t)(end - data) + 1 - pos : len - pos;

		headers_add_line(&h, (const char *)data + pos, line_len);
		pos += line_len;
	}
	in = (struct freshness_input){ .status = status_of(data[1]), .headers = &h,
				       .request_ms = NOW_MS - 250, .response_ms = NOW_MS };
	check_parsed(&h, policy.targeted);
	freshness_verdict(&policy, &in, &v);
	check_verdict(&policy, &v);
	check_stricter(&policy, &in, &h, &v);
	check_drop(&h, &policy);
	headers_fini(&h);
	return 0;
}
