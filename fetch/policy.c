/* policy.c - from a response's header section to what the index keeps of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/clock.h"
#include "cache_control.h"
#include "fetch_private.h"
#include "freshness.h"
#include "http_date.h"
#include "vary.h"

static int64_t add_sat(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static int copy_field(const struct headers *h, const char *name, char **ret)
{
	const char *value = headers_get(h, name);

	if (!value)
		return 0;
	*ret = strdup(value);
	return *ret ? 0 : -ENOMEM;
}

static void set_times(struct meta *m, const struct freshness_verdict *v)
{
	int64_t fresh_ms = v->lifetime_ms > v->age_ms ? v->lifetime_ms - v->age_ms : 0;
	int64_t stale_from;

	m->fresh_until_ms = add_sat(m->response_ms, fresh_ms);
	/* Stale windows begin where freshness ends, even when that is long ago. */
	stale_from = add_sat(m->response_ms, v->lifetime_ms - v->age_ms);
	m->swr_until_ms = v->swr_ms ? add_sat(stale_from, v->swr_ms) : 0;
	m->sie_until_ms = v->sie_ms ? add_sat(stale_from, v->sie_ms) : 0;
	m->usable_until_ms = m->fresh_until_ms;
	if (m->swr_until_ms > m->usable_until_ms)
		m->usable_until_ms = m->swr_until_ms;
	if (m->sie_until_ms > m->usable_until_ms)
		m->usable_until_ms = m->sie_until_ms;
	/* With a validator a stale body saves a transfer for ever. */
	if ((m->etag || m->last_modified) && m->status / 100 == 2)
		m->usable_until_ms = INT64_MAX;
}

/* RFC 9110 8.8.2.2: of what was changed in the second in which it was sent, it may be changed once
 * more, and have the same Last-Modified. */
static bool is_weak_date(const struct meta *m, const struct headers *h)
{
	int64_t now_s = m->response_ms / 1000, modified_s, date_s;
	const char *date = headers_get(h, "Date");

	if (!m->last_modified)
		return false;
	if (!date || http_date_parse(date, now_s, &date_s) < 0)
		date_s = now_s;
	return http_date_parse(m->last_modified, now_s, &modified_s) < 0 || modified_s >= date_s;
}

static void set_flags(struct meta *m, const struct headers *h,
		      const struct freshness_verdict *v)
{
	const char *ranges = headers_get(h, "Accept-Ranges");

	m->flags = 0;
	if (v->store)
		m->flags |= META_STORE;
	if (v->must_revalidate)
		m->flags |= META_MUST_REVALIDATE;
	if (v->heuristic)
		m->flags |= META_HEURISTIC;
	if (v->immutable)
		m->flags |= META_IMMUTABLE;
	if (ranges && strcasecmp(ranges, "bytes") == 0)
		m->flags |= META_RANGES;
	if (is_weak_date(m, h))
		m->flags |= META_WEAK_DATE;
}

/* What netrc would send is only known to curl. */
static bool sends_authorization(const struct policy *p, const struct header_lines *lines)
{
	return p->netrc || request_has_field(p->headers, "Authorization") ||
	       (lines && request_has_field((const char *const *)lines->lines, "Authorization"));
}

static void judge(const struct fetch *f, const char *key, const struct headers *h,
		  struct meta *m, const struct header_lines *lines,
		  struct freshness_verdict *ret)
{
	const struct policy *p = fetch_policy(f, key);
	const struct freshness_policy policy = {
		.shared = f->config.shared,
		.authorized = sends_authorization(p, lines),
		.ttl_ms = p->ttl_ms,
		.default_ttl_ms = p->default_ttl_ms,
		.max_ttl_ms = p->max_ttl_ms,
		.negative_ttl_ms = p->negative_ttl_ms,
		.stale_if_error_ms = p->stale_if_error_ms,
		.stale_while_revalidate_ms = p->stale_while_revalidate_ms,
		.targeted = p->targeted,
	};
	const struct freshness_input in = {
		.status = m->status,
		.headers = h,
		.request_ms = m->request_ms,
		.response_ms = m->response_ms,
	};

	freshness_verdict(&policy, &in, ret);
	if (ret->store && !policy_stores(f->config.policies, p, key))
		*ret = (struct freshness_verdict){ .reason = "bypass" };
}

