/* check_disk.c - see check_disk.h. */
#include "check_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/log.h"
#include "index_private.h"

enum { LOOKS = 5 };

enum { DEEPEST = 3 };	/* DIR/blobs/XX */

static int64_t bytes_below(int dir, const char *name, int depth);

static int64_t bytes_of(int dir, const char *name, int depth)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISDIR(st.st_mode) && depth < DEEPEST)
		return bytes_below(dir, name, depth + 1);
	return S_ISREG(st.st_mode) ? (int64_t)st.st_blocks * 512 : 0;
}

static int64_t bytes_below(int dir, const char *name, int depth)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int64_t bytes = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			bytes += bytes_of(fd, entry->d_name, depth);
	closedir(d);
	return bytes;
}

/* Bytes that are there and were not counted, as far as one look can tell. What is written
 * meanwhile was counted before it was written. */
static int64_t uncounted(struct index *ix)
{
	int64_t before = space_used(&ix->space);
	int64_t disk = bytes_below(ix->dir, ".", 1);
	int64_t after = space_used(&ix->space);

	return disk - (before > after ? before : after);
}

bool check_disk_use(struct index *ix)
{
	int64_t least = INT64_MAX;

	/* Else thread I does, about once a second. */
	if (!ix->running)
		space_set_index(&ix->space, db_disk_bytes(ix->db));
	/* While others work, what one look sees is of no instant: a file may go behind it, and
	 * another one come before it. What really is not counted is so in each. */
	for (int look = 0; look < (ix->running ? LOOKS : 1) && least > 0; look++) {
		int64_t bytes = uncounted(ix);

		if (bytes < least)
			least = bytes;
	}
	if (least <= 0)
		return false;
	log_warn("check: %lld bytes on the disk were not counted", (long long)least);
	space_count(&ix->space, least);
	return true;
}
