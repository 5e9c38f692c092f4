#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void control_path(const char *name, char *ret, size_t len)
{
	if (snprintf(ret, len, "%s/.control/%s", mount_dir(), name) >= (int)len)
		die(CTL_FAILED, "%s: %s", name, strerror(ENAMETOOLONG));
}

char *control_read(const char *name)
{
	char path[2 * PATH_MAX], *text = NULL;
	size_t cap = 0;
	FILE *file;

	control_path(name, path, sizeof path);
	file = fopen(path, "re");
	if (!file || (getdelim(&text, &cap, '\0', file) < 0 && ferror(file)))
		die(CTL_FAILED, "%s: %s", path, strerror(errno));
	fclose(file);
	if (!text)
		text = strdup("");
	if (!text)
		die(CTL_FAILED, "%s", strerror(ENOMEM));
	return text;
}

bool control_has(const char *name)
{
	char path[2 * PATH_MAX];

	control_path(name, path, sizeof path);
	return access(path, F_OK) == 0;
}

int control_write(const char *name, const char *text, size_t len)
{
	char path[2 * PATH_MAX];
	int fd, err = 0;

	control_path(name, path, sizeof path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die(CTL_FAILED, "%s: %s", path, strerror(errno));
	if (write(fd, text, len) < 0)
		err = -errno;
	close(fd);
	return err;
}
