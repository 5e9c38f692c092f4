/* sweep.c - see sweep.h. */
#include "sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob_file.h"

#define DIRS 256

/* A file, and by the time of the last change of its inode, which a rename sets too, an
 * older one; before NULL: of whatever age. */
static bool may_go(int dir, const char *name, const struct timespec *before, struct stat *ret)
{
	if (fstatat(dir, name, ret, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(ret->st_mode))
		return false;
	if (!before)
		return true;
	if (ret->st_ctim.tv_sec != before->tv_sec)
		return ret->st_ctim.tv_sec < before->tv_sec;
	return ret->st_ctim.tv_nsec < before->tv_nsec;
}

/* The inode number when it is one of our names and in its directory. */
static bool parse_name(const char *name, unsigned dir, uint64_t *ret)
{
	char again[24];

	if (sscanf(name, "%20" SCNu64, ret) != 1)
		return false;
	snprintf(again, sizeof(again), "%" PRIu64, *ret);
	return strcmp(name, again) == 0 && *ret % DIRS == dir;
}

static int sweep_dir(int blobs, struct space *space, unsigned i, const struct timespec *before,
		     bool (*known)(void *arg, uint64_t ino), void *arg,
		     const _Atomic bool *stop, int64_t *removed)
{
	struct dirent *entry;
	char name[3];
	int fd, r = 0;
	DIR *d;

	snprintf(name, sizeof(name), "%02x", i & 0xff);
	fd = openat(blobs, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	d = fdopendir(fd);
	if (!d) {
		r = -errno;
		close(fd);
		return r;
	}
	while (!*stop && (errno = 0, entry = readdir(d))) {
		struct stat st;
		uint64_t ino;

		if (parse_name(entry->d_name, i, &ino) && known(arg, ino))
			continue;
		if (!may_go(fd, entry->d_name, before, &st))
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0) {
			space_release(space, blob_file_disk((uint64_t)st.st_size));
			++*removed;
		} else if (errno != ENOENT && r == 0) {
			r = -errno;
		}
	}
	closedir(d);
	return r;
}

int sweep_files(int dir, struct space *space, const struct timespec *before,
		bool (*known)(void *arg, uint64_t ino), void *arg, const _Atomic bool *stop,
		int64_t *removed)
{
	int r = 0;

	for (unsigned i = 0; i < DIRS && !*stop; i++) {
		int err = sweep_dir(dir, space, i, before, known, arg, stop, removed);

		if (r == 0)
			r = err;
	}
	return r;
}
