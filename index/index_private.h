/* index_private.h - what the files of the index core share.
 *
 * Threads: F writes bodies, W reads them, I (writer.c) owns the writing side of
 * the database and eviction, C (pool.c) stores and saves bodies.
 *
 * Lock order: index.lock -> version.lock -> inbox, space (leaves). */
#ifndef INDEX_PRIVATE_H
#define INDEX_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/inbox.h"
#include "../base/list.h"
#include "../base/map.h"
#include "blob.h"
#include "body.h"
#include "check.h"
#include "db.h"
#include "evict.h"
#include "index.h"
#include "pool.h"
#include "recency.h"
#include "space.h"
#include "store.h"
#include "version.h"

/* A purge under way, on the stack of who waits for it. */
struct purge {
	struct list link;		/* index.purges; guarded by index.lock */
	const struct target *targets;
	size_t n;
	enum purge_kind {
		PURGE_REMOVE,
		PURGE_REFRESH,
		PURGE_COUNT,
	} kind;
	int64_t removed;		/* or refreshed, or counted; by W: those without a row */
	int64_t removed_rows;		/* by I */
};

struct index {
	/* constant once open */
	struct index_config config;
	int dir;			/* cache directory */
	int lock_fd;			/* flock()ed as long as we live */
	struct db *db;			/* any thread reads, only I writes */
	struct store *store;
	struct space space;
	struct body_place place;
	struct recency *recency;

	/* tables, guarded by lock */
	pthread_mutex_t lock;
	struct map by_ino;		/* every version in memory */
	struct map by_key;		/* those that are current */
	struct map by_promise;		/* those that are promised, by key */
	struct list purges;
	uint64_t generation;		/* grows whenever rows went, or say another place */
	struct list waiting_for_room;	/* version.room_link */
	uint64_t next_ino, end_ino;	/* numbers taken and not given out yet */
	uint64_t ahead_ino, ahead_end;	/* the block after those */

	/* health, guarded by health_lock (leaf) */
	pthread_mutex_t health_lock;
	int store_errno;		/* last failure that no success followed; 0 */
	const char *store_what;
	int64_t logged_ms;		/* mono: when one was logged last */
	_Atomic bool damaged;		/* the database; thread I begins a new one */

	/* thread F; see version_append.c */
	struct gathered {
		struct version *v;	/* a reference; NULL: nothing */
		int64_t off;
		size_t len;
		char *data;		/* owned */
	} gathered;

	/* thread I */
	struct inbox inbox;
	pthread_t writer;
	struct evict evict;
	bool reopened;			/* the directory is a new one: count it anew */
	int64_t checkpointed;		/* bytes of the index after the last checkpoint */
	int64_t uncounted;		/* that it may have grown by since it was looked at */
	bool wrote;			/* rows, since the last tick */
	bool wal_idles;			/* it holds rows, and is to be cut when no more come */
	uint64_t first_ino;		/* of this run: rows below are of former ones */

	struct checker checker;		/* see check.c */
	struct pool pool;		/* threads C */
	struct job keys_job;		/* keys.c; queued or running while a filter is filled */
	struct job pack_job;		/* pack.c; queued or running while packing is set */
	_Atomic bool packing;
	_Atomic int64_t unpacked;	/* bytes that stayed loose although there was time */
	_Atomic bool leaving;		/* others may want the directory */
	_Atomic bool closing;		/* what can wait for the next start does */
	_Atomic bool stopping;
	bool running;
};

struct version {
	/* constant */
	struct index *index;
	uint64_t ino;
	bool transient;			/* never stored; of a promise, said when it is kept */

	bool record_asked;		/* thread F: version_record() was called */

	/* guarded by index->lock */
	struct map_node ino_node, key_node;
	int refs;
	bool current;			/* in by_key */
	bool row;			/* the database has a row of it */
	enum blob_kind row_kind;	/* what that says of the body */
	bool doomed;			/* its blob goes with its last reference */
	struct map_node promise_node;
	bool promised;			/* in by_promise */
	struct list room_link;		/* index.waiting_for_room */

	/* guarded by lock */
	pthread_mutex_t lock;
	enum version_state state;
	int error;			/* FAILED: why */
	struct meta *meta;
	int64_t length;			/* -1: unknown */
	struct body body;		/* see body.h for who writes what */
	struct blob blob;		/* where the body rests once stored; kind NONE before */
	bool stored;			/* blob is valid */
	bool saved;			/* the row says PARTIAL: the file outlives us */
	char *saved_text;		/* saved: the saved_map of the row */
	bool saving;
	bool unsaved;			/* bytes came since it was saved last */
	struct list waiters;		/* struct waiter */
	int64_t read_high;
	int64_t read_bytes;		/* handed out since it is whole; length: read once */
	int64_t used_ms;		/* mono: when it was read, or became whole, last */
	void (*room)(void *arg);	/* who wants to know when there is room */
	void *room_arg;

