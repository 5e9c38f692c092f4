#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../fetch/url.h"
#include "kinds.h"
#include "mount_options.h"

/* Names as in /proc/PID/comm, which keeps 15 bytes. */
#define CRAWLERS "updatedb:plocate:mlocate:locate:tracker-miner-f:tracker-extract:" \
		 "localsearch:baloo_file:baloo_file_extr:recollindex:tumblerd"

#define AT(field) offsetof(struct options, field)

/* Every option of -o that is ours. A name of NULL begins a group of --help. */
static const struct setting table[] = {
	{ NULL, NULL, 0, NULL, "Where and how much", 0, 0 },
	{ "cache_dir", &kind_string, AT(cache_dir), "DIR",
	  "where to keep what was fetched (root: /var/cache/webcachefs/NAME, others: "
	  "$XDG_CACHE_HOME/webcachefs/NAME)", 0, 0 },
	{ "size", &kind_quantity, AT(size), "SIZE",
	  "hard limit of the cache directory (10G or a tenth of the free space, the smaller)", 0, 0 },
	{ "min_free", &kind_quantity, AT(min_free), "SIZE",
	  "space of the disk to leave free (0)", 0, 0 },
	{ "max_object", &kind_size_or_none, AT(fetch.max_object), "SIZE",
	  "larger files are refused: EFBIG (none)", 0, 0 },
	{ "compress", &kind_compress, 0, "zstd[:LEVEL]|none",
	  "how bodies that shrink are stored (zstd:3)", 0, 0 },

	{ NULL, NULL, 0, NULL, "Time", 0, 0 },
	{ "ttl", &kind_duration_or_none, AT(fetch.ttl_ms), "TIME",
	  "how long responses are fresh, whatever the origin says (none)", 0, 0 },
	{ "default_ttl", &kind_duration, AT(fetch.default_ttl_ms), "TIME",
	  "how long they are when the origin does not say (0)", 0, 0 },
	{ "max_ttl", &kind_duration_or_none, AT(fetch.max_ttl_ms), "TIME",
	  "how long they are at most (none)", 0, 0 },
	{ "negative_ttl", &kind_duration, AT(fetch.negative_ttl_ms), "TIME",
	  "how long a 404 or 410 is remembered (10s)", 0, 0 },
	{ "stale_if_error", &kind_duration, AT(fetch.stale_if_error_ms), "TIME",
	  "how long after that they are served while the origin fails (1d)", 0, 0 },
	{ "stale_while_revalidate", &kind_duration, AT(fetch.stale_while_revalidate_ms), "TIME",
	  "how long after that they are served while asking behind (0)", 0, 0 },
	{ "refresh_ahead", &kind_percent, AT(fetch.refresh_ahead), "PERCENT",
	  "after so much of its time what is used is asked for again behind (0: not)", 0, 99 },
	{ "kernel_ttl", &kind_duration_or_auto, AT(kernel_ttl_ms), "TIME",
	  "how long the kernel may answer for a fresh name alone (auto)", 0, 0 },
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
	  "send the header lines of this file, read at start", 0, 0 },
	{ "netrc", &kind_flag, AT(fetch.netrc), "",
	  "user and password from ~/.netrc", 0, 0 },
	{ "cacert", &kind_string, AT(cacert), "FILE",
	  "certificate authorities to trust, PEM (the system's)", 0, 0 },
	{ "proxy", &kind_proxy, AT(proxy), "URL",
	  "proxy to go through (none; the environment does not matter)", 0, 0 },
	{ "user_agent", &kind_string, AT(user_agent), "TEXT",
	  "User-Agent to send (webcachefs/" WEBCACHEFS_VERSION ")", 0, 0 },
	{ "max_transfers", &kind_number, AT(fetch.max_transfers), "N",
	  "transfers at the same time (256)", 1, 65536 },
	{ "connect_timeout", &kind_time_limit, AT(fetch.connect_timeout_ms), "TIME",
	  "for a connection to be made (10s)", 0, 0 },
	{ "stall_timeout", &kind_time_limit, AT(fetch.stall_timeout_ms), "TIME",
	  "for a transfer without any progress (30s)", 0, 0 },
	{ "retries", &kind_number, AT(fetch.retries), "N",
	  "how often a failed transfer is tried again (2)", 0, 100 },
	{ "offline", &kind_flag, AT(fetch.offline), "",
	  "serve what is stored, never ask", 0, 0 },

	{ NULL, NULL, 0, NULL, "What a name means", 0, 0 },
	{ "file", &kind_globs, AT(files), "GLOB[:GLOB...]",
	  "names (with a '/': paths) that are files; may be repeated", 0, 0 },
	{ "dir", &kind_globs, AT(dirs), "GLOB[:GLOB...]",
	  "names (with a '/': paths) that are directories; may be repeated", 0, 0 },
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

