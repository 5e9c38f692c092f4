#include "unmount.h"

#include <errno.h>
#include <poll.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/wait.h>

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

int unmount_lazily(const char *mountpoint, int device)
{
	if (unmount_was_done(device))
		return 0;
	if (umount2(mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	return errno == EPERM ? run_fusermount(mountpoint) : -errno;
}
