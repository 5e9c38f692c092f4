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

bool check_disk_use(struct index *ix)
{
	int64_t before, disk, after, counted;

	/* Else thread I does, about once a second. */
	if (!ix->running)
		space_set_index(&ix->space, db_disk_bytes(ix->db));
	before = space_used(&ix->space);
	disk = bytes_below(ix->dir, ".", 1);
	after = space_used(&ix->space);
	counted = before > after ? before : after;

	/* What is written while this looks was counted before it was written. */
	if (disk <= counted)
		return false;
	log_warn("check: %lld bytes on the disk were not counted", (long long)(disk - counted));
	space_count(&ix->space, disk - counted);
	return true;
}