static void set_defaults(struct options *o)
{
	*o = (struct options){
		.umask = 022,
		.control_mode = 0700,
		.kernel_ttl_ms = -1,
		.fetch = {
			.max_object = -1,
			.ttl_ms = -1,
			.max_ttl_ms = -1,
			.negative_ttl_ms = 10 * 1000,
			.stale_if_error_ms = 24 * 3600 * 1000,
			.max_transfers = 256,
			.connect_timeout_ms = 10 * 1000,
			.stall_timeout_ms = 30 * 1000,
			.retries = 2,
		},
		.index = { .compress = true, .level = 3 },
		.size = { -1, 0 },
		.min_free = { 0, 0 },
	};
}

/* --- -o lists --- */

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

/* What libfuse is told, in order; fsname and subtype have defaults, so they are
 * kept apart until all options were seen. */
struct passed {
	struct buf list;
	char *fsname, *subtype;
	bool sloppy;		/* as mount -s: options behind it may be unknown */
};

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

static int set_option(struct options *o, struct passed *passed, const char *name,
		      const char *value, char *reason, size_t reason_len)
{
	const struct setting *option = option_find(name);

	if (option)
		return set_own(o, option, value, reason, reason_len);
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
		if (passed->sloppy)
			return 0;
		snprintf(reason, reason_len, "unknown option: %s%s", name,
			 value ? "=..." : "");
		return -EINVAL;
	}
}

/* Cuts the next option off *list, in place: up to a comma that neither a backslash nor
 * double quotes protect, both as mount(8) reads fstab. `\,` `\\` `\"` lose their
 * backslash, and a value the quotes that it begins with: mount(8) hands them on. NULL:
 * a quote is not closed. */
static char *next_option(char **list)
{
	char *from = *list, *to = *list, *start = *list;
	bool quoted = false, around = false;

	for (; *from && (quoted || *from != ','); from++) {
		if (*from == '\\' && from[1] && strchr(",\\\"", from[1])) {
			*to++ = *++from;
		} else if (*from == '"') {
			if (!quoted)
				around = memchr(start, '=', (size_t)(to - start)) == to - 1;
			quoted = !quoted;
			if (!around)
				*to++ = *from;
		} else {
			*to++ = *from;
		}
	}
	*list = *from ? from + 1 : from;
	*to = '\0';
	return quoted ? NULL : start;
}

static int parse_list(struct options *o, struct passed *passed, const char *text, char *reason,
		      size_t reason_len)
{
	char *copy _cleanup_(cleanup_free) = strdup(text);
	char *rest = copy;
	int err = copy ? 0 : -ENOMEM;

	while (err == 0 && *rest) {
		char *name = next_option(&rest);
		char *value = name ? strchr(name, '=') : NULL;

		if (!name) {
			snprintf(reason, reason_len, "a double quote in the options is not closed");
			return -EINVAL;
		}
		if (value)
			*value++ = '\0';
		if (*name || value)
			err = set_option(o, passed, name, value, reason, reason_len);
	}
	return err;
}

/* --- the command line --- */

