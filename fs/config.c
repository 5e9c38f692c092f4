#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/cleanup.h"
#include "../fetch/url.h"
#include "config_private.h"
#include "ini.h"

int config_complain(const struct config *c, int line, int err, const char *words, char *reason,
		    size_t reason_len)
{
	snprintf(reason, reason_len, "%s:%d: %s", c->path, line, words ? words : strerror(-err));
	return err;
}

/* --- reading --- */

bool config_is_of_policies(const char *name)
{
	static const char *const names[] = {
		"ttl", "default_ttl", "max_ttl", "negative_ttl", "stale_if_error",
		"stale_while_revalidate", "refresh_ahead", "targeted", "max_object", "only",
		"bypass", "keep", "sort_query", "ignore_query", "header", "header_file", "netrc",
		"cacert", "proxy", "user_agent", "max_per_host", "rate", "connect_timeout",
		"stall_timeout", "retries",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int add_assignment(struct assignments *list, const char *name, const char *value, int line)
{
	struct assignment *grown = reallocarray(list->items, list->n + 1, sizeof *grown);

	if (!grown)
		return -ENOMEM;
	list->items = grown;
	grown += list->n++;
	*grown = (struct assignment){ strdup(name), strdup(value), line };
	return grown->name && grown->value ? 0 : -ENOMEM;
}

/* A name is one of a directory, and stands in rules in place of a host. */
static bool is_origin_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789-_.");

	return len > 0 && len < 256 && !name[len] && name[0] != '.' && name[0] != '-';
}

/* "word rest": cuts the word off. */
static char *next_word(char **text)
{
	char *word = *text;

	*text += strcspn(*text, " \t");
	if (**text)
		*(*text)++ = '\0';
	*text += strspn(*text, " \t");
	return word;
}

static int parse_title(struct section *s, char *text, const char **ret_reason)
{
	const char *kind = next_word(&text);
	const char *who = next_word(&text);

	if (strcmp(kind, "mount") == 0) {
		*ret_reason = "[mount] has no name";
		return *who ? -EINVAL : 0;
	}
	s->kind = strcmp(kind, "rule") == 0 ? SECTION_RULE : SECTION_ORIGIN;
	*ret_reason = "not [mount], [origin NAME] or [rule ORIGIN GLOB]";
	if (strcmp(kind, "rule") != 0 && strcmp(kind, "origin") != 0)
		return -EINVAL;
	*ret_reason = "a rule is [rule ORIGIN GLOB], and * is every origin";
	if (s->kind == SECTION_RULE && (!*who || !*text))
		return -EINVAL;
	*ret_reason = "an origin is [origin NAME], of letters, digits, '-', '_' and '.'";
	if (s->kind == SECTION_ORIGIN && (*text || !is_origin_name(who)))
		return -EINVAL;
	s->who = strdup(who);
	s->glob = s->kind == SECTION_RULE ? strdup(text) : NULL;
	return s->who && (s->kind != SECTION_RULE || s->glob) ? 0 : -ENOMEM;
}

static struct section *find_origin(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->sections[i].kind == SECTION_ORIGIN &&
		    strcmp(c->sections[i].who, name) == 0)
			return &c->sections[i];
	return NULL;
}

static int begin_section(struct config *c, const char *title, int line, const char **ret_reason)
{
	_cleanup_(cleanup_free) char *copy = strdup(title);
	struct section *grown = reallocarray(c->sections, c->n + 1, sizeof *grown);
	struct section s = { .kind = SECTION_MOUNT, .line = line };
	int err;

	if (grown)
		c->sections = grown;
	if (!copy || !grown)
		return -ENOMEM;
	err = parse_title(&s, copy, ret_reason);
	if (err == 0 && s.kind == SECTION_ORIGIN && find_origin(c, s.who)) {
		*ret_reason = "this origin is there already";
		err = -EINVAL;
	}
	s.title = strdup(title);
	c->sections[c->n++] = s;
	return err == 0 && !s.title ? -ENOMEM : err;
}

static int check_name(const struct section *s, const char *name, const char **ret_reason)
{
	if (s->kind == SECTION_MOUNT) {
		*ret_reason = "a configuration file cannot name another one";
		return strcmp(name, "config") ? 0 : -EINVAL;
	}
	if (s->kind == SECTION_ORIGIN && strcmp(name, "url") == 0)
		return 0;
	*ret_reason = strcmp(name, "max_transfers") == 0 ?
			      "max_transfers is of the whole mount: here it is max_per_host" :
			      "not an option that origins and rules have";
	return config_is_of_policies(name) ? 0 : -EINVAL;
}

static int each_line(void *arg, const char *title, const char *name, const char *value, int line,
		     const char **ret_reason)
{
	struct config *c = arg;
	struct section *s;
	int err;

	if (!name)
		return begin_section(c, title, line, ret_reason);
	s = &c->sections[c->n - 1];
	err = check_name(s, name, ret_reason);
	return err < 0 ? err : add_assignment(&s->set, name, value, line);
}

