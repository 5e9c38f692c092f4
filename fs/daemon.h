/* daemon.h - into the background, with an honest exit status.
 *
 * The command waits until the mount answers, or says why there is none: what is typed
 * next may rely on it. Before any thread is started. */
#ifndef FS_DAEMON_H
#define FS_DAEMON_H

#include <stdbool.h>

enum {
	DAEMON_EXIT_FAILED = 1,
	DAEMON_EXIT_USAGE = 2,
};

struct daemon {
	int fd;		/* to the command that waits; -1: none does */
	bool detached;	/* in the background, and standard error is no more */
};

/* Returns in the daemon alone, detached but for its standard error; the command
 * waits in here and exits. 0 or -errno. */
int daemon_begin(struct daemon *d, const char *mountpoint);

/* The process stays only to keep the mount (keeper.h): the command waits for another. */
void daemon_leave(struct daemon *d);

/* In the foreground: failures are told on standard error at once. */
void daemon_stay(struct daemon *d);

/* The mount is there, and is served from now on. The command makes sure by asking it,
 * and ends with 0. Standard error is /dev/null and the log goes to syslog after this.
 * 0, or -EPIPE: the command was interrupted, so nobody wants the mount. */
int daemon_ready(struct daemon *d);

/* There is no mount. why: one line; NULL: it was said already. */
void daemon_failed(struct daemon *d, const char *why);

#endif
