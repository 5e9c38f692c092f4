#include "ctl.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char mount[PATH_MAX];	/* "": not known yet */

const char *mount_dir(void)
{
	return mount;
}

void mount_set(const char *dir)
{
	if (!realpath(dir, mount))
		die(CTL_USAGE, "%s: %s", dir, strerror(errno));
}

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

const char *mount_relative(const char *text)
{
	return text[0] == '/' && is_below(text, mount) ? text + strlen(mount) : text;
}

/* The mount point of a line of mountinfo, in place; NULL: not one of ours. */
static char *mount_of_line(char *line)
{
	char *dir = NULL;

	if (!strstr(line, " - fuse.webcachefs "))
		return NULL;
	for (int i = 0; i < 5; i++)
		dir = strsep(&line, " ");
	unescape(dir);
	return dir;
}

void mount_find(void)
{
	FILE *info = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, *dir, here[PATH_MAX], found[PATH_MAX] = "";
	size_t cap = 0;
	int n = 0;

	if (!info)
		die(CTL_FAILED, "/proc/self/mountinfo: %s", strerror(errno));
	if (!getcwd(here, sizeof here))
		here[0] = '\0';
	while (getline(&line, &cap, info) > 0) {
		dir = mount_of_line(line);
		if (!dir)
			continue;
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
		die(CTL_USAGE, n ? "several mounts: say which with -m" : "nothing is mounted");
	snprintf(mount, sizeof mount, "%s", found);
}
