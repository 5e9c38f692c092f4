/* notify.h - tell the kernel that the names it remembers are out of date.
 *
 * FUSE_NOTIFY_INC_EPOCH (Linux 6.16, fuse_dev.c) makes it ask for every name again, and
 * drop the inodes and pages of those that nobody has open: not to be done lightly.
 * It takes no lock, unlike notify_inval_entry, which needs the directory's: a parked
 * LOOKUP holds that one. Older kernels are waited for: no name is trusted longer
 * than its entry timeout.
 *
 * Any thread, with no lock held. */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct fs;

enum epochs { EPOCHS_UNKNOWN, EPOCHS_NONE, EPOCHS_WORK };

struct notify {
	_Atomic int epochs;		/* enum epochs */
	_Atomic int64_t trusted_until_ms;	/* mono: latest end of an entry timeout given out */
	_Atomic unsigned turn;		/* its last bit: which of the two counts replies now */
	_Atomic int replying[2];
	pthread_mutex_t turn_lock;	/* of who changes turn */

	/* Guarded by lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed;		/* CLOCK_MONOTONIC */
	bool wanted, ending, ended, running;
	uint64_t *scribbled;		/* inodes whose pages are to go; owned */
	size_t n_scribbled, cap_scribbled;
	pthread_t thread;		/* N */
};

int notify_init(struct notify *n);
void notify_fini(struct notify *n);

/* Thread N. Stopped before the session goes; notifications are dropped then. */
int notify_start(struct fs *fs);
/* The mount ends, and with it all that the kernel remembers: nobody waits for that any more. */
void notify_ending(struct fs *fs);
/* When no worker is left. N may be waiting for a page whose READ nobody answers, so meanwhile()
 * is called again and again until N has ended. */
void notify_stop(struct fs *fs, void (*meanwhile)(struct fs *fs));

/* When this returns, every open that begins asks us again for the names in it. */
void notify_purged(struct fs *fs);

/* Before a daemon that took over reads any request: the kernel asks for every name again, as
 * nothing is known of them, and sends again what was not answered. */
void notify_taken_over(struct fs *fs);

/* The same as notify_purged(), soon, and without waiting. arg is the struct fs: fits index_config. */
void notify_stale_names(void *arg);

/* Somebody whom modes do not stop tried to write to a file that is not for writing. Through a
 * shared mapping he can change the pages that the kernel keeps of it (OPEN is not sent, so it
 * cannot be refused): they are dropped, soon. */
void notify_scribbled(struct fs *fs, uint64_t ino);

/* Whether the kernel knows epochs. Asks it the first time, after INIT. */
bool notify_has_epochs(struct fs *fs);

/* Around each reply that shows a file by a name for ms: begin, see whether the version is
 * current, reply, end. A purge first makes versions not current, and then waits for the
 * replies that may not have seen it. No lock: begin returns what end wants back. */
int notify_begin_reply(struct fs *fs);
void notify_end_reply(struct fs *fs, int turn, int64_t ms);

#endif