/* Those that the cache itself needs, and that describe the body. */
static bool is_usual(const char *name)
{
	static const char *const usual[] = {
		"Accept-Ranges", "Age", "Cache-Control", "Cache-Tag", "Date", "Digest", "ETag",
		"Expires", "Last-Modified", "Link", "Location", "Pragma", "Repr-Digest",
		"Retry-After", "Surrogate-Control", "Surrogate-Key", "Vary",
	};

	if (strncasecmp(name, "Content-", 8) == 0)
		return true;
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (strcasecmp(name, usual[i]) == 0)
			return true;
	return false;
}

/* The fields that may be kept (not those that no-cache or private name), and are of use. */
static int render_kept(const struct fetch *f, const struct policy *p, const struct headers *h,
		       struct buf *text)
{
	_cleanup_(headers_fini) struct headers kept = HEADERS_INIT;
	_cleanup_(buf_fini) struct buf all = BUF_INIT;
	int err;

	headers_render(h, &all);
	err = buf_ok(&all) ? headers_parse(buf_str(&all), &kept) : -ENOMEM;
	if (err)
		return err;
	cache_control_drop_fields(&kept, p->targeted, f->config.shared);
	for (size_t i = 0; i < kept.n; i++) {
		const struct field *field = &kept.fields[i];

		if (is_usual(field->name) || policy_names_field(p->targeted, field->name) ||
		    policy_names_field(p->keep, field->name))
			buf_printf(text, "%s: %s\n", field->name, field->value);
	}
	buf_str_append(text, "");
	return 0;
}

/* What the first of a chain of redirects is asked with. Other origins get less of it; what they
 * send is taken for a response to all of it. */
static struct vary_request request_to(const struct fetch *f, const char *key,
				      const struct header_lines *lines)
{
	const struct policy *p = fetch_policy(f, key);

	return (struct vary_request){
		.fields = p->headers,
		.more = lines ? (const char *const *)lines->lines : NULL,
		.user_agent = p->user_agent,
		.user = f->base_user,
		.netrc = p->netrc,
	};
}

int64_t fetch_age_s(const struct meta *m)
{
	struct headers h = HEADERS_INIT;
	struct freshness_input in = {
		.status = m->status,
		.headers = &h,
		.request_ms = m->request_ms,
		.response_ms = m->response_ms,
	};
	int64_t resident_ms = clock_wall_ms() - m->response_ms, age_ms;

	headers_parse(m->headers, &h);
	age_ms = add_sat(freshness_initial_age_ms(&in), resident_ms > 0 ? resident_ms : 0);
	headers_fini(&h);
	return age_ms / 1000;
}

bool policy_selects(const struct fetch *f, const struct meta *m, const char *key)
{
	_cleanup_(header_lines_unrefp) struct header_lines *lines =
		header_file_lines(fetch_policy(f, key)->header_file);
	_cleanup_(headers_fini) struct headers h = HEADERS_INIT;
	struct vary_request r = request_to(f, key, lines);

	if (!m->vary_sum && !vary_by_accept(&r))
		return true;
	return headers_parse(m->headers, &h) < 0 || vary_sum(&r, &h) == m->vary_sum;
}

struct meta *policy_meta(const struct fetch *f, int status, const struct headers *h,
			 int64_t request_ms, int64_t response_ms, int64_t length,
			 const char *url, const char *key, const struct header_lines *lines)
{
	_cleanup_(meta_unrefp) struct meta *m = meta_new();
	struct freshness_verdict verdict;
	struct vary_request request;
	struct buf text = BUF_INIT;
	int64_t modified;

	if (!m)
		return NULL;
	m->status = status;
	m->length = length;
	m->request_ms = request_ms;
	m->response_ms = response_ms;
	if (copy_field(h, "ETag", &m->etag) < 0 ||
	    copy_field(h, "Last-Modified", &m->last_modified) < 0 ||
	    copy_field(h, "Content-Type", &m->content_type) < 0)
		return NULL;
	m->mtime_s = response_ms / 1000;
	if (m->last_modified && http_date_parse(m->last_modified, response_ms / 1000, &modified) == 0)
		m->mtime_s = modified;
	if (url && strcmp(url, key) != 0)
		m->url = strdup(url);
	request = request_to(f, key, lines);
	m->vary_sum = vary_sum(&request, h);
	judge(f, key, h, m, lines, &verdict);
	set_times(m, &verdict);
	set_flags(m, h, &verdict);
	if (render_kept(f, fetch_policy(f, key), h, &text) < 0)
		return NULL;
	free(m->headers);
	free(m->reason);
	m->headers = buf_take(&text);
	m->reason = strdup(verdict.reason);
	if (!m->headers || !m->reason)
		return NULL;
	return TAKE_PTR(m);
}

