/* config_policies.c - from the sections of a configuration file to the policies that fetch/
 * looks up: each is made by setting options anew, from the defaults on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/cleanup.h"
#include "../fetch/url.h"
#include "config_private.h"

struct making {
	struct options *o;		/* the mount's */
	struct config *c;
	char *reason;
	size_t reason_len;
	size_t n_origins;
};

static int complain(const struct making *m, int line, int err, const char *words)
{
	return config_complain(m->c, line, err, words, m->reason, m->reason_len);
}

/* --- one policy --- */

static void clear_globs(struct globs *g)
{
	while (g->n > 0)
		free(g->items[--g->n]);
}

static bool same_field(const char *a, const char *b)
{
	size_t len = strcspn(a, ":");

	return len == strcspn(b, ":") && strncasecmp(a, b, len) == 0;
}

/* Fields of that name among the first n. Returns how many are left of these. */
static size_t drop_header(struct options *o, const char *line, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->n_headers; i++) {
		if (i < n && same_field(o->headers[i], line))
			free(o->headers[i]);
		else
			o->headers[kept++] = o->headers[i];
	}
	n -= o->n_headers - kept;
	o->n_headers = kept;
	if (o->headers)
		o->headers[kept] = NULL;
	return n;
}

/* What may be repeated takes the place of what an outer section says: a list as a whole, a
 * header by its name. */
static int set_all(const struct making *m, struct options *to, const struct assignments *set)
{
	size_t inherited = to->n_headers;
	bool only = false, bypass = false;

	for (size_t i = 0; i < set->n; i++) {
		const struct assignment *a = &set->items[i];
		char words[OPTIONS_REASON] = "out of memory";
		int err;

		if (!config_is_of_policies(a->name))
			continue;
		if (strcmp(a->name, "header") == 0)
			inherited = drop_header(to, a->value, inherited);
		if (strcmp(a->name, "only") == 0 && !only)
			clear_globs(&to->policy.only);
		if (strcmp(a->name, "bypass") == 0 && !bypass)
			clear_globs(&to->policy.bypass);
		only |= strcmp(a->name, "only") == 0;
		bypass |= strcmp(a->name, "bypass") == 0;
		err = options_set(to, a->name, a->value, words, sizeof words);
		if (err < 0)
			return complain(m, a->line, err, words);
	}
	return 0;
}

static bool sets(const struct section *s, const char *name)
{
	for (size_t i = 0; s && i < s->set.n; i++)
		if (strcmp(s->set.items[i].name, name) == 0)
			return true;
	return false;
}

static int add_made(struct config *c, struct options **ret)
{
	struct options **grown = reallocarray(c->made, c->n_made + 1, sizeof *grown);
	struct options *o = calloc(1, sizeof *o);

	if (grown)
		c->made = grown;
	if (!grown || !o) {
		free(o);
		return -ENOMEM;
	}
	options_set_defaults(o);
	c->made[c->n_made++] = o;
	*ret = o;
	return 0;
}

/* What does not come from a section: whose origin it is, and who asks there. */
static int set_place(const struct making *m, struct options *to, const struct section *origin)
{
	const char *user = origin && origin->user ? origin->user : m->o->credentials;

	to->fetch.max_transfers = m->o->fetch.max_transfers;
	to->base_url = strdup(m->o->base_url);
	to->credentials = user ? strdup(user) : NULL;
	return to->base_url && (!user || to->credentials) ? 0 : -ENOMEM;
}

static int make(const struct making *m, const struct section *origin, const struct section *rule,
		struct policy *ret)
{
	const struct section *last = rule ? rule : origin;
	char words[OPTIONS_REASON] = "out of memory";
	struct options *o;
	int err = add_made(m->c, &o);

	for (size_t i = 0; err == 0 && i < m->c->n; i++)
		if (m->c->sections[i].kind == SECTION_MOUNT)
			err = set_all(m, o, &m->c->sections[i].set);
	if (err == 0)
		err = set_all(m, o, &m->o->typed);
	if (err == 0 && origin)
		err = set_all(m, o, &origin->set);
	if (err == 0 && rule)
		err = set_all(m, o, &rule->set);
	if (err < 0)
		return err;
	err = set_place(m, o, origin);
	if (err == 0)
		err = options_complete_policy(o, words, sizeof words);
	if (err < 0)
		return complain(m, last->line, err, words);
	*ret = o->policy;
	ret->from = last->title;
	ret->rate_of = sets(rule, "rate") ? (const void *)rule :
		       sets(origin, "rate") ? (const void *)origin : (const void *)m->o;
	return 0;
}

/* --- origins --- */

/* "https://user:password@host/path" as a key with a '/' at its end. */
static int parse_url(const struct making *m, struct section *s, const struct assignment *a)
{
	const char *words = "not a URL";
	struct buf path = BUF_INIT;
	struct url url = { 0 };
	int err = url_parse(a->value, &url, &words);

	if (err == 0 && url.query) {
		url_fini(&url);
		words = "the URL of an origin cannot have a query";
		err = -EINVAL;
	}
	if (err < 0)
		return complain(m, a->line, err, err == -EINVAL ? words : NULL);
	buf_str_append(&path, url.path);
	if (!path.len || path.data[path.len - 1] != '/')
		buf_char(&path, '/');
	free(url.path);
	url.path = buf_take(&path);
	free(s->url);
	free(s->user);
	s->user = TAKE_PTR(url.user);
	s->url = url.path ? url_format(&url) : NULL;
	url_fini(&url);
	return s->url ? 0 : complain(m, a->line, -ENOMEM, NULL);
}

