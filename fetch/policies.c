/* policies.c - which policy is that of a URL, and which key it has by it. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "glob.h"
#include "policy.h"
#include "url.h"
#include "url_normalise.h"

/* --- globs --- */

char *policy_glob(const char *text)
{
	struct buf to = BUF_INIT;

	if (*text == '/')
		text++;
	for (; *text; text++) {
		if (*text == '\\' && text[1]) {
			buf_append(&to, text, 2);
			text++;
		} else if (*text == '%') {
			buf_char(&to, '%');
		} else {
			url_normalise_literal(&to, text, 1, "/?[]");
		}
	}
	buf_str_append(&to, "");
	return buf_take(&to);
}

/* text: what is behind the '/' of an origin or of a host, to its end or without the query. */
static bool text_matches(const char *glob, const char *text)
{
	size_t path = strcspn(text, "?");

	if (!strchr(glob, '/')) {
		const char *name = memrchr(text, '/', path);

		path -= name ? (size_t)(name + 1 - text) : 0;
		text = name ? name + 1 : text;
	}
	return glob_matches(glob, text, path) ||
	       (text[path] && glob_matches(glob, text, strlen(text)));
}

static const char *path_of(const char *key)
{
	const char *host = strstr(key, "://");
	const char *path = host ? strchr(host + 3, '/') : NULL;

	return path ? path + 1 : "";
}

static bool any_matches(const struct globs *g, const char *path, const char *below)
{
	for (size_t i = 0; i < g->n; i++)
		if (text_matches(g->items[i], path) ||
		    (below && text_matches(g->items[i], below)))
			return true;
	return false;
}

bool policy_stores(const struct policies *p, const struct policy *policy, const char *key)
{
	const struct policy_origin *o;
	const char *below;

	if (policy->only.n + policy->bypass.n == 0)
		return true;
	o = policies_origin(p, key);
	below = o ? key + strlen(o->url) : NULL;
	if (any_matches(&policy->bypass, path_of(key), below))
		return false;
	return policy->only.n == 0 || any_matches(&policy->only, path_of(key), below);
}

/* --- whose it is --- */

static bool begins_with(const char *key, const char *url)
{
	return strncmp(key, url, strlen(url)) == 0;
}

const struct policy_origin *policies_origin(const struct policies *p, const char *key)
{
	const struct policy_origin *best = NULL;

	for (size_t i = 0; i < p->n_origins; i++)
		if (begins_with(key, p->origins[i].url) &&
		    (!best || strlen(p->origins[i].url) > strlen(best->url)))
			best = &p->origins[i];
	return best;
}

const struct policy_origin *policies_named(const struct policies *p, const char *name)
{
	for (size_t i = 0; i < p->n_origins; i++)
		if (strcmp(p->origins[i].name, name) == 0)
			return &p->origins[i];
	return NULL;
}

bool policies_own(const struct policies *p, const char *key, const char *url)
{
	const struct policy_origin *o;

	if (policies_origin(p, url))
		return true;
	o = policies_origin(p, key);
	return o && url_same_origin(o->url, url);
}

bool policies_on_the_way(const struct policies *p, const char *dir_key)
{
	for (size_t i = 0; i < p->n_origins; i++)
		if (begins_with(dir_key, p->origins[i].url) ||
		    begins_with(p->origins[i].url, dir_key))
			return true;
	return false;
}

static bool rule_matches(const struct policy_rule *r, const struct policy_origin *o,
			 const char *key)
{
	if (r->origin)
		return o == r->origin && text_matches(r->glob, key + strlen(o->url));
	return (!r->hosts || hosts_match(r->hosts, key)) && text_matches(r->glob, path_of(key));
}

const struct policy *policies_find(const struct policies *p, const char *full_key)
{
	/* What stands behind a # asks something about the URL before it. */
	_cleanup_(cleanup_free) char *cut =
		strchr(full_key, '#') ? strndup(full_key, strcspn(full_key, "#")) : NULL;
	const char *key = cut ? cut : full_key;
	const struct policy_origin *o = policies_origin(p, key);
	size_t which = o ? (size_t)(o - p->origins) + 1 : 0;

	for (size_t i = 0; i < p->n_rules; i++)
		if (rule_matches(&p->rules[i], o, key))
			return &p->rules[i].policies[which];
	return o ? &o->policy : &p->general;
}

bool policies_store(const struct policies *p, const char *key)
{
	return policy_stores(p, policies_find(p, key), key);
}

/* --- its key --- */

/* Whether text is one of "GLOB:GLOB". One that is longer than any name is none. */
static bool is_listed(const char *list, const char *text, int flags)
{
	char glob[256];

	while (list && *list) {
		size_t len = strcspn(list, ":");

		if (len < sizeof glob) {
			memcpy(glob, list, len);
			glob[len] = '\0';
			if (fnmatch(glob, text, flags) == 0)
				return true;
		}
		list += len;
		list += *list == ':';
	}
	return false;
}

bool policy_names_field(const char *list, const char *name)
{
	return is_listed(list, name, FNM_CASEFOLD);
}

/* The name of a parameter is compared as it is meant. */
static bool is_ignored(const char *list, const char *parameter)
{
	_cleanup_(buf_fini) struct buf name = BUF_INIT;

	url_normalise_decode(&name, parameter, strcspn(parameter, "="));
	return list && is_listed(list, buf_str(&name), 0);
}

struct parameter {
	const char *text;
	size_t n;			/* its place: those of one name keep their order */
};

static int compare(const void *a, const void *b)
{
	const struct parameter *first = a, *second = b;
	size_t len = strcspn(first->text, "="), other = strcspn(second->text, "=");
	int order = memcmp(first->text, second->text, len < other ? len : other);

	if (order)
		return order;
	if (len != other)
		return len < other ? -1 : 1;
	return first->n < second->n ? -1 : 1;
}

/* query is cut up in place. */
static int rewrite_query(const struct policy *policy, char *query, struct buf *to)
{
	size_t n = 0, max = 1;
	_cleanup_(cleanup_free) struct parameter *list = NULL;
	char *one;

	for (const char *c = query; *c; c++)
		max += *c == '&';
	list = reallocarray(NULL, max, sizeof *list);
	if (!list)
		return -ENOMEM;
	while ((one = strsep(&query, "&")))
		if (!is_ignored(policy->ignore_query, one)) {
			list[n] = (struct parameter){ one, n };
			n++;
		}
	if (policy->sort_query)
		qsort(list, n, sizeof *list, compare);
	for (size_t i = 0; i < n; i++)
		buf_printf(to, "%s%s", i ? "&" : "?", list[i].text);
	return 0;
}

int policies_key(const struct policies *p, const char *url, char **ret)
{
	const char *query = strchr(url, '?');
	_cleanup_(cleanup_free) char *copy = NULL;
	const struct policy *policy = query ? policies_find(p, url) : NULL;
	struct buf key = BUF_INIT;

	*ret = NULL;
	if (!policy || strchr(query, '#') || (!policy->sort_query && (!policy->ignore_query || !*policy->ignore_query)))
		return 0;
	copy = strdup(query + 1);
	buf_append(&key, url, (size_t)(query - url));
	if (!copy || rewrite_query(policy, copy, &key) < 0 || !buf_ok(&key)) {
		buf_fini(&key);
		return -ENOMEM;
	}
	if (strcmp(buf_str(&key), url) == 0) {
		buf_fini(&key);
		return 0;
	}
	*ret = buf_take(&key);
	return *ret ? 0 : -ENOMEM;
}
