#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../fetch/url.h"
#include "config.h"
#include "kinds.h"
#include "mount_options.h"

#define AT(field) offsetof(struct options, field)

/* Every option of -o that is ours. A name of NULL begins a group of --help. */
static const struct setting table[] = {
	{ NULL, NULL, 0, NULL, "Where and how much", 0, 0 },
	{ "config", &kind_string, AT(config_file), "FILE",
	  "read options, origins and rules from FILE (none)", 0, 0 },
	{ "cache_dir", &kind_string, AT(cache_dir), "DIR",
	  "where to keep what was fetched (root: /var/cache/webcachefs/NAME, others: "
	  "$XDG_CACHE_HOME/webcachefs/NAME)", 0, 0 },
	{ "size", &kind_quantity, AT(size), "SIZE",
	  "hard limit of the cache directory (10G or a tenth of the free space, the smaller)", 0, 0 },
	{ "min_free", &kind_quantity, AT(min_free), "SIZE",
	  "space of the disk to leave free (0)", 0, 0 },
	{ "max_object", &kind_size_or_none, AT(policy.max_object), "SIZE",
	  "larger files are refused: EFBIG (none)", 0, 0 },
	{ "only", &kind_globs, AT(policy.only), "GLOB[:GLOB...]",
	  "store these URLs alone; the rest is asked for each time; may be repeated", 0, 0 },
	{ "bypass", &kind_globs, AT(policy.bypass), "GLOB[:GLOB...]",
	  "URLs that are never stored; may be repeated", 0, 0 },
	{ "keep", &kind_names, AT(keep), "NAME[:NAME...]|none",
	  "fields of responses to keep beside those that describe the body (none)", 0, 0 },
	{ "compress", &kind_compress, 0, "zstd[:LEVEL]|none",
	  "how bodies that shrink are stored (zstd:3)", 0, 0 },

	{ NULL, NULL, 0, NULL, "Time", 0, 0 },
	{ "ttl", &kind_duration_or_none, AT(policy.ttl_ms), "TIME",
	  "how long responses are fresh, whatever the origin says (none)", 0, 0 },
	{ "default_ttl", &kind_duration, AT(policy.default_ttl_ms), "TIME",
	  "how long they are when the origin does not say (0)", 0, 0 },
	{ "max_ttl", &kind_duration_or_none, AT(policy.max_ttl_ms), "TIME",
	  "how long they are at most (none)", 0, 0 },
	{ "negative_ttl", &kind_duration, AT(policy.negative_ttl_ms), "TIME",
	  "how long a 404 or 410 is remembered (10s)", 0, 0 },
	{ "stale_if_error", &kind_duration, AT(policy.stale_if_error_ms), "TIME",
	  "how long after that they are served while the origin fails (1d)", 0, 0 },
	{ "stale_while_revalidate", &kind_duration, AT(policy.stale_while_revalidate_ms), "TIME",
	  "how long after that they are served while asking behind (0)", 0, 0 },
	{ "refresh_ahead", &kind_percent, AT(policy.refresh_ahead), "PERCENT",
	  "after so much of its time what is used is asked for again behind (0: not)", 0, 99 },
	{ "kernel_ttl", &kind_duration_or_auto, AT(kernel_ttl_ms), "TIME",
	  "how long the kernel may answer for a fresh name alone (auto)", 0, 0 },
	{ "read_ahead", &kind_size_or_none, AT(read_ahead), "SIZE",
	  "how far ahead of sequential readers the kernel asks (512K)", 0, 0 },
	{ "targeted", &kind_string, AT(targeted), "NAME[:NAME...]",
	  "targeted cache control fields to obey, RFC 9213 (none)", 0, 0 },

	{ NULL, NULL, 0, NULL, "Whom and how to ask", 0, 0 },
	{ "allow", &kind_string, AT(allow), "HOST[:HOST...]",
	  "hosts that may be asked, globs; web needs it (SOURCE's own, and any by redirect)", 0, 0 },
	{ "allow_private", &kind_flag, AT(fetch.allow_private), "",
	  "hosts of web and of redirects may have loopback, link-local and private addresses", 0, 0 },
	{ "header", &kind_header, 0, "\"NAME: VALUE\"",
	  "send this to the origin; may be repeated", 0, 0 },
	{ "header_file", &kind_string, AT(header_file), "FILE",
	  "send the header lines of this file too; read again when it changes", 0, 0 },
	{ "netrc", &kind_flag, AT(policy.netrc), "",
	  "user and password from ~/.netrc", 0, 0 },
	{ "cacert", &kind_string, AT(cacert), "FILE",
	  "certificate authorities to trust, PEM (the system's)", 0, 0 },
	{ "proxy", &kind_proxy, AT(proxy), "URL",
	  "proxy to go through (none; the environment does not matter)", 0, 0 },
	{ "user_agent", &kind_string, AT(user_agent), "TEXT",
	  "User-Agent to send (webcachefs/" WEBCACHEFS_VERSION ")", 0, 0 },
	{ "max_transfers", &kind_number, AT(fetch.max_transfers), "N",
	  "transfers at the same time (256)", 1, 65536 },
	{ "max_per_host", &kind_number, AT(policy.max_per_host), "N",
	  "transfers at the same time from one host (web: half of max_transfers, else all)",
	  1, 65536 },
	{ "rate", &kind_rate, AT(policy.rate), "SIZE",
	  "bytes a second from a host, all transfers together (none)", 0, 0 },
	{ "connect_timeout", &kind_time_limit, AT(policy.connect_timeout_ms), "TIME",
	  "for a connection to be made (10s)", 0, 0 },
	{ "stall_timeout", &kind_time_limit, AT(policy.stall_timeout_ms), "TIME",
	  "for a transfer without any progress (30s)", 0, 0 },
	{ "retries", &kind_number, AT(policy.retries), "N",
	  "how often a failed transfer is tried again (2)", 0, 100 },
	{ "offline", &kind_flag, AT(fetch.offline), "",
	  "serve what is stored, never ask", 0, 0 },

	{ NULL, NULL, 0, NULL, "Ahead of readers", 0, 0 },
	{ "warm_file", &kind_string, AT(warm_file), "FILE",
	  "fetch what this list names, as .control/warm does, at the start", 0, 0 },
	{ "warm_interval", &kind_duration, AT(warm_interval_ms), "TIME",
	  "and again so often; the list is read anew (0: not again)", 0, 0 },

	{ NULL, NULL, 0, NULL, "What a name means", 0, 0 },
	{ "file", &kind_globs, AT(files), "GLOB[:GLOB...]",
	  "names (with a '/': paths) that are files; may be repeated", 0, 0 },
	{ "dir", &kind_globs, AT(dirs), "GLOB[:GLOB...]",
	  "names (with a '/': paths) that are directories; may be repeated", 0, 0 },
	{ "sort_query", &kind_flag, AT(policy.sort_query), "",
	  "URLs whose query has the same parameters in another order are the same", 0, 0 },
	{ "ignore_query", &kind_names, AT(ignore_query), "NAME[:NAME...]|none",
	  "parameters of queries that make no difference, globs (none)", 0, 0 },
	{ "listing", &kind_listing, 0, "auto|off|html|nginx-json|webdav|s3",
	  "how a directory's names are asked for when it is listed (auto)", 0, 0 },
	{ "miss", &kind_miss, 0, "wait|background",
	  "who opens what is not stored waits, or gets ENOENT while it is fetched (wait)", 0, 0 },
	{ "only_cached_for", &kind_names, AT(only_cached_for), "NAME[:NAME...]|none",
	  "programs for which nothing is asked for (updatedb and other indexers)", 0, 0 },

	{ NULL, NULL, 0, NULL, "What is shown", 0, 0 },
	{ "uid", &kind_user, AT(uid), "USER", "owner of all files (who mounts)", 0, 0 },
	{ "gid", &kind_group, AT(gid), "GROUP", "group of all files (who mounts)", 0, 0 },
	{ "umask", &kind_umask, AT(umask), "MODE",
	  "permissions that files and directories do not have (022)", 0, 0 },
	{ "control_mode", &kind_mode, AT(control_mode), "MODE",
	  "permissions of .control (0700)", 0, 0 },
	{ "count_opens", &kind_flag, AT(count_opens), "",
	  "count every open; each then costs a call of the daemon", 0, 0 },
	{ "takeover", &kind_flag_or_auto, AT(takeover), "",
	  "when the daemon dies, another one takes over the mount (yes; with -f no)", 0, 0 },
	{ "access_log", &kind_string, AT(access_log), "FILE",
	  "write a line there for each name answered and each request sent (none)", 0, 0 },
	{ "allow_other", &kind_flag, AT(allow_other), "",
	  "all users may read; makes it a shared cache (RFC 9111)", 0, 0 },
};