	/* thread C */
	struct job store_job, save_job;	/* each holds a reference while queued */
	struct list store_dones;	/* struct op; guarded by lock */
	bool storing;			/* guarded by lock */

	char key[];			/* constant */
};

/* Who reads a body right now keeps it from eviction for so long, if others can go;
 * and for the shorter time in any case if the origin could not give it again. */
#define VERSION_GRACE_MS 10000
#define VERSION_LAST_GRACE_MS 30000

/* What thread I is asked to do. */
enum op_kind {
	OP_SYNC,	/* make the row of v agree with v */
	OP_DELETE,	/* the row of ino */
	OP_PURGE,
	OP_EVICT,	/* there may be too much, or somebody waits for room */
	OP_DECLARE,
	OP_RUN,		/* what run says */
	OP_BETWEEN,	/* what between says, behind the batch */
	OP_VALUE,	/* set the value named key */
	OP_NOTHING,	/* only done matters */
};

struct trash;

struct op {
	struct list link;
	enum op_kind kind;
	struct version *v;		/* SYNC: a reference */
	uint64_t ino;
	struct blob blob;		/* DELETE: goes with the row; kind NONE: nothing */
	struct purge *purge;
	int (*run)(struct index *ix, struct trash *trash, void *arg);	/* RUN: in a transaction */
	int (*between)(struct index *ix, void *arg);	/* BETWEEN: in no transaction */
	void *run_arg;
	const char *key;		/* DECLARE, VALUE; borrowed until done */
	const void *data;		/* VALUE; borrowed until done */
	size_t len;
	bool declared;
	bool first_row;			/* SYNC: v had none before this batch */
	bool new_kind;			/* SYNC: v->row_kind was another */
	enum blob_kind was_kind;
	int64_t bytes;			/* EVICT: to make room for; 0: to the low mark */
	void (*done)(void *arg, int err);	/* after the commit, no lock held; may be NULL */
	void *arg;
	int err;
};

/* writer.c */
int writer_start(struct index *ix);
void writer_stop(struct index *ix);		/* all that was posted is done */
void writer_drop_posted(struct index *ix);	/* at the end: there is no thread I any more */
struct op *op_new(enum op_kind kind);		/* NULL: no memory */
void writer_post(struct index *ix, struct op *op);	/* takes op */
int writer_call(struct index *ix, struct op *op);	/* posts, waits for done; not I */
void writer_sync(struct version *v, void (*done)(void *arg, int err), void *arg);
/* Has I run it inside a transaction, and waits; before index_start() it runs here. Not I. */
int writer_run(struct index *ix,
	       int (*run)(struct index *ix, struct trash *trash, void *arg), void *arg);
/* Has I run it between two transactions, and waits. Not I. */
int writer_between(struct index *ix, int (*between)(struct index *ix, void *arg), void *arg);

/* op.c: thread I, inside a transaction. Blobs to delete after the commit are collected in
 * trash. 0 or -errno, of the db or of what op runs. */
int op_run(struct index *ix, struct trash *trash, struct op *op);

/* moves.c: thread I; threads C for moves_add(), and to finish what was not committed. */
struct moved {
	uint64_t ino;
	struct blob from, to;		/* to: kind NONE until it was copied */
	bool noted;			/* its row says so */
};
struct moves {
	struct index *ix;
	struct moved *all;
	size_t n, cap;
};
struct moved *moves_add(struct moves *m, uint64_t ino, const struct blob *from);	/* NULL: no memory */
bool moves_same_place(const struct blob *a, const struct blob *b);
/* Outside of a transaction. Of each body one place is given back: where it was, or if its
 * row could not be changed where it should have gone. Empties m. */
void moves_finish(struct moves *m, bool committed);

/* keys.c */
void keys_start(struct index *ix);		/* thread I: a filter is made if one is wanted */

/* pack.c */
void pack_start(struct index *ix);		/* any thread: packs what is loose, if it is time */

/* housekeeping.c: thread I, outside of a transaction unless it says so. */
void housekeeping_evict(struct index *ix, int64_t bytes);
void housekeeping_tick(struct index *ix);	/* about once a second */
void housekeeping_count_index(struct index *ix, int rows);	/* that were written; 0: looks in any case */
void renew_index(struct index *ix);		/* renew.c */
/* renew.c; if the directory was deleted and made again. False: somebody else has it now. */
bool renew_dir(struct index *ix);
void compact_one(struct index *ix);		/* compact.c */
void housekeeping_leftovers(struct index *ix);	/* rows without bodies, of a killed run */

