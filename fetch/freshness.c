#include "freshness.h"

#include <stddef.h>

#include "cache_control.h"
#include "fields.h"
#include "http_date.h"

/* Everything the rules look at. */
struct facts {
	const struct freshness_policy *policy;
	const struct freshness_input *in;
	struct cache_control cc;
	bool heuristic_status;
	int64_t response_s;
	int64_t date_s;			/* Date, else when the response came */
};

/* --- status --- */

/* RFC 9110 15.1 */
static bool is_heuristic_status(int status)
{
	static const int statuses[] = {
		200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501,
	};
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i] == status)
			return true;
	return false;
}

/* For must-understand: statuses of RFC 9110 15 and others that are registered, of
 * which nothing is known that would change how they are cached. */
static bool is_understood(int status)
{
	return (status >= 200 && status <= 206) || (status >= 300 && status <= 303) ||
	       status == 307 || status == 308 || (status >= 400 && status <= 417) ||
	       status == 421 || status == 422 || status == 426 || status == 451 ||
	       (status >= 500 && status <= 505);
}

static bool is_negative(int status)
{
	return status == 404 || status == 410;
}

/* What ttl and default_ttl are about. */
static bool is_lasting_success(const struct facts *f)
{
	return f->heuristic_status && f->in->status < 400;
}

/* --- dates and ages --- */

/* The first field of that name. 1: *ret_s; 0: there is none; -1: invalid. */
static int get_date(const struct facts *f, const char *name, int64_t *ret_s)
{
	const char *value = headers_get(f->in->headers, name);

	if (!value)
		return 0;
	return http_date_parse(value, f->response_s, ret_s) == 0 ? 1 : -1;
}

/* Age, of a list its first member; what is invalid is ignored (RFC 9111 5.1). */
static int64_t age_value_s(const struct headers *h)
{
	const char *value = headers_get(h, "Age");
	struct span rest, first;
	int64_t age_s;

	if (!value)
		return 0;
	rest = fields_span(value);
	if (!fields_next(&rest, ',', &first))
		return 0;
	age_s = cache_control_seconds(first.at, first.len);
	return age_s < 0 ? 0 : age_s;
}

/* RFC 9111 4.2.3. Date has whole seconds, so the response is taken to have come
 * at a whole second too: otherwise all would be half a second old on arrival. */
static int64_t corrected_initial_age_ms(const struct facts *f)
{
	int64_t apparent_ms = (f->response_s - f->date_s) * 1000;
	int64_t delay_ms = f->in->response_ms - f->in->request_ms;
	int64_t age_ms = age_value_s(f->in->headers) * 1000;

	if (delay_ms > 0)
		age_ms += delay_ms;
	return apparent_ms > age_ms ? apparent_ms : age_ms;
}

/* --- may it be stored? (RFC 9111 3) --- */

static bool varies_on_everything(const struct headers *h)
{
	const char *value;
	size_t i;

	for (i = 0; (value = headers_get_nth(h, "Vary", i)); i++)
		if (fields_list_has(value, "*"))
			return true;
	return false;
}

/* RFC 9111 3.5 */
static bool allows_authorized(const struct cache_control *cc)
{
	return cc->is_public || cc->must_revalidate || cc->s_maxage_s >= 0;
}

static bool is_marked_cacheable(const struct facts *f)
{
	const struct cache_control *cc = &f->cc;

	return cc->is_public || cc->max_age_s >= 0 ||
	       (f->policy->shared ? cc->s_maxage_s >= 0 : cc->is_private) ||
	       (!cc->targeted && headers_get(f->in->headers, "Expires"));
}

/* Why not; NULL: it may. */
static const char *why_not_stored(const struct facts *f)
{
	const struct cache_control *cc = &f->cc;
	int status = f->in->status;

	if (status < 200 || status == 304)
		return "no final response";
	if (cc->must_understand && !is_understood(status))
		return "must-understand";
	/* Understood, so no-store is for others (RFC 9111 5.2.2.3). */
	if (cc->no_store && !cc->must_understand)
		return "no-store";
	if (f->policy->shared && cc->is_private)
		return "private";
	if (f->policy->shared && f->policy->authorized && !allows_authorized(cc))
		return "Authorization";
	if (varies_on_everything(f->in->headers))
		return "Vary: *";
	if (!f->heuristic_status && !is_marked_cacheable(f))
		return "status";
	return NULL;
}

/* --- how long is it fresh? (RFC 9111 4.2) --- */

static void set_lifetime(struct freshness_verdict *v, int64_t ms, const char *reason)
{
	v->lifetime_ms = ms > 0 ? ms : 0;
	v->reason = reason;
}

