/* ballast.c - see ballast.h. */
#include "ballast.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/cleanup.h"

#define NAME "ballast"

enum { LEAST = 256 * 1024, MOST = 1024 * 1024 };

int64_t ballast_bytes(int64_t limit)
{
	int64_t bytes = limit / 64 / LEAST * LEAST;

	return bytes < LEAST ? LEAST : bytes > MOST ? MOST : bytes;
}

void ballast_keep(int dir, int64_t bytes)
{
	_cleanup_(cleanup_close) int fd = -1;
	struct statvfs disk;
	struct stat st;

	if (fstatat(dir, NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == bytes)
		return;
	if (fstatvfs(dir, &disk) < 0 || (int64_t)(disk.f_bavail * disk.f_frsize) < 4 * bytes)
		return;
	fd = openat(dir, NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && posix_fallocate(fd, 0, bytes) != 0)
		unlinkat(dir, NAME, 0);
}

bool ballast_drop(int dir)
{
	return unlinkat(dir, NAME, 0) == 0;
}
