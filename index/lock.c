/* lock.c - see lock.h. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/clock.h"

#define NAME "lock"
#define ENDING " ending"

static int open_file(int dir)
{
	int fd = openat(dir, NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : fd;
}

static void say(int fd, const char *more)
{
	char text[64];
	int len = snprintf(text, sizeof text, "%d%s\n", (int)getpid(), more);

	/* It is only for people, and for who waits: a full disk does not matter. */
	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) < 0)
		return;
}

static void look(int fd, pid_t *ret_holder, bool *ret_ending)
{
	char text[64];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	*ret_holder = (pid_t)strtol(text, NULL, 10);
	*ret_ending = strstr(text, ENDING) != NULL;
}

int lock_try(int dir, int *ret)
{
	_cleanup_(cleanup_close) int fd = open_file(dir);

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	say(fd, "");
	*ret = TAKE_FD(fd);
	return 0;
}

int lock_take(int dir, int *ret, pid_t *ret_holder)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	int64_t begun = clock_mono_ms();

	for (;;) {
		_cleanup_(cleanup_close) int fd = -1;
		pid_t holder = 0;
		bool ending = false;
		int err = lock_try(dir, ret);

		if (err != -EBUSY)
			return err;
		fd = open_file(dir);
		if (fd >= 0)
			look(fd, &holder, &ending);
		if (ret_holder)
			*ret_holder = holder;
		if (clock_mono_ms() - begun >= (ending ? LOCK_ENDING_MS : LOCK_WAIT_MS))
			return err;
		nanosleep(&moment, NULL);
	}
}

void lock_end(int fd)
{
	say(fd, ENDING);
}