#define TABLE_N (sizeof table / sizeof *table)

static const struct setting *option_find(const char *name)
{
	for (size_t i = 0; i < TABLE_N; i++)
		if (table[i].name && strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

void options_set_defaults(struct options *o)
{
	*o = (struct options){
		.umask = 022,
		.control_mode = 0700,
		.kernel_ttl_ms = -1,
		.read_ahead = 512 * 1024,
		.takeover = -1,
		.fetch = { .max_transfers = 256 },
		.policy = {
			.from = "mount",
			.max_object = -1,
			.ttl_ms = -1,
			.max_ttl_ms = -1,
			.negative_ttl_ms = 10 * 1000,
			.stale_if_error_ms = 24 * 3600 * 1000,
			.connect_timeout_ms = 10 * 1000,
			.stall_timeout_ms = 30 * 1000,
			.retries = 2,
			.rate = -1,
		},
		.index = { .compress = true, .level = 3 },
		.size = { -1, 0 },
		.min_free = { 0, 0 },
	};
}

/* --- setting one --- */

static int wrong_value(const struct setting *option, const char *value, int err,
		       const char *words, char *reason, size_t reason_len)
{
	/* A header's value may be a secret that must not reach a log. */
	const char *shown = option->kind == &kind_header ? "..." : value;

	if (err == -ENOMEM)
		snprintf(reason, reason_len, "out of memory");
	else if (words)
		snprintf(reason, reason_len, "option %s=%s: %s", option->name, shown, words);
	else if (option->kind == &kind_number)
		snprintf(reason, reason_len, "option %s=%s: not a number from %lld to %lld",
			 option->name, shown, (long long)option->min, (long long)option->max);
	else
		snprintf(reason, reason_len, "option %s=%s: not %s", option->name, shown,
			 option->kind->expects);
	return err == -ENOMEM ? err : -EINVAL;
}

static int set_own(struct options *o, const struct setting *option, const char *value,
		   char *reason, size_t reason_len)
{
	const char *words = NULL;
	int err;

	if (!value && !option->kind->flag) {
		snprintf(reason, reason_len, "option %s needs a value: %s=%s", option->name,
			 option->name, option->hint);
		return -EINVAL;
	}
	err = option->kind->parse(o, option, value, &words);
	return err < 0 ? wrong_value(option, value, err, words, reason, reason_len) : 0;
}

static void passed_fini(struct passed *passed)
{
	buf_fini(&passed->list);
	free(passed->fsname);
	free(passed->subtype);
}

static int keep(char **where, const char *value)
{
	free(*where);
	*where = strdup(value);
	return *where ? 0 : -ENOMEM;
}

/* 1: it is none that anybody knows. */
static int pass_option(struct options *o, const char *name, const char *value)
{
	struct passed *passed = &o->passed;

	if (strcmp(name, "fsname") == 0 && value)
		return keep(&passed->fsname, value);
	if (strcmp(name, "subtype") == 0 && value)
		return keep(&passed->subtype, value);
	switch (mount_option_find(name, value != NULL)) {
	case MOUNT_OPTION_PASS:
		mount_option_append(&passed->list, name, value);
		if (strcmp(name, "ro") == 0 || strcmp(name, "rw") == 0)
			o->read_only = name[1] == 'o';
		return 0;
	case MOUNT_OPTION_IGNORE:
		return 0;
	default:
		return 1;
	}
}

int options_set(struct options *o, const char *name, const char *value, char *reason,
		size_t reason_len)
{
	const struct setting *option = option_find(name);
	int r;

	if (option)
		return set_own(o, option, value, reason, reason_len);
	r = pass_option(o, name, value);
	/* A file has no options without a value. */
	if (r == 1 && value && strcmp(value, "yes") == 0)
		r = pass_option(o, name, NULL);
	else if (r == 1 && value && strcmp(value, "no") == 0 && mount_option_find(name, false))
		r = 0;
	if (r < 1)
		return r;
	snprintf(reason, reason_len, "unknown option: %s%s", name, value ? "=..." : "");
	return -ENOENT;
}

static void globs_fini(struct globs *g)
{
	while (g->n > 0)
		free(g->items[--g->n]);
	free(g->items);
}

void options_fini(struct options *o)
{
	free(o->source);
	free(o->base_url);
	free(o->mountpoint);
	free(o->mount_options);
	free(o->cache_dir);
	free(o->credentials);
	free(o->user_agent);
	free(o->cacert);
	free(o->proxy);
	free(o->targeted);
	free(o->allow);
	free(o->only_cached_for);
	free(o->warm_file);
	hosts_free(o->allowed);
	free(o->header_file);
	header_file_free(o->policy.header_file);
	free(o->access_log);
	for (size_t i = 0; i < o->n_headers; i++)
		free(o->headers[i]);
	free(o->headers);
	globs_fini(&o->files);
	globs_fini(&o->dirs);
	globs_fini(&o->policy.only);
	globs_fini(&o->policy.bypass);
	free(o->keep);
	free(o->ignore_query);
	free(o->config_file);
	for (size_t i = 0; i < o->typed.n; i++) {
		free(o->typed.items[i].name);
		free(o->typed.items[i].value);
	}
	free(o->typed.items);
	passed_fini(&o->passed);
	config_free(o->config);
	*o = (struct options){ 0 };
}

/* --- for people --- */

static void help_option(FILE *to, const struct setting *option)
{
	char name[64];

	snprintf(name, sizeof name, "%s%s%s", option->name, *option->hint ? "=" : "",
		 option->hint);
	/* Long names get a line of their own. */
	if (strlen(name) > 26)
		fprintf(to, "  %s\n  %-26s  %s\n", name, "", option->help);
	else
		fprintf(to, "  %-26s  %s\n", name, option->help);
}

void options_help(FILE *to, const char *program)
{
	fprintf(to,
		"usage: %s SOURCE MOUNTPOINT [-o OPTION[,OPTION...]]... [-f] [-d]\n"
		"Shows the URLs below SOURCE, an http:// or https:// URL, as files at MOUNTPOINT, or\n"
		"if it is the word web those of all hosts that are allowed, as https:/HOST/PATH,\n"
		"and keeps what was fetched as HTTP's caching rules allow.\n"
		"\n"
		"  -o OPTION,...  see below; \\, is a comma within a value\n"
		"  -f             stay in the foreground, log to standard error\n"
		"  -d             the same, and log what happens (implies -f)\n"
		"  -s             ignore unknown options of the -o behind it\n"
		"  -V             print versions\n"
		"  -h             print this\n",
		program);
	for (size_t i = 0; i < TABLE_N; i++) {
		if (table[i].name)
			help_option(to, &table[i]);
		else
			fprintf(to, "\n%s:\n", table[i].help);
	}
	fprintf(to,
		"\n"
		"TIME is a number with ms, s, m, h, d or w; SIZE one with K, M, G or T. Options of\n"
		"mount(8) and fstab(5) (ro, nodev, _netdev, nofail, x-systemd...) are understood too.\n"
		"See webcachefs(1) and webcachefs-control(5).\n");
}

void options_render(const struct options *o, struct buf *to)
{
	buf_printf(to, "source=%s\n", o->source);
	if (o->base_url)
		buf_printf(to, "base_url=%s\n", o->base_url);
	buf_printf(to, "mountpoint=%s\n", o->mountpoint);
	for (size_t i = 0; i < TABLE_N; i++) {
		if (!table[i].name)
			continue;
		buf_printf(to, "%s=", table[i].name);
		table[i].kind->print(o, &table[i], to);
		buf_char(to, '\n');
	}
	config_render(o->config, to);
}

void options_print(const struct options *o, const char *name, struct buf *to)
{
	const struct setting *option = option_find(name);

	if (option)
		option->kind->print(o, option, to);
}

bool options_is_repeated(const char *name)
{
	const struct setting *option = option_find(name);

	return option && (option->kind == &kind_globs || option->kind == &kind_header);
}
