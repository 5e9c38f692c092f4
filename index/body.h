/* body.h - the bytes of a version while they arrive, in the cheapest place that
 * holds them. Private to index/.
 *
 *   NONE -> MEMORY  up to BODY_SMALL bytes
 *        -> FILE    larger: partial/INO, sparse, space reserved before writing
 *        -> WINDOW  no room or a failing disk: anonymous memory that keeps the
 *                   last BODY_WINDOW bytes, so that readers are served all the same
 *
 * body_write() belongs to thread F. Everything else is called with the lock of
 * the version held, or when nobody else can see the version. */
#ifndef INDEX_BODY_H
#define INDEX_BODY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ranges.h"
#include "saved_map.h"
#include "space.h"
#include "version.h"

#define BODY_SMALL (256 * 1024)
#define BODY_WINDOW (8 * 1024 * 1024)

enum body_kind { BODY_NONE, BODY_MEMORY, BODY_FILE, BODY_WINDOW_MEMORY };

/* What all bodies of an index share; constant. */
struct body_place {
	int dir;			/* the cache directory */
	struct space *space;
};

struct body {
	/* guarded by the version's lock */
	enum body_kind kind;
	char *data;			/* MEMORY */
	size_t cap;
	int fd;				/* FILE, WINDOW; else -1 */
	struct ranges have;
	struct saved_map saved;		/* FILE: what a restart finds; a part of `have` */

	/* thread F only, until the body is whole */
	char path[32];			/* FILE: "partial/INO" */
	_Atomic int64_t reserved;	/* FILE: bytes taken from space; others may look */
	int64_t room;			/* FILE: part of it not written to yet */
	int64_t last_end;		/* where the last write ended */

	_Atomic bool no_room;		/* thread I: nothing can be evicted for it */
};

void body_init(struct body *b);

/* Drops the bytes; a FILE is unlinked unless keep_file, and then stays counted
 * in space. */
void body_fini(struct body *b, const struct body_place *place, bool keep_file);

/* An existing partial file of which that much was saved; takes over saved. What nobody
 * is sure of must be verified before it is believed (version_verify). 0 or -errno. */
int body_reopen(struct body *b, const struct body_place *place, uint64_t ino,
		struct saved_map *saved);

/* Bytes at off; total is the length of the body or -1. Takes `lock` where
 * readers look. 0; -ENOBUFS: no room now (space was pressed); -ENOMEM. A disk
 * that fails turns the body into a window and is reported in *ret_disk_error. */
int body_write(struct body *b, const struct body_place *place, pthread_mutex_t *lock,
	       uint64_t ino, int64_t total, int64_t off, const void *data, size_t len,
	       int *ret_disk_error);

/* FILE: takes space for so many bytes at off, or up to the end, before they are written; thread
 * F. 0; -ENOBUFS; -EINVAL: it is no file. */
int body_prepare(struct body *b, const struct body_place *place, int64_t total, int64_t off,
		 int64_t len);

/* [off, off + len), which are all there. 0 or -errno. */
int body_read(struct body *b, int64_t off, size_t len, struct bytes *ret);

/* FILE: give back what was reserved and not used; thread F, at the end. Takes `lock`. */
void body_settle(struct body *b, const struct body_place *place, pthread_mutex_t *lock);

#endif
