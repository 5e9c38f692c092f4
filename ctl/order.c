/* order.c - purge and refresh. */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRITE_MAX (64 * 1024)	/* one order; longer lists are cut between lines */

#define DRY "dry-run "

#define TARGETS \
	"A TARGET is a URL, or a path below the mount point, with * for any characters;\n" \
	"host:NAME, tag:NAME, stale or all. With -n or --dry-run, or \"dry-run \" before it in\n" \
	"the same word, what matches is only counted.\n" \
	"- alone: they are read from standard input, one a line.\n"

/* Orders that were collected so far. */
struct order {
	const char *name;
	char text[WRITE_MAX];
	size_t len;
	long long matched;		/* -1: not known */
	bool some_done;			/* earlier parts of a long list */
	bool dry;			/* all of it is only counted */
};

/* What the last order of ours matched; the daemon may know us by another pid. */
static long long matched(void)
{
	char *text = control_read("purged"), *line, *rest = text, pid[32], *at;
	long long n = -1;

	snprintf(pid, sizeof pid, "\"pid\": %d,", (int)getpid());
	while (n < 0 && (line = strsep(&rest, "\n")))
		if (strstr(line, pid) && (at = strstr(line, "\"matched\": ")))
			n = strtoll(at + 11, NULL, 10);
	free(text);
	return n;
}

static void flush(struct order *o)
{
	long long some;
	int err;

	if (o->len == 0)
		return;
	err = control_write(o->name, o->text, o->len);
	if (err < 0 && o->some_done && o->matched >= 0)
		printf("%lld matched before that\n", o->matched);
	if (err < 0)
		die(CTL_FAILED, "%s: %s%s", o->name,
		    err == -EINVAL ? "a target is wrong; nothing was done" : strerror(-err),
		    o->some_done ? " of the last part of the list" : "");
	some = matched();
	o->some_done = true;
	o->matched = some < 0 || o->matched < 0 ? -1 : o->matched + some;
	o->len = 0;
}

/* A path below the mount, as shells complete them, is one of the mount. */
static void add(struct order *o, const char *target)
{
	bool dry = strncmp(target, DRY, strlen(DRY)) == 0;
	const char *path = mount_relative(dry ? target + strlen(DRY) : target);
	const char *before = dry || o->dry ? DRY : "";
	size_t n = strcspn(path, "\n");

	if (path[n] && path[n + 1])
		die(CTL_USAGE, "%s: a target is one line", o->name);
	if (strlen(before) + n + 2 > sizeof o->text)
		die(CTL_USAGE, "%s: %s", o->name, strerror(ENAMETOOLONG));
	if (o->len + strlen(before) + n + 2 > sizeof o->text)
		flush(o);
	o->len += (size_t)snprintf(o->text + o->len, sizeof o->text - o->len, "%s%.*s\n", before,
				   (int)n, path);
}

static void add_lines(struct order *o)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0)
		add(o, line);
	free(line);
}

/* Options of ours, up to "--". The number of the first word behind them. */
static int options(struct order *o, const struct command *c, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (strcmp(argv[i], "--") == 0)
			return i + 1;
		if (strcmp(argv[i], "-n") != 0 && strcmp(argv[i], "--dry-run") != 0)
			die_usage(c);
		o->dry = true;
	}
	return i;
}

static int run(const struct command *c, int argc, char **argv)
{
	static struct order o;
	int first;

	o.name = c->name;
	first = options(&o, c, argc, argv);
	if (first >= argc)
		die_usage(c);
	if (strcmp(argv[first], "-") == 0) {
		if (first + 1 < argc)
			die_usage(c);
		add_lines(&o);
	}
	for (int i = first; i < argc && strcmp(argv[first], "-") != 0; i++) {
		/* The word for lines, which an unquoted argument would leave alone. */
		if (strcmp(argv[i], "dry-run") == 0)
			die(CTL_USAGE, "%s: say --dry-run, or \"dry-run TARGET\" as one word", c->name);
		add(&o, argv[i]);
	}
	flush(&o);
	if (o.matched >= 0)
		printf("%lld matched\n", o.matched);
	return CTL_DONE;
}

static int purge(int argc, char **argv)
{
	return run(&command_purge, argc, argv);
}

static int refresh(int argc, char **argv)
{
	return run(&command_refresh, argc, argv);
}

const struct command command_purge = {
	"purge", "[-n] TARGET...|-", "remove what matches from the cache",
	TARGETS "Says how many responses matched.\n", false, purge,
};

const struct command command_refresh = {
	"refresh", "[-n] TARGET...|-", "mark what matches stale: the next open asks the origin",
	TARGETS "Says how many responses matched.\n", false, refresh,
};
