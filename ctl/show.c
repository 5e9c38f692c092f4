/* show.c - commands that show a control file as it is: explain, health, transfers. */
#include "ctl.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(const char *name)
{
	char *text = control_read(name);

	fputs(text, stdout);
	free(text);
}

static int explain(int argc, char **argv)
{
	char name[PATH_MAX] = "explain/";
	size_t n = strlen(name);
	const char *s;

	if (argc != 2)
		die_usage(&command_explain);
	for (s = mount_relative(argv[1]); *s && n + 4 < sizeof name; s++)
		n += (size_t)(isalnum((unsigned char)*s) || strchr("-_~", *s) ?
				      snprintf(name + n, 2, "%c", *s) :
				      snprintf(name + n, 4, "%%%02X", (unsigned char)*s));
	if (*s)
		die(CTL_USAGE, "explain: %s", strerror(ENAMETOOLONG));
	show(name);
	return CTL_DONE;
}

const struct command command_explain = {
	"explain", "NAME", "what is known of a URL or path, and what an open would do (JSON)",
	"NAME is a URL, or a path below the mount point. No origin is asked.\n", false, explain,
};

static int health(int argc, char **argv)
{
	char *text;
	int status;

	if (argc != 1)
		die_usage(&command_health);
	(void)argv;
	if (!control_has("health"))
		die(CTL_USAGE, "%s: failing: %s", mount_dir(),
		    errno == ENOENT ? "no mount is there" : strerror(errno));
	text = control_read("health");
	fputs(text, stdout);
	status = strncmp(text, "ok", 2) == 0 ? 0 : strncmp(text, "degraded", 8) == 0 ? 1 : 2;
	free(text);
	return status;
}

const struct command command_health = {
	"health", "", "whether all is well; exit status 0: ok, 1: degraded, 2: failing", "", false,
	health,
};

static int transfers(int argc, char **argv)
{
	if (argc != 1)
		die_usage(&command_transfers);
	(void)argv;
	show("transfers");
	return CTL_DONE;
}

const struct command command_transfers = {
	"transfers", "", "what is being fetched now (JSON)", "", false, transfers,
};