static int parse_word(struct options *o, const char *word, char *reason, size_t reason_len)
{
	char **where = !o->source ? &o->source : !o->mountpoint ? &o->mountpoint : NULL;

	if (!where) {
		snprintf(reason, reason_len, "too many arguments: %s", word);
		return -EINVAL;
	}
	return keep(where, word);
}

static int parse_arguments(struct options *o, struct passed *passed, int argc,
			   char *const *argv, char *reason, size_t reason_len)
{
	static const struct option words[] = {
		{ "foreground", no_argument, NULL, 'f' }, { "debug", no_argument, NULL, 'd' },
		{ "version", no_argument, NULL, 'V' },	  { "help", no_argument, NULL, 'h' },
		{ "options", required_argument, NULL, 'o' }, { NULL, 0, NULL, 0 },
	};
	int err = 0, c;

	optind = 0;	/* from the start, also when called again */
	opterr = 0;
	while (err == 0 && (c = getopt_long(argc, argv, "-:fdsVho:", words, NULL)) >= 0) {
		switch (c) {
		case 1:
			err = parse_word(o, optarg, reason, reason_len);
			break;
		case 'd':
			o->debug = true;
			/* fall through */
		case 'f':
			o->foreground = true;
			break;
		case 's':
			passed->sloppy = true;
			break;
		case 'V':
			o->action = OPTIONS_VERSION;
			break;
		case 'h':
			o->action = OPTIONS_HELP;
			break;
		case 'o':
			err = parse_list(o, passed, optarg, reason, reason_len);
			break;
		case ':':
			snprintf(reason, reason_len, "%s needs a value", argv[optind - 1]);
			return -EINVAL;
		default:
			snprintf(reason, reason_len, "unknown argument: %s", argv[optind - 1]);
			return -EINVAL;
		}
	}
	for (; err == 0 && optind < argc; optind++)
		err = parse_word(o, argv[optind], reason, reason_len);
	return err;
}

/* A password in the URL would be in mount(8)'s table, logs and .control: it is
 * cut out of source and kept apart. */
static int cut_credentials(struct options *o)
{
	char *start = strstr(o->source, "://");
	char *at;

	if (!start)
		return 0;
	start += 3;
	at = memrchr(start, '@', strcspn(start, "/?#"));
	if (!at)
		return 0;
	o->credentials = strndup(start, (size_t)(at - start));
	if (!o->credentials)
		return -ENOMEM;
	memmove(start, at + 1, strlen(at + 1) + 1);
	return 0;
}

static int make_mount_options(struct options *o, struct passed *passed)
{
	mount_option_append(&passed->list, "fsname", passed->fsname ? passed->fsname : o->source);
	mount_option_append(&passed->list, "subtype",
			    passed->subtype ? passed->subtype : "webcachefs");
	if (o->allow_other)
		mount_option_append(&passed->list, "allow_other", NULL);
	o->mount_options = buf_take(&passed->list);
	return o->mount_options ? 0 : -ENOMEM;
}

int options_parse(int argc, char *const *argv, struct options *o, char *reason,
		  size_t reason_len)
{
	struct passed passed _cleanup_(passed_fini) = { BUF_INIT, NULL, NULL, false };
	int err;

	set_defaults(o);
	snprintf(reason, reason_len, "out of memory");
	err = parse_arguments(o, &passed, argc, argv, reason, reason_len);
	if (err < 0 || o->action != OPTIONS_RUN)
		return err;
	if (!o->source || !o->mountpoint) {
		snprintf(reason, reason_len, "%s is missing; see --help",
			 o->source ? "MOUNTPOINT" : "SOURCE");
		return -EINVAL;
	}
	if (!o->only_cached_for)
		o->only_cached_for = strdup(CRAWLERS);
	if (!o->only_cached_for)
		return -ENOMEM;
	err = cut_credentials(o);
	return err < 0 ? err : make_mount_options(o, &passed);
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
	hosts_free(o->allowed);
	free(o->header_file);
	for (size_t i = 0; i < o->n_headers; i++)
		free(o->headers[i]);
	free(o->headers);
	globs_fini(&o->files);
	globs_fini(&o->dirs);
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
}
