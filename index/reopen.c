/* reopen.c - see reopen.h.
 *
 * Other threads use the descriptors of the directories all the time: dup3() puts new
 * files behind the same numbers, at once and for all of them. */
#include "reopen.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/log.h"
#include "index_private.h"
#include "lock.h"

bool reopen_is_gone(struct index *ix)
{
	struct stat used, named;

	if (fstat(ix->dir, &used) < 0)
		return false;
	if (used.st_nlink == 0)
		return true;
	return stat(ix->config.dir, &named) == 0 &&
	       (named.st_dev != used.st_dev || named.st_ino != used.st_ino);
}

int reopen_dir(struct index *ix)
{
	_cleanup_(cleanup_close) int dir = open(ix->config.dir,
						O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(cleanup_close) int lock = -1;
	int err;

	if (dir < 0)
		return -errno;
	err = lock_try(dir, &lock);
	if (!err && mkdirat(dir, "partial", 0700) < 0 && errno != EEXIST)
		err = -errno;
	if (!err)
		err = store_reopen(ix->store, dir);
	if (err)
		return err;
	if (dup3(dir, ix->dir, O_CLOEXEC) < 0 || dup3(lock, ix->lock_fd, O_CLOEXEC) < 0)
		return -errno;
	log_info("cache directory %s was made again", ix->config.dir);
	return 0;
}
