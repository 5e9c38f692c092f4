/* disk.c - see disk.h. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int disk_read(int fd, void *buf, size_t len, int64_t pos)
{
	char *to = buf;

	while (len > 0) {
		ssize_t n = pread(fd, to, len, pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EBADMSG;
		to += n;
		pos += n;
		len -= n;
	}
	return 0;
}

int disk_write(int fd, const void *buf, size_t len, int64_t pos)
{
	const char *from = buf;

	while (len > 0) {
		ssize_t n = pwrite(fd, from, len, pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		from += n;
		pos += n;
		len -= n;
	}
	return 0;
}

int64_t disk_bytes(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return (int64_t)st.st_blocks * 512;
}
