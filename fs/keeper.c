#include "keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/access_log.h"
#include "../base/clock.h"
#include "../base/log.h"
#include "../base/step.h"
#include "daemon.h"
#include "handover.h"
#include "options.h"
#include "unmount.h"

#define QUICK_MS 10000			/* who dies sooner dies in a row */
#define QUICK_MAX 5
#define PAUSE_MS 50			/* before the second in a row; doubles */

/* What the keeper knows. */
struct keeping {
	const struct options *options;
	struct handover *handover;
	sigset_t signals, old;
	int sockets[2];			/* its own end, and the daemons' */
	int device;			/* -1: not given yet */
	pid_t daemon;
	int64_t ready_ms;		/* mono: the daemon; 0: it is not, so far */
	unsigned quick;			/* ends in a row */
	bool stopping;			/* it was told to */
};

void keeper_none(struct keeper *k)
{
	*k = (struct keeper){ .device = -1, .socket = -1 };
}

/* --- the daemon's side --- */

int keeper_ready(struct keeper *k, int device)
{
	int64_t now = clock_mono_ms();
	struct iovec iov = { &now, sizeof(now) };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (!k->handover)
		return 0;
	m.msg_control = control.bytes;
	m.msg_controllen = sizeof(control.bytes);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &device, sizeof(int));
	return sendmsg(k->socket, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int begin_life(struct keeping *g, struct keeper *k, pid_t keeper)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* It may have died before that. */
	if (getppid() != keeper)
		_exit(DAEMON_EXIT_FAILED);
	close(g->sockets[0]);
	if (g->device >= 0)
		step_armed = false;
	*k = (struct keeper){
		.handover = g->handover,
		.device = g->device,
		.careful = g->quick > 1,
		.socket = g->sockets[1],
		.signals = g->old,
	};
	return 0;
}

void keeper_take_signals(const struct keeper *k)
{
	if (k->handover)
		sigprocmask(SIG_SETMASK, &k->signals, NULL);
}

/* --- the keeper's --- */

/* What the daemon has sent, dead or alive. */
static void receive(struct keeping *g)
{
	int64_t ready_ms;
	struct iovec iov = { &ready_ms, sizeof(ready_ms) };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	int fd;

	for (;;) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		if (recvmsg(g->sockets[0], &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) !=
		    sizeof(ready_ms))
			return;
		g->ready_ms = ready_ms;
		c = CMSG_FIRSTHDR(&m);
		if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
		if (g->device >= 0)
			close(g->device);
		g->device = fd;
	}
}

/* As if the keeper were the daemon, for who waits for it. */
static _Noreturn void end_as(struct keeping *g, int status)
{
	sigset_t one;

	/* Whoever still waits for the mount gets ENOTCONN. */
	if (g->device >= 0)
		close(g->device);
	if (WIFEXITED(status))
		exit(WEXITSTATUS(status));
	sigemptyset(&one);
	sigaddset(&one, WTERMSIG(status));
	signal(WTERMSIG(status), SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(WTERMSIG(status));
	exit(DAEMON_EXIT_FAILED);
}

static void pass_on(struct keeping *g, int number)
{
	g->stopping |= number != SIGHUP;
	if (g->daemon > 0)
		kill(g->daemon, number);
}

/* Returns the daemon's status. */
static int wait_for_end(struct keeping *g)
{
	int status, number;

	for (;;) {
		number = sigwaitinfo(&g->signals, NULL);
		if (number > 0 && number != SIGCHLD)
			pass_on(g, number);
		if (waitpid(g->daemon, &status, WNOHANG) == g->daemon) {
			g->daemon = 0;
			return status;
		}
	}
}

/* False: it was told to stop meanwhile. */
static bool wait_a_moment(struct keeping *g, int64_t ms)
{
	const int64_t until = clock_mono_ms() + ms;

	for (int64_t left; !g->stopping && (left = until - clock_mono_ms()) > 0;) {
		struct timespec t = { left / 1000, left % 1000 * 1000000 };
		int number = sigtimedwait(&g->signals, NULL, &t);

		if (number > 0 && number != SIGCHLD)
			pass_on(g, number);
	}
	return !g->stopping;
}

static const char *how(int status)
{
	return WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it failed";
}

/* What the daemon was told to do before it died. */
static _Noreturn void end_for_it(struct keeping *g, int status)
{
	int r = unmount_lazily(g->options->mountpoint, g->device,
			       handover_device(g->handover));

	log_warn("the daemon of %s died (%s) while it was to end", g->options->mountpoint,
		 how(status));
	end_as(g, W_EXITCODE(r < 0 ? DAEMON_EXIT_FAILED : EXIT_SUCCESS, 0));
}

/* Returns when another one is to take over. */
static void after(struct keeping *g, int status)
{
	receive(g);
	/* It ended on its own, or there was no mount yet. */
	if (g->device < 0 || (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || g->stopping ||
						    unmount_was_done(g->device))))
		end_as(g, status);
	g->quick = clock_mono_ms() - g->ready_ms < QUICK_MS || g->ready_ms == 0 ? g->quick + 1 : 1;
	if (g->quick > QUICK_MAX) {
		log_error("the daemon of %s died (%s), %u times in a row: given up",
			  g->options->mountpoint, how(status), g->quick);
		end_as(g, W_EXITCODE(DAEMON_EXIT_FAILED, 0));
	}
	if (g->stopping || (g->quick > 1 && !wait_a_moment(g, PAUSE_MS << g->quick)))
		end_for_it(g, status);
	log_warn("the daemon of %s died (%s): another one takes over", g->options->mountpoint,
		 how(status));
	handover_end_life(g->handover);
}

static int fork_daemon(struct keeping *g)
{
	int err;

	g->ready_ms = 0;
	fflush(NULL);
	g->daemon = fork();
	if (g->daemon >= 0)
		return 0;
	err = -errno;
	log_warn("cannot fork: %s", strerror(-err));
	return err;
}

static void forget(struct keeping *g)
{
	sigprocmask(SIG_SETMASK, &g->old, NULL);
	close(g->sockets[0]);
	close(g->sockets[1]);
	handover_free(g->handover);
}

int keeper_begin(struct keeper *k, struct daemon *d, const struct options *o)
{
	struct keeping g = { .options = o, .device = -1 };
	pid_t self = getpid();
	int r = handover_new(&g.handover);

	keeper_none(k);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, g.sockets) < 0) {
		r = -errno;
		handover_free(g.handover);
		return r;
	}
	/* Whoever started us may ignore it: then nobody would be told of a death. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&g.signals);
	sigaddset(&g.signals, SIGCHLD);
	sigaddset(&g.signals, SIGTERM);
	sigaddset(&g.signals, SIGINT);
	sigaddset(&g.signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &g.signals, &g.old);
	r = fork_daemon(&g);
	if (r < 0) {
		forget(&g);
		return r;
	}
	if (g.daemon > 0) {
		daemon_leave(d);
		access_log_leave();
	}
	while (g.daemon != 0) {
		int status = wait_for_end(&g);

		after(&g, status);
		while (fork_daemon(&g) < 0)
			if (!wait_a_moment(&g, 1000))
				end_for_it(&g, status);
	}
	return begin_life(&g, k, self);
}
