/* fs.h - how do we show it? What everybody in fs/ shares.
 *
 * Threads: W (workers, session.c) answer requests; F and I (fetch, index) answer
 * parked ones through park.c; N (notify.c) talks to the kernel on its own. All may
 * use every field below but where one says otherwise. */
#ifndef FS_FS_H
#define FS_FS_H

/* The lowlevel API of libfuse 3.14: custom io, and loop limits. */
#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 314
#endif

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../fetch/fetch.h"
#include "../index/index.h"
#include "chores.h"
#include "history.h"
#include "inode.h"
#include "listing.h"
#include "notify.h"
#include "park.h"
#include "purged.h"
#include "revisit.h"
#include "warm.h"

struct fuse_session;
struct keeper;
struct options;

struct fs {
	/* Constant once session_mount() was called; borrowed from main.c. */
	const struct options *options;
	struct index *index;
	struct fetch *fetch;
	struct keeper *keeper;

	/* Constant once session_new() returned. */
	int64_t started_ms;		/* clock_wall_ms() */
	struct fuse_session *session;

	/* Constant once the kernel's INIT was answered. */
	_Atomic int64_t kernel_ttl_ms;	/* longest a name is trusted unasked */

	/* Each has its own lock. */
	struct inodes inodes;
	struct park park;
	struct listings listings;
	struct revisits revisits;
	struct notify notify;
	struct purged purged;
	struct history history;
	struct chores chores;
	struct warm warm;

	/* session.c's. */
	bool default_permissions;	/* the kernel checks modes; constant */
	uint64_t device;		/* of the mount; constant once it is there */
	bool left_mounted;		/* at the end: it could not be taken away */
	unsigned max_read;		/* bytes, the mount option; constant */
	bool resends;			/* the kernel can send requests again; constant */
	_Atomic bool init_answered;	/* channel.c's */
};

#endif
