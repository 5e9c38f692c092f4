/* keeper.h - a mount outlives its daemon.
 *
 * The keeper is a process above the daemon that holds the FUSE device open and waits for
 * the daemon to end. When that dies of a signal, or fails with the mount still there, the
 * keeper forks another one, which is given the device and what the dead one left
 * (handover.h), and has the kernel send again what was not answered (session.c;
 * FUSE_NOTIFY_RESEND, Linux 6.9). The keeper never starts a thread, and touches neither the
 * cache nor the network: there is little it could die of. Signals are passed on to the
 * daemon. When the keeper dies itself, the kernel sends the daemon SIGTERM.
 *
 * Before threads. */
#ifndef FS_KEEPER_H
#define FS_KEEPER_H

#include <signal.h>
#include <stdbool.h>

struct daemon;
struct handover;
struct options;

/* What a daemon knows of its keeper. */
struct keeper {
	struct handover *handover;	/* NULL: there is no keeper */
	int device;			/* to take over; -1: there is nothing yet */
	bool careful;			/* what the dead one was asked may be what killed it */
	int socket;			/* to the keeper */
	sigset_t signals;		/* blocked once they can be taken */
};

/* Nobody keeps the mount. */
void keeper_none(struct keeper *k);

/* Returns in each daemon alone, again for every one that is to take over; the keeper
 * waits in here and exits with the status of the last. 0 or -errno (then there is
 * no keeper). Signals to end, and SIGHUP, are blocked until keeper_take_signals(): else
 * one that is passed on early would be a death. */
int keeper_begin(struct keeper *k, struct daemon *d, const struct options *o);

/* There are handlers now. */
void keeper_take_signals(const struct keeper *k);

/* The mount is served from now on: if the daemon dies, it is to be taken over. device: stays
 * the caller's, the keeper gets a duplicate. 0 or -errno. */
int keeper_ready(struct keeper *k, int device);

#endif