static int make_origin(struct making *m, struct section *s)
{
	struct policy_origin *origin = &m->c->origins[m->n_origins];
	int err = 0;

	for (size_t i = 0; err == 0 && i < s->set.n; i++)
		if (strcmp(s->set.items[i].name, "url") == 0)
			err = parse_url(m, s, &s->set.items[i]);
	if (err == 0 && !s->url)
		err = complain(m, s->line, -EINVAL, "an origin needs url=URL");
	if (err < 0)
		return err;
	origin->name = s->who;
	origin->url = s->url;
	m->n_origins++;
	return make(m, s, NULL, &origin->policy);
}

/* --- rules --- */

static const struct policy_origin *find_origin(const struct making *m, const char *name)
{
	for (size_t i = 0; i < m->n_origins; i++)
		if (strcmp(m->c->origins[i].name, name) == 0)
			return &m->c->origins[i];
	return NULL;
}

static struct section *section_of(const struct making *m, const struct policy_origin *origin)
{
	for (size_t i = 0; i < m->c->n; i++)
		if (m->c->sections[i].url == origin->url)
			return &m->c->sections[i];
	return NULL;
}

/* Whose URLs it is about: a name goes first, so that a misspelt one is not taken for a host
 * that nobody has. */
static int set_who(const struct making *m, struct section *s, struct policy_rule *rule)
{
	const char *words = NULL;
	int err;

	rule->origin = find_origin(m, s->who);
	if (rule->origin || strcmp(s->who, "*") == 0)
		return 0;
	if (!strpbrk(s->who, ".*?["))
		return complain(m, s->line, -EINVAL,
				"no origin has this name; a host without a dot has one at its end");
	if (s->who[0] != '[' && strchr(s->who, ':'))
		return complain(m, s->line, -EINVAL, "one origin, or one host without a port");
	err = hosts_parse(s->who, &s->hosts, &words);
	rule->hosts = s->hosts;
	return err < 0 ? complain(m, s->line, err, err == -EINVAL ? words : NULL) : 0;
}

/* Whether URLs of origin may be those of a rule. */
static bool concerns(const struct policy_rule *rule, const struct policy_origin *origin)
{
	if (rule->origin)
		return rule->origin == origin;
	return !origin || !rule->hosts || hosts_match(rule->hosts, origin->url);
}

static int make_rule(struct making *m, struct section *s, struct policy_rule *rule,
		     struct policy *policies)
{
	int err = set_who(m, s, rule);

	if (err < 0)
		return err;
	s->match = policy_glob(s->glob);
	if (!s->match || !*s->match)
		return complain(m, s->line, s->match ? -EINVAL : -ENOMEM, "not a glob");
	rule->glob = s->match;
	rule->policies = policies;
	if (concerns(rule, NULL))
		err = make(m, NULL, s, &policies[0]);
	for (size_t i = 0; err == 0 && i < m->n_origins; i++)
		if (concerns(rule, &m->c->origins[i]))
			err = make(m, section_of(m, &m->c->origins[i]), s, &policies[1 + i]);
	return err;
}

/* --- all of them --- */

static size_t count_of(const struct config *c, enum section_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->sections[i].kind == kind;
	return n;
}

static int make_all(struct making *m)
{
	struct config *c = m->c;
	size_t origins = count_of(c, SECTION_ORIGIN), rules = count_of(c, SECTION_RULE), n = 0;
	int err = 0;

	c->origins = calloc(origins + 1, sizeof *c->origins);
	c->rules = calloc(rules + 1, sizeof *c->rules);
	c->rule_policies = calloc(rules * (origins + 1) + 1, sizeof *c->rule_policies);
	if (!c->origins || !c->rules || !c->rule_policies)
		return -ENOMEM;
	for (size_t i = 0; err == 0 && i < c->n; i++)
		if (c->sections[i].kind == SECTION_ORIGIN)
			err = make_origin(m, &c->sections[i]);
	for (size_t i = 0; err == 0 && i < c->n; i++)
		if (c->sections[i].kind == SECTION_RULE) {
			err = make_rule(m, &c->sections[i], &c->rules[n],
					&c->rule_policies[n * (origins + 1)]);
			n++;
		}
	m->o->policies.origins = c->origins;
	m->o->policies.n_origins = m->n_origins;
	m->o->policies.rules = c->rules;
	m->o->policies.n_rules = n;
	return err;
}

int config_make_policies(struct options *o, char *reason, size_t reason_len)
{
	struct making m = { o, o->config, reason, reason_len, 0 };

	snprintf(reason, reason_len, "out of memory");
	return o->config ? make_all(&m) : 0;
}
