/* read_ahead.c - see read_ahead.h. */
#include "read_ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/log.h"

void read_ahead_set(const char *mountpoint, int64_t bytes)
{
	_cleanup_(cleanup_close) int fd = -1;
	char path[64], kib[24];
	struct statx st;
	int len;

	/* Nobody answers yet: what the kernel knows must do. */
	if (statx(AT_FDCWD, mountpoint, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &st) < 0)
		return;
	snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", st.stx_dev_major,
		 st.stx_dev_minor);
	len = snprintf(kib, sizeof(kib), "%lld", (long long)(bytes / 1024));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, kib, (size_t)len) != len)
		log_debug("read-ahead stays as it is: %s: %s", path, strerror(errno));
}
