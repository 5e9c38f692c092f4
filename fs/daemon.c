#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/log.h"

#define FUSE_SUPER_MAGIC 0x65735546	/* linux/magic.h, from 6.2 on */
#define READY '+'
#define FAILED '-'		/* a line for people follows, maybe an empty one */

static void complain(const char *why)
{
	fprintf(stderr, "webcachefs: %s\n", why);
}

/* --- the command --- */

/* Until its end is closed, which the daemon's death does too. */
static size_t read_all(int fd, char *text, size_t cap)
{
	size_t len = 0;
	ssize_t n;

	while (len < cap - 1) {
		n = read(fd, text + len, cap - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	return len;
}

static int died(pid_t pid)
{
	int status = 0;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	if (got == pid && WIFSIGNALED(status))
		fprintf(stderr, "webcachefs: the daemon was killed at its start: %s\n",
			strsignal(WTERMSIG(status)));
	else
		complain("the daemon ended at its start");
	return DAEMON_EXIT_FAILED;
}

/* Asks the mount: the answer comes from the daemon's workers. */
static int ask(const char *mountpoint)
{
	struct statfs fs;
	int err;

	do
		err = statfs(mountpoint, &fs) < 0 ? errno : 0;
	while (err == EINTR);
	if (err) {
		fprintf(stderr, "webcachefs: %s does not answer: %s\n", mountpoint, strerror(err));
		return DAEMON_EXIT_FAILED;
	}
	if (fs.f_type != FUSE_SUPER_MAGIC) {
		fprintf(stderr, "webcachefs: %s was unmounted again at once\n", mountpoint);
		return DAEMON_EXIT_FAILED;
	}
	return EXIT_SUCCESS;
}

static int wait_for(pid_t pid, int fd, const char *mountpoint)
{
	char text[1024];

	if (read_all(fd, text, sizeof text) == 0)
		return died(pid);
	if (text[0] == READY)
		return ask(mountpoint);
	if (text[1])
		complain(text + 1);
	/* Nothing is left of it when we are gone. */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return DAEMON_EXIT_FAILED;
}

/* --- the daemon --- */

static int null_to(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	if (dup2(null, fd) < 0) {
		close(null);
		return -errno;
	}
	if (null != fd)
		close(null);
	return 0;
}

/* Not standard error yet: what goes wrong until then should be seen. */
static int detach(void)
{
	int err;

	if (setsid() < 0 || chdir("/") < 0)
		return -errno;
	err = null_to(STDIN_FILENO);
	return err < 0 ? err : null_to(STDOUT_FILENO);
}

int daemon_begin(struct daemon *d, const char *mountpoint)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		int err = -errno;

		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (pid > 0) {
		close(ends[1]);
		exit(wait_for(pid, ends[0], mountpoint));
	}
	close(ends[0]);
	d->fd = ends[1];
	return detach();
}

void daemon_stay(struct daemon *d)
{
	d->fd = -1;
}

void daemon_leave(struct daemon *d)
{
	if (d->fd < 0)
		return;
	log_to_syslog("webcachefs");
	null_to(STDERR_FILENO);
	close(d->fd);
	d->fd = -1;
	d->detached = true;
}

static int tell(struct daemon *d, char what, const char *text)
{
	char line[1024];
	int len = snprintf(line, sizeof line, "%c%s", what, text);
	ssize_t n;

	if (len >= (int)sizeof line)
		len = (int)sizeof line - 1;
	/* Less than PIPE_BUF: it goes whole or not at all. */
	do
		n = write(d->fd, line, (size_t)len);
	while (n < 0 && errno == EINTR);
	n = n < 0 ? -errno : 0;
	close(d->fd);
	d->fd = -1;
	return (int)n;
}

int daemon_ready(struct daemon *d)
{
	int err;

	if (d->fd < 0)
		return 0;
	log_to_syslog("webcachefs");
	err = null_to(STDERR_FILENO);
	if (err < 0)
		return err;
	return tell(d, READY, "");
}

void daemon_failed(struct daemon *d, const char *why)
{
	if (d->fd >= 0)
		tell(d, FAILED, why ? why : "");
	else if (why && d->detached)
		log_error("%s", why);
	else if (why)
		complain(why);
}