/* RFC 9111 4.2.1. False: the response does not say. */
static bool explicit_lifetime(const struct facts *f, struct freshness_verdict *v)
{
	const struct cache_control *cc = &f->cc;
	int64_t expires_s;
	int found;

	if (cc->no_cache) {
		set_lifetime(v, 0, cc->targeted ? "targeted no-cache" : "no-cache");
	} else if (cc->invalid) {
		set_lifetime(v, 0, "invalid Cache-Control");
	} else if (f->policy->shared && cc->s_maxage_s >= 0) {
		set_lifetime(v, cc->s_maxage_s * 1000,
			     cc->targeted ? "targeted s-maxage" : "s-maxage");
	} else if (cc->max_age_s >= 0) {
		set_lifetime(v, cc->max_age_s * 1000,
			     cc->targeted ? "targeted max-age" : "max-age");
	} else {
		found = cc->targeted ? 0 : get_date(f, "Expires", &expires_s);
		if (found == 0)
			return false;
		if (found < 0)
			set_lifetime(v, 0, "invalid Expires");
		else
			set_lifetime(v, (expires_s - f->date_s) * 1000, "Expires");
	}
	return true;
}

/* A tenth of the time since it was changed (RFC 9111 4.2.2). False: unknown, or
 * it is not for guessing. */
static bool heuristic_lifetime(const struct facts *f, struct freshness_verdict *v)
{
	int64_t modified_s;

	if (!f->heuristic_status && !f->cc.is_public)
		return false;
	if (get_date(f, "Last-Modified", &modified_s) != 1 || modified_s > f->date_s)
		return false;
	set_lifetime(v, (f->date_s - modified_s) * 100, "heuristic");
	return true;
}

static void implied_lifetime(const struct facts *f, struct freshness_verdict *v)
{
	v->heuristic = true;
	if (is_negative(f->in->status)) {
		set_lifetime(v, f->policy->negative_ttl_ms, "negative_ttl");
	} else if (!heuristic_lifetime(f, v)) {
		if (is_lasting_success(f))
			set_lifetime(v, f->policy->default_ttl_ms, "default_ttl");
		else
			set_lifetime(v, 0, "no freshness");
	}
}

static void decide_lifetime(const struct facts *f, struct freshness_verdict *v)
{
	const struct freshness_policy *policy = f->policy;

	if (policy->ttl_ms >= 0 && is_lasting_success(f)) {
		/* From now on: however old, it is fresh for that long. */
		v->age_ms = 0;
		set_lifetime(v, policy->ttl_ms, "ttl");
		return;
	}
	if (!explicit_lifetime(f, v))
		implied_lifetime(f, v);
	if (policy->max_ttl_ms >= 0 && v->lifetime_ms > policy->max_ttl_ms)
		set_lifetime(v, policy->max_ttl_ms, "max_ttl");
}

/* --- and when it is stale? (RFC 9111 4.2.4, RFC 5861) --- */

static int64_t window_ms(int64_t said_s, int64_t policy_ms)
{
	if (said_s >= 0)
		return said_s * 1000;
	return policy_ms > 0 ? policy_ms : 0;
}

static void decide_stale(const struct facts *f, struct freshness_verdict *v)
{
	const struct cache_control *cc = &f->cc;

	v->must_revalidate = cc->must_revalidate || cc->no_cache ||
			     (f->policy->shared &&
			      (cc->proxy_revalidate || cc->s_maxage_s >= 0));
	if (v->must_revalidate)
		return;
	v->swr_ms = window_ms(cc->stale_while_revalidate_s,
			      f->policy->stale_while_revalidate_ms);
	v->sie_ms = window_ms(cc->stale_if_error_s, f->policy->stale_if_error_ms);
}

static void gather_dates(struct facts *f)
{
	const struct freshness_input *in = f->in;
	int64_t ms = in->response_ms % 1000;

	f->response_s = (in->response_ms - ms) / 1000 - (ms < 0);
	/* Without a usable Date, when it came takes its place (RFC 9110 6.6.1). */
	if (get_date(f, "Date", &f->date_s) != 1)
		f->date_s = f->response_s;
}

int64_t freshness_initial_age_ms(const struct freshness_input *in)
{
	struct facts f = { .in = in };

	gather_dates(&f);
	return corrected_initial_age_ms(&f);
}

static void gather(struct facts *f, const struct freshness_policy *policy,
		   const struct freshness_input *in)
{
	*f = (struct facts){ .policy = policy, .in = in };
	cache_control_select(in->headers, policy->targeted, &f->cc);
	f->heuristic_status = is_heuristic_status(in->status);
	gather_dates(f);
}

void freshness_verdict(const struct freshness_policy *policy,
		       const struct freshness_input *in, struct freshness_verdict *ret)
{
	struct facts f;

	gather(&f, policy, in);
	*ret = (struct freshness_verdict){ .reason = why_not_stored(&f) };
	if (ret->reason)
		return;
	ret->store = true;
	ret->immutable = f.cc.immutable;
	ret->age_ms = corrected_initial_age_ms(&f);
	decide_lifetime(&f, ret);
	decide_stale(&f, ret);
}
