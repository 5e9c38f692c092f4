#include "unmount.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "../base/log.h"

bool unmount_was_done(int device)
{
	struct pollfd p = { .fd = device };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

static int run_fusermount(const char *mountpoint)
{
	const char *const argv[] = { "fusermount3", "-u", "-q", "-z", "--", mountpoint, NULL };
	extern char **environ;
	int status, err;
	pid_t pid, got;

	err = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ);
	if (err)
		return -err;
	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	return got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

uint64_t unmount_device(const char *mountpoint)
{
	struct statx st;

	if (statx(AT_FDCWD, mountpoint, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &st) < 0)
		return 0;
	return makedev(st.stx_dev_major, st.stx_dev_minor);
}

bool unmount_is_ours(const char *mountpoint, uint64_t device)
{
	uint64_t now = device ? unmount_device(mountpoint) : 0;

	if (!now || now == device)
		return true;
	log_warn("%s: something else is mounted there now: it is left alone", mountpoint);
	return false;
}

int unmount_lazily(const char *mountpoint, int device, uint64_t mounted)
{
	if (unmount_was_done(device))
		return 0;
	if (!unmount_is_ours(mountpoint, mounted))
		return -EBUSY;
	if (umount2(mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	return errno == EPERM ? run_fusermount(mountpoint) : -errno;
}
