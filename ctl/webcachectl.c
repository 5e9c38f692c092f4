/* webcachectl - a thin front for the files in .control of a mount.
 *
 * Exit status: 0; 1 when something failed or health is degraded; 2 for wrong usage or
 * failing health. Of check: 0 clean, 1 repaired, 2 failed. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

#define WRITE_MAX (64 * 1024)	/* one order; longer lists are cut between lines */

static char mount[PATH_MAX];	/* "": not known yet */

void ctl_die(int status, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("webcachectl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(status);
}

static const char usage[] =
	"usage: webcachectl [-m MOUNTPOINT] COMMAND\n"
	"\n"
	"  stats [--json]     numbers of the daemon and its cache\n"
	"  transfers          what is being fetched now (JSON)\n"
	"  purge TARGET...    remove what matches; - reads targets from standard input\n"
	"  refresh TARGET...  mark it stale: the next open asks the origin\n"
	"  explain NAME       what is known of a URL, or of a path below the mount (JSON)\n"
	"  check [CACHE_DIR]  verify all that is stored, and repair; exit status 0: clean,\n"
	"                     1: repaired, 2: failed\n"
	"  health             exit status 0: ok, 1: degraded, 2: failing\n"
	"\n"
	"The mount is found by itself when there is only one, or the current directory is in it.\n"
	"Targets: a URL or path, with * anywhere; host:NAME, tag:NAME, stale, all; with \"dry-run \"\n"
	"before it, it is only counted.\n";

/* --- the mount --- */

/* Octal escapes, as /proc/self/mountinfo has them, in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (s[0] == '\\' && isdigit(s[1]) && isdigit(s[2]) && isdigit(s[3])) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	*to = '\0';
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static void find_mount(void)
{
	FILE *info = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, here[PATH_MAX], found[PATH_MAX] = "";
	size_t cap = 0;
	int n = 0;

	if (!info)
		ctl_die(1, "/proc/self/mountinfo: %s", strerror(errno));
	if (!getcwd(here, sizeof here))
		here[0] = '\0';
	while (getline(&line, &cap, info) > 0) {
		char *dir = NULL, *rest = line;

		if (!strstr(line, " - fuse.webcachefs "))
			continue;
		for (int i = 0; i < 5; i++)
			dir = strsep(&rest, " ");
		unescape(dir);
		if (is_below(here, dir))
			snprintf(mount, sizeof mount, "%s", dir);
		if (strcmp(found, dir) != 0)
			n++;
		snprintf(found, sizeof found, "%s", dir);
	}
	free(line);
	fclose(info);
	if (mount[0])
		return;
	if (n != 1)
		ctl_die(2, n ? "several mounts: say which with -m" : "nothing is mounted");
	snprintf(mount, sizeof mount, "%s", found);
}

/* --- its files --- */

static void control_path(const char *name, char *ret, size_t len)
{
	if (snprintf(ret, len, "%s/.control/%s", mount, name) >= (int)len)
		ctl_die(1, "%s: %s", name, strerror(ENAMETOOLONG));
}

/* Borrowed until the program ends. */
static char *control_read(const char *name)
{
	char path[2 * PATH_MAX], *text = NULL;
	size_t cap = 0;
	FILE *file;

	control_path(name, path, sizeof path);
	file = fopen(path, "re");
	if (!file || (getdelim(&text, &cap, '\0', file) < 0 && ferror(file)))
		ctl_die(1, "%s: %s", path, strerror(errno));
	fclose(file);
	return text ? text : strdup("");
}

const char *ctl_mount(void)
{
	if (!mount[0])
		find_mount();
	return mount;
}

char *ctl_read(const char *name)
{
	ctl_mount();
	return control_read(name);
}

int ctl_write(const char *name, const char *text, size_t len)
{
	char path[2 * PATH_MAX];
	int fd, err;

	ctl_mount();
	control_path(name, path, sizeof path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write(fd, text, len) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static void control_write(const char *name, const char *text, size_t len)
{
	char path[2 * PATH_MAX];
	int fd;

	control_path(name, path, sizeof path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		ctl_die(1, "%s: %s", path, strerror(errno));
	if (write(fd, text, len) < 0)
		ctl_die(1, "%s: %s", name, errno == EINVAL ? "a target is wrong; nothing was done" :
							 strerror(errno));
	close(fd);
}

/* --- commands --- */

/* What the last order of ours matched; the daemon may know us by another pid. */
static long long matched(void)
{
	char *line, *rest = control_read("purged"), pid[32], *at;

	snprintf(pid, sizeof pid, "\"pid\": %d,", (int)getpid());
	while ((line = strsep(&rest, "\n")))
		if (strstr(line, pid) && (at = strstr(line, "\"matched\": ")))
			return strtoll(at + 11, NULL, 10);
	return -1;
}

static int order(const char *name, char **targets)
{
	char *line = NULL;
	static char text[WRITE_MAX];
	size_t len = 0, cap = 0;
	long long sum = 0, some;
	bool input = targets[0] && strcmp(targets[0], "-") == 0, more = true;

	if (!targets[0] || (input && targets[1]))
		ctl_die(2, "%s: say what, or - alone", name);
	while (more) {
		const char *next = *targets;
		size_t n = 0;

		if (input)
			more = getline(&line, &cap, stdin) > 0;
		else
			more = *targets++ != NULL;
		if (more) {
			next = input ? line : next;
			n = strcspn(next, "\n");
			if (n + 1 > sizeof text)
				ctl_die(2, "%s: %s", name, strerror(ENAMETOOLONG));
		}
		if (len && (!more || len + n + 1 > sizeof text)) {
			control_write(name, text, len);
			some = matched();
			sum = some < 0 || sum < 0 ? -1 : sum + some;
			len = 0;
		}
		if (more) {
			memcpy(text + len, next, n);
			text[len + n] = '\n';
			len += n + 1;
		}
	}
	free(line);
	if (sum >= 0)
		printf("%lld matched\n", sum);
	return 0;
}

static int stats(char **args)
{
	char *line, *rest = control_read("stats");

	if (args[0] && strcmp(args[0], "--json") == 0) {
		fputs(rest, stdout);
		return 0;
	}
	while ((line = strsep(&rest, "\n"))) {
		char name[64], value[64];

		if (sscanf(line, " \"%63[a-z_]\": %63[^,\n]", name, value) == 2)
			printf("%-20s %s\n", name, value);
	}
	return 0;
}

static int explain(char **args)
{
	char name[PATH_MAX] = "explain/";
	size_t n = strlen(name);
	const char *s = args[0];

	if (!s || args[1])
		ctl_die(2, "explain: say one URL or path");
	if (s[0] == '/' && is_below(s, mount))
		s += strlen(mount);
	for (; *s && n + 4 < sizeof name; s++)
		n += (size_t)(isalnum((unsigned char)*s) || strchr("-_~", *s) ?
				      snprintf(name + n, 2, "%c", *s) :
				      snprintf(name + n, 4, "%%%02X", (unsigned char)*s));
	if (*s)
		ctl_die(2, "explain: %s", strerror(ENAMETOOLONG));
	fputs(control_read(name), stdout);
	return 0;
}

static int health(void)
{
	char *text = control_read("health");

	fputs(text, stdout);
	return strncmp(text, "ok", 2) == 0 ? 0 : strncmp(text, "degraded", 8) == 0 ? 1 : 2;
}

static int run(const char *command, char **args)
{
	if (strcmp(command, "stats") == 0)
		return stats(args);
	if (strcmp(command, "purge") == 0 || strcmp(command, "refresh") == 0)
		return order(command, args);
	if (strcmp(command, "explain") == 0)
		return explain(args);
	if (strcmp(command, "health") == 0)
		return health();
	if (strcmp(command, "check") == 0)
		return ctl_check(args);
	if (strcmp(command, "transfers") != 0)
		ctl_die(2, "no such command: %s; see --help", command);
	fputs(control_read("transfers"), stdout);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { 0 }
	};
	int c, status;

	while ((c = getopt_long(argc, argv, "+m:hV", options, NULL)) != -1) {
		if (c == 'm' && !realpath(optarg, mount))
			ctl_die(2, "%s: %s", optarg, strerror(errno));
		if (c == 'h' || c == 'V') {
			fputs(c == 'h' ? usage : "webcachectl " WEBCACHEFS_VERSION "\n", stdout);
			return 0;
		}
		if (c == '?')
			return 2;
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return 2;
	}
	/* What check looks at need not be mounted. */
	if (!mount[0] && strcmp(argv[optind], "check") != 0)
		find_mount();
	status = run(argv[optind], argv + optind + 1);
	if (fflush(stdout) != 0)
		ctl_die(1, "%s", strerror(errno));
	return status;
}
