/* version.h - one immutable response of one key, from first header to eviction.
 *
 * Where the threads meet: F (fetch) appends, W (filesystem workers) read or
 * leave a waiter, I (index writer) records.
 *
 *   ARRIVING --version_complete--> COMPLETE
 *       |  ^                           |  its blob was evicted or damaged
 *       |  `------ version_read -------'  (refill; needs a strong validator)
 *       `--version_fail--> FAILED
 *
 * Before all that it may have been PROMISED (promise.c): a listing told length and time
 * of what nobody has asked for yet, and it was shown with these. It is ARRIVING then, but
 * not what index_find() finds. The first response keeps the promise, or breaks it.
 *
 * Bytes never change: a new response is a new version with a new inode number.
 *
 * Lock order: index tables -> version -> inbox (leaf). No lock is held across a
 * callback, a reply to the kernel, curl, SQLite or file I/O.
 *
 * References: whoever got a version from a function whose name says find, begin
 * or ref owns one reference and gives it back with version_unref(). */
#ifndef INDEX_VERSION_H
#define INDEX_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/list.h"
#include "meta.h"

struct index;
struct version;

enum version_state { VERSION_ARRIVING, VERSION_COMPLETE, VERSION_FAILED };

/* A callback left on a version. Lent to it until called or cancelled. */
struct waiter {
	struct list link;			/* the version's while queued */
	int64_t off, end;			/* bytes wanted; the version's */
	void (*wake)(struct waiter *w);		/* once, any thread, no lock held */
};

/* --- any thread --- */

struct version *version_ref(struct version *v);
void version_unref(struct version *v);		/* NULL does nothing */
void version_unrefp(struct version **v);	/* for _cleanup_ */

uint64_t version_ino(const struct version *v);
const char *version_key(const struct version *v);	/* borrowed from v */
enum version_state version_state(struct version *v);
int64_t version_length(struct version *v);	/* bytes; -1 while unknown */
int64_t version_stored(struct version *v);	/* bytes on disk now */
struct meta *version_meta(struct version *v);	/* new reference */

/* Still what its key shows (false: superseded, purged or evicted since). */
bool version_is_current(struct version *v);

/* Current or promised, and no refresh has come since the origin was asked: its name may be trusted. */
bool version_is_trusted(struct version *v);

/* A listing told of it, and no response has come so far. */
bool version_is_promise(struct version *v);

/* It was looked up: keeps it from eviction for another round. */
void version_touch(struct version *v);

/* Bytes for a reply. Either data (owned) or fd. */
struct bytes {
	void *data;		/* malloc()ed; NULL: use fd */
	int fd;			/* -1, or splice len bytes at pos from here */
	bool own_fd;		/* bytes_fini closes it; else it lives as long as v */
	int64_t pos;
	size_t len;
};
void bytes_fini(struct bytes *b);

/* Bytes [off, off + len), cut at the end of the body.
 *
 * 0: *ret is filled, all of it (len 0: at or behind the end). -EAGAIN: w was
 * queued, and will be woken when a retry makes sense; the caller then tells
 * fetch_need(). Other -errno: they will not come (-ESTALE: evicted or changed on
 * the origin; -EIO and others: the transfer failed). Reads the disk, never the
 * network. w NULL: nothing is queued on -EAGAIN. */
int version_read(struct version *v, int64_t off, size_t len, struct waiter *w,
		 struct bytes *ret);

/* Takes w off. True: it will not be woken. False: it was or is being woken. */
bool version_cancel(struct version *v, struct waiter *w);

/* Whether someone waits for bytes, and the lowest offset wanted at or behind
 * `from` (then its end too); -1: nobody. */
int64_t version_wanted(struct version *v, int64_t from, int64_t *ret_end);

/* Offset behind the highest byte that was ever read. */
int64_t version_read_high(struct version *v);

/* First byte at or behind off that is not there (length if all is). */
int64_t version_missing(struct version *v, int64_t off);
/* First byte behind off that is there again (length if none): the end of the hole. */
int64_t version_hole_end(struct version *v, int64_t off);

/* --- thread F --- */

/* A response to key has begun. Makes it what the key shows (unless transient)
 * and supersedes what was. Its row is committed when `recorded` is called (on
 * thread I, once, err 0 or -errno; NULL: nobody cares). A body of length 0 and
 * answers without body are COMPLETE at once. transient: shared by who waits for
 * it now, never stored. One new reference. */
int version_begin(struct index *ix, const char *key, struct meta *meta, bool transient,
		  struct version **ret);

/* The response to the key of v, a promise, has begun, and is what was promised: the same
 * length, and its time stays. From here on it is like one from version_begin().
 * -ESTALE: it is no promise any more. */
int version_keep(struct version *v, struct meta *meta, bool transient);

/* Commits the row (the inode number may be shown to the kernel once done). A
 * version that is complete already is stored first, so that it is written once.
 * done(arg, err) on thread I; err only says that nothing could be stored: the
 * version can be served all the same. */
void version_record(struct version *v, void (*done)(void *arg, int err), void *arg);

/* Bytes at off. 0; -ENOBUFS: no room, wait until version_room() is woken;
 * -EFBIG: beyond the length. Wakes who waited for them. */
int version_write(struct version *v, int64_t off, const void *data, size_t len);

/* As version_write(), and often cheaper: what comes piece by piece may be kept back, and is
 * there for nobody until version_flush(), a write elsewhere or many more bytes. */
int version_append(struct version *v, int64_t off, const void *data, size_t len);
void version_flush(struct index *ix);

/* Bytes from off that version_write would take now. A body for which there is
 * no room in the cache becomes a window that moves with its readers: then this
 * is where the window ends. */
int64_t version_room(struct version *v, int64_t off);

/* Do not wait for room any more: the body becomes a window. */
void version_no_room(struct version *v);

/* Called when room may be there again; thread I or W. */
void version_on_room(struct version *v, void (*room)(void *arg), void *arg);

/* All bytes are there; length becomes what has arrived if it was unknown. The
 * body is stored in the background. */
void version_complete(struct version *v);

/* It will not be whole: everyone who waits, now or later, gets err (< 0). */
void version_fail(struct version *v, int err);

/* Nobody fetches it for now; what is there stays (resumed by fetch_need()). */
void version_pause(struct version *v);

/* A 304 (or 206) brought new metadata for the same body. */
void version_set_meta(struct version *v, struct meta *meta);

#endif