/* orphans.c */
/* Thread I, before it gives back any place in a segment: queues the count of what is live
 * in them, and the sweep of files without rows. */
void orphans_start(struct index *ix);
/* The sweep, here and now: threads C, or whoever checks. first_look (taken): for the first one of
 * this run, which tells the store what is live; NULL: a later one. *removed grows by the
 * files that no row knew. 0 or -errno. */
int orphans_sweep(struct index *ix, struct db_view *first_look, const _Atomic bool *stop,
		       int64_t *removed);

/* Inside a transaction: the row r leaves (1) or stays (0); -errno of the db. Blobs
 * to delete after the commit are collected in trash. */
enum leave_reason { LEAVE_SUPERSEDED, LEAVE_PURGED, LEAVE_EVICTED, LEAVE_EXPIRED };
struct gone {
	struct blob blob;
	uint64_t ino;			/* of the row */
	bool given_up;			/* by the version in memory */
	bool doomed;			/* no blob: that version was doomed */
};
struct trash {
	struct gone *all;
	size_t n, cap;
	bool names;			/* the kernel may know some of them */
	bool desperate;			/* in: also those that are being read may go */
};
int leave_row(struct index *ix, const struct record *r, enum leave_reason reason,
	      struct trash *trash);
void trash_add(struct trash *trash, const struct blob *blob, uint64_t ino, bool given_up);
void trash_empty(struct index *ix, struct trash *trash);	/* after the commit */
void trash_free_blobs(struct index *ix, struct trash *trash);	/* but remembers them */
void trash_forget(struct trash *trash);
void trash_undo(struct index *ix, struct trash *trash);		/* after a rollback */

/* dictionary_rows.c */
int index_keep_dictionary(void *arg, uint32_t id, const void *value, size_t len);	/* C */
void index_load_dictionaries(struct index *ix);	/* before threads */
int index_renew_dictionaries(struct index *ix);	/* I */

/* version.c */
struct version *version_new(struct index *ix, uint64_t ino, const char *key, struct meta *meta);
/* index.lock held: v is what its key shows, in place of what was. */
void version_publish(struct version *v);
bool version_resumable(const struct meta *meta);	/* missing bytes can be fetched */
struct version *version_load(struct index *ix, struct record *r);	/* not in tables yet */
void version_forget(struct version *v);		/* the same, but row and body stay */
void version_free(struct version *v);		/* nobody has it any more */
void version_drop_key(struct version *v);	/* index.lock held: not current, nor promised */

/* version_store.c */
void version_store(struct version *v, struct op *done);	/* F; COMPLETE: bring it to rest */

/* version_save.c */
/* index.lock held, and the last reference about to go: whether it is better saved first;
 * then that reference belongs to the save. The caller then calls version_save_last(). */
bool version_save_wanted(struct version *v);
void version_save_last(struct version *v);
void version_save(struct version *v);		/* ARRIVING, paused: keep what is there */
/* Saved pieces in [off, end) that nobody looked at since the start are compared with their
 * sums; what is wrong is not there any more. 0, also then, or -errno. Not with a lock held;
 * reads the disk. */
int version_verify(struct version *v, int64_t off, int64_t end);

/* find.c */
bool index_same_key(const struct map_node *node, const void *key);	/* of by_key */
bool index_same_ino(const struct map_node *node, const void *ino);	/* of by_ino */
/* By key, or by number when key is NULL. lock held: new reference, or NULL. */
struct version *index_find_in_memory(struct index *ix, const char *key, uint64_t ino);
/* index.lock held: nothing (more) of key may be shown; m NULL: no matter what it is. */
bool index_being_purged(struct index *ix, const char *key, const struct meta *m);

/* health.c */
void index_failed(struct index *ix, const char *what, int err);	/* health, log once */
void index_worked(struct index *ix);
void index_damaged(struct index *ix, int err);	/* notes it if err is of a damaged database */
bool index_is_well(struct index *ix);

/* index.c */
bool index_unlink_partial(struct index *ix, uint64_t ino);	/* it was there */
uint64_t index_next_ino(struct index *ix);	/* 0: none to be had */

/* target.c */
bool target_matches_any(const struct target *targets, size_t n, const char *key,
		   const struct meta *m);
/* All keys that match begin with these bytes. */
const char *target_scope(const struct target *t, size_t *ret_len);
struct meta *target_refreshed(const struct meta *m);	/* a copy, stale; NULL: no memory */

#endif
