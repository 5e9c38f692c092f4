/* stored.c - what is stored of a key: may it be used, and for how long need nobody ask
 * again? */
#include <errno.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "fetch_private.h"

int64_t stored_ahead_ms(const struct policy *p, const struct meta *m)
{
	int64_t lifetime = m->fresh_until_ms - m->response_ms;

	if (p->refresh_ahead <= 0 || m->flags & META_IMMUTABLE || m->status / 100 != 2 ||
	    m->fresh_until_ms == INT64_MAX || lifetime <= 0)
		return INT64_MAX;
	return m->response_ms + lifetime / 100 * p->refresh_ahead;
}

int64_t stored_fresh_ms(const struct fetch *f, struct version *v)
{
	struct meta *m = version_meta(v);
	int64_t now = clock_wall_ms(), ahead = stored_ahead_ms(fetch_policy(f, version_key(v)), m);
	int64_t until = now < ahead && ahead < m->fresh_until_ms ? ahead : m->fresh_until_ms;
	int64_t left = m->flags & META_STORE ? until - now : 0;

	meta_unref(m);
	return left > 0 ? left : 0;
}

bool stored_is_lost(struct version *v)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);

	if (fill_can_compare(m))
		return false;
	return version_state(v) == VERSION_ARRIVING || version_missing(v, 0) < version_length(v);
}

bool fetch_selects(const struct fetch *f, struct version *v)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);

	return policy_selects(f, m, version_key(v));
}

enum stored_use stored_may_use(const struct fetch *f, struct version *v, unsigned flags)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);
	int64_t now = clock_wall_ms();

	if (version_state(v) == VERSION_FAILED || version_length(v) < 0)
		return USE_NOT;
	if (flags & WANT_CACHED || atomic_load(&f->offline))
		return USE_STALE;
	if (flags & WANT_RELOAD || stored_is_lost(v))
		return USE_NOT;
	if (now < m->fresh_until_ms)
		return USE_FRESH;
	if (now < m->swr_until_ms)
		return USE_STALE_WHILE_REVALIDATE;
	return USE_NOT;
}

bool stored_may_stand_in(struct version *v)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(v);

	return m->status / 100 == 2 && !(m->flags & META_MUST_REVALIDATE) &&
	       clock_wall_ms() < m->sie_until_ms;
}

int stored_find(const struct fetch *f, const struct policy *policy, const char *key,
		unsigned flags, struct version **ret)
{
	int err;

	if (!(flags & WANT_CACHED) && !atomic_load(&f->offline) &&
	    !policy_stores(f->config.policies, policy, key))
		return -ENOENT;
	err = index_find(f->config.index, key, ret);
	/* The answer to another request confirms nothing and stands in for nothing. */
	if (!err && !fetch_selects(f, *ret)) {
		version_unref(TAKE_PTR(*ret));
		err = -ENOENT;
	}
	return err;
}