/* --- redirects: who asks for the key gets the first response of the chain --- */

static bool is_permanent(int status)
{
	return status == 301 || status == 308;
}

/* What the redirect was chosen by the whole chain was. */
static int note_vary(struct transfer *t)
{
	_cleanup_(cleanup_free) char *said = headers_get_joined(&t->headers, "Vary");
	char *all = NULL;

	if (!said)
		return 0;
	if (!t->chain_vary) {
		t->chain_vary = TAKE_PTR(said);
		return 0;
	}
	if (asprintf(&all, "%s, %s", t->chain_vary, said) < 0)
		return -ENOMEM;
	free(t->chain_vary);
	t->chain_vary = all;
	return 0;
}

int policy_note_redirect(struct transfer *t)
{
	_cleanup_(meta_unrefp) struct meta *m =
		policy_meta(t->fetch, t->http_status, &t->headers, t->request_ms, t->response_ms,
			    0, t->url, t->key, t->lines);
	bool unsaid;

	if (!m || note_vary(t) < 0)
		return -ENOMEM;
	/* No word about how long: for ever, or only this time. */
	unsaid = m->flags & META_STORE ? m->flags & META_HEURISTIC : strcmp(m->reason, "status") == 0;
	if (!(m->flags & META_STORE) && !unsaid)
		t->chain_no_store = true;
	if (m->flags & META_MUST_REVALIDATE)
		t->chain_revalidate = true;
	if (t->policy->ttl_ms >= 0 || (unsaid && is_permanent(t->http_status)))
		return 0;
	if (unsaid)
		m->fresh_until_ms = m->response_ms;
	if (!t->chain || m->fresh_until_ms < t->chain_fresh_until_ms)
		t->chain_fresh_until_ms = m->fresh_until_ms;
	t->chain = true;
	return 0;
}

static int64_t sooner(int64_t until_ms, int64_t by_ms)
{
	return until_ms && until_ms != INT64_MAX ? until_ms - by_ms : until_ms;
}

static void set_reason(struct meta *m, const char *reason)
{
	char *copy = strdup(reason);

	if (!copy)
		return;
	free(m->reason);
	m->reason = copy;
}

void policy_limit(const struct transfer *t, struct meta *m)
{
	int64_t by_ms = m->fresh_until_ms - t->chain_fresh_until_ms;

	if (t->chain_no_store || (t->chain && by_ms > 0))
		set_reason(m, "redirect");
	if (t->chain_no_store) {
		m->flags &= ~(unsigned)META_STORE;
		m->fresh_until_ms = m->response_ms;	/* also of what was stored before */
	}
	if (t->chain_revalidate || t->chain_no_store) {
		m->flags |= META_MUST_REVALIDATE;
		m->swr_until_ms = m->sie_until_ms = 0;
	}
	if (!t->chain || by_ms <= 0)
		return;
	m->fresh_until_ms = t->chain_fresh_until_ms;
	m->swr_until_ms = sooner(m->swr_until_ms, by_ms);
	m->sie_until_ms = sooner(m->sie_until_ms, by_ms);
}

struct meta *policy_refresh(const struct fetch *f, const struct meta *m,
			    const struct headers *h, int64_t request_ms, int64_t response_ms,
			    const char *key, const struct header_lines *lines)
{
	struct headers merged = HEADERS_INIT;
	struct meta *fresh = NULL;

	if (headers_parse(m->headers, &merged) == 0 && headers_update(&merged, h) == 0)
		fresh = policy_meta(f, m->status, &merged, request_ms, response_ms, m->length,
				    m->url, key, lines);
	headers_fini(&merged);
	if (fresh) {
		fresh->mtime_s = m->mtime_s;	/* attributes of a version never change */
		fresh->flags &= ~(unsigned)META_WEAK_DATE;
		fresh->flags |= m->flags & (META_DECODED | META_RANGES | META_WEAK_DATE);
	}
	return fresh;
}
