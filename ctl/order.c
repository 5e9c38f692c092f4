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
	"host:NAME, tag:NAME, stale or all; with \"dry-run \" before it, it is only counted.\n" \
	"- alone: they are read from standard input, one a line.\n"

/* Orders that were collected so far. */
struct order {
	const char *name;
	char text[WRITE_MAX];
	size_t len;
	long long matched;		/* -1: not known */
	bool some_done;			/* earlier parts of a long list */
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
	size_t n = strcspn(path, "\n");

	if (path[n] && path[n + 1])
		die(CTL_USAGE, "%s: a target is one line", o->name);
	n += dry ? strlen(DRY) : 0;
	if (n + 1 > sizeof o->text)
		die(CTL_USAGE, "%s: %s", o->name, strerror(ENAMETOOLONG));
	if (o->len + n + 1 > sizeof o->text)
		flush(o);
	o->len += (size_t)snprintf(o->text + o->len, sizeof o->text - o->len, "%s%.*s\n",
				   dry ? DRY : "", (int)(n - (dry ? strlen(DRY) : 0)), path);
}

static int run(const struct command *c, int argc, char **argv)
{
	static struct order o;
	char *line = NULL;
	size_t cap = 0;
	bool input = argc > 1 && strcmp(argv[1], "-") == 0;

	if (argc < 2 || (input && argc > 2))
		die_usage(c);
	o.name = c->name;
	if (input)
		while (getline(&line, &cap, stdin) > 0)
			add(&o, line);
	else
		for (int i = 1; i < argc; i++)
			add(&o, argv[i]);
	flush(&o);
	free(line);
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
	"purge", "TARGET...|-", "remove what matches from the cache",
	TARGETS "Says how many responses matched.\n", false, purge,
};

const struct command command_refresh = {
	"refresh", "TARGET...|-", "mark what matches stale: the next open asks the origin",
	TARGETS "Says how many responses matched.\n", false, refresh,
};