static int read_file(struct config *c, char *reason, size_t reason_len)
{
	const char *words = NULL;
	FILE *file = fopen(c->path, "re");
	int err, line = 0;

	if (!file) {
		err = -errno;
		snprintf(reason, reason_len, "%s: %s", c->path, strerror(-err));
		return err;
	}
	err = ini_read(file, each_line, c, &words, &line);
	fclose(file);
	return err < 0 ? config_complain(c, line, err, err == -EINVAL ? words : NULL, reason,
					 reason_len) : 0;
}

/* --- [mount] --- */

/* Of headers each name is one option. */
static bool is_typed(const struct options *o, const struct assignment *a)
{
	size_t len = strcspn(a->value, ":");

	for (size_t i = 0; i < o->typed.n; i++) {
		const struct assignment *typed = &o->typed.items[i];

		if (strcmp(typed->name, a->name) == 0 &&
		    (strcmp(a->name, "header") != 0 ||
		     (strncasecmp(typed->value, a->value, len) == 0 && typed->value[len] == ':')))
			return true;
	}
	return false;
}

static int set_mount(struct options *o, const struct section *s, char *reason, size_t reason_len)
{
	for (size_t i = 0; i < s->set.n; i++) {
		const struct assignment *a = &s->set.items[i];
		char words[OPTIONS_REASON] = "out of memory";
		int err = 0;

		if (!is_typed(o, a))
			err = options_set(o, a->name, a->value, words, sizeof words);
		if (err < 0)
			return config_complain(o->config, a->line, err == -ENOENT ? -EINVAL : err,
					       words, reason, reason_len);
	}
	return 0;
}

int config_read(struct options *o, char *reason, size_t reason_len)
{
	int err;

	if (!o->config_file)
		return 0;
	snprintf(reason, reason_len, "out of memory");
	o->config = calloc(1, sizeof *o->config);
	if (!o->config)
		return -ENOMEM;
	o->config->path = strdup(o->config_file);
	err = o->config->path ? read_file(o->config, reason, reason_len) : -ENOMEM;
	for (size_t i = 0; err == 0 && i < o->config->n; i++)
		if (o->config->sections[i].kind == SECTION_MOUNT)
			err = set_mount(o, &o->config->sections[i], reason, reason_len);
	return err < 0 ? err : options_make_mount_options(o);
}

bool config_has_origin(const struct config *c)
{
	for (size_t i = 0; c && i < c->n; i++)
		if (c->sections[i].kind == SECTION_ORIGIN)
			return true;
	return false;
}

/* --- for people --- */

static void render_url(const char *url, struct buf *to)
{
	const char *host = strstr(url, "://");
	const char *at = host ? memrchr(host + 3, '@', strcspn(host + 3, "/?#")) : NULL;

	if (!at) {
		buf_str_append(to, url);
		return;
	}
	buf_append(to, url, (size_t)(host + 3 - url));
	buf_str_append(to, "***");
	buf_str_append(to, at);
}

/* As the option itself prints it, which masks what is secret. */
static void render_assignment(const struct assignment *a, struct buf *to)
{
	struct options o _cleanup_(options_fini) = { 0 };
	char reason[OPTIONS_REASON];

	buf_printf(to, "%s=", a->name);
	options_set_defaults(&o);
	if (strcmp(a->name, "url") == 0)
		render_url(a->value, to);
	else if (options_set(&o, a->name, a->value, reason, sizeof reason) == 0)
		options_print(&o, a->name, to);
	buf_char(to, '\n');
}

void config_render(const struct config *c, struct buf *to)
{
	for (size_t i = 0; c && i < c->n; i++) {
		const struct section *s = &c->sections[i];

		/* What [mount] says is in force above. */
		if (s->kind == SECTION_MOUNT)
			continue;
		buf_printf(to, "\n[%s]\n", s->title);
		for (size_t k = 0; k < s->set.n; k++)
			render_assignment(&s->set.items[k], to);
	}
}

static void free_section(struct section *s)
{
	for (size_t i = 0; i < s->set.n; i++) {
		free(s->set.items[i].name);
		free(s->set.items[i].value);
	}
	free(s->set.items);
	free(s->title);
	free(s->who);
	free(s->glob);
	free(s->url);
	free(s->user);
	free(s->match);
	hosts_free(s->hosts);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	while (c->n > 0)
		free_section(&c->sections[--c->n]);
	while (c->n_made > 0) {
		options_fini(c->made[--c->n_made]);
		free(c->made[c->n_made]);
	}
	free(c->sections);
	free(c->made);
	free(c->origins);
	free(c->rules);
	free(c->rule_policies);
	free(c->path);
	free(c);
}
