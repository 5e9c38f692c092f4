/* options_parse.c - the command line and its -o lists. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "mount_options.h"
#include "options.h"

/* Names as in /proc/PID/comm, which keeps 15 bytes. */
#define CRAWLERS "updatedb:plocate:mlocate:locate:tracker-miner-f:tracker-extract:" \
		 "localsearch:baloo_file:baloo_file_extr:recollindex:tumblerd"

/* --- -o lists --- */

static int remember(struct assignments *list, const char *name, const char *value)
{
	struct assignment *grown = reallocarray(list->items, list->n + 1, sizeof *grown);

	if (!grown)
		return -ENOMEM;
	list->items = grown;
	grown += list->n++;
	*grown = (struct assignment){ strdup(name), value ? strdup(value) : NULL, 0 };
	return grown->name && (!value || grown->value) ? 0 : -ENOMEM;
}

static int set_option(struct options *o, const char *name, const char *value, char *reason,
		      size_t reason_len)
{
	int r = options_set(o, name, value, reason, reason_len);

	if (r == -ENOENT)
		return o->passed.sloppy ? 0 : -EINVAL;
	return r < 0 ? r : remember(&o->typed, name, value);
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

static int parse_list(struct options *o, const char *text, char *reason,
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
			err = set_option(o, name, value, reason, reason_len);
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
	*where = strdup(word);
	return *where ? 0 : -ENOMEM;
}

static int parse_arguments(struct options *o, int argc, char *const *argv, char *reason,
			   size_t reason_len)
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
			o->passed.sloppy = true;
			break;
		case 'V':
			o->action = OPTIONS_VERSION;
			break;
		case 'h':
			o->action = OPTIONS_HELP;
			break;
		case 'o':
			err = parse_list(o, optarg, reason, reason_len);
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

int options_make_mount_options(struct options *o)
{
	const struct passed *passed = &o->passed;
	struct buf list = BUF_INIT;

	buf_str_append(&list, buf_str(&passed->list));
	mount_option_append(&list, "fsname", passed->fsname ? passed->fsname : o->source);
	mount_option_append(&list, "subtype",
			    passed->subtype ? passed->subtype : "webcachefs");
	if (o->allow_other)
		mount_option_append(&list, "allow_other", NULL);
	free(o->mount_options);
	o->mount_options = buf_take(&list);
	return o->mount_options ? 0 : -ENOMEM;
}

int options_parse(int argc, char *const *argv, struct options *o, char *reason,
		  size_t reason_len)
{
	int err;

	options_set_defaults(o);
	snprintf(reason, reason_len, "out of memory");
	err = parse_arguments(o, argc, argv, reason, reason_len);
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
	return err < 0 ? err : options_make_mount_options(o);
}

