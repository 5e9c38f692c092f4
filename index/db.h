/* db.h - the rows: one for each version, in SQLite (WAL).
 *
 * Only here are SQL statements. Readers (any thread) borrow one of a pool of
 * read-only connections; the one writing connection belongs to thread I, which
 * is the only caller of the functions of the second half.
 *
 * Errors: 0 or -errno: SQLITE_BUSY is -EBUSY, FULL -ENOSPC, CORRUPT and NOTADB
 * -EBADMSG, IOERR -EIO, READONLY -EROFS. -ENOENT: no such row. After any of them
 * the database is as usable as before. */
#ifndef INDEX_DB_H
#define INDEX_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "meta.h"

struct db;

/* One row. */
struct record {
	uint64_t ino;		/* never reused */
	char *key;		/* owned */
	bool current;		/* what its key shows now; else kept for who reads it */
	struct meta *meta;	/* a reference */
	struct blob blob;
	char *ranges;		/* PARTIAL: what is there (saved_map.h); else NULL. Owned */
};

void record_fini(struct record *r);

/* Opens or makes DIR/index.db, migrates its schema; a damaged one is moved
 * aside (index.db.damaged, with its WAL) and begun anew. Takes a time that does
 * not depend on its size, so damage in the middle only shows later, as -EBADMSG.
 * -EPROTO (logged): of a later version, or of another program. */
int db_open(const char *dir, struct db **ret);
/* Thread I, outside of a transaction: the database is damaged, or its file is gone.
 * What is left of it is moved aside and an empty one begun; inode numbers go on.
 * On an error it is as before. */
int db_renew(struct db *db);

void db_close(struct db *db);		/* NULL does nothing; an open transaction is undone */

/* --- any thread --- */

int db_find_key(struct db *db, const char *key, struct record *ret);	/* current only */
int db_find_ino(struct db *db, uint64_t ino, struct record *ret);

/* Whether any current row with a 2xx status, or declared directory, has a key
 * that begins with prefix (which ends in '/'). */
int db_has_below(struct db *db, const char *prefix);	/* 0, -ENOENT */

/* The names directly below prefix (ends in '/'), each once, in byte order, from
 * the first one after `after` ("" for all): name is what stands between prefix
 * and the next '/' (in the path; a '/' behind a '?' is part of the name), dir
 * whether anything lies below it, file whether it is a key itself (then meta is
 * its row's, borrowed, and ino its inode number). Current rows with a 2xx status
 * and declared directories, as of one moment. Stops when each returns false. */
struct db_name {
	const char *name;
	bool file, dir;
	uint64_t ino;
	const struct meta *meta;
};
int db_list(struct db *db, const char *prefix, const char *after,
	    bool (*each)(void *arg, const struct db_name *name), void *arg);

/* Declared directories (mkdir); key ends in '/'. */
int db_is_declared(struct db *db, const char *key);	/* 0, -ENOENT */

/* PRAGMA integrity_check: 0, or -EBADMSG. Reads all of it. */
int db_check(struct db *db);

/* It was damaged when it was opened, and is a new one. */
bool db_was_damaged(struct db *db);

/* The next rows behind that inode number, at most cap, as they are now. Of a damaged one
 * only ino is right, and key is NULL. The caller calls record_fini() for each. */
int db_next_rows(struct db *db, uint64_t after, struct record *rows, size_t cap,
		 size_t *ret_n);

/* Sums over all rows, as of the last commit. */
struct db_sums {
	int64_t objects;	/* current rows with a 2xx status */
	int64_t bytes_logical;	/* bodies, of partial ones what is there */
	int64_t bytes_stored;	/* blobs, partial ones too */
};
void db_sums(struct db *db, struct db_sums *ret);

/* The file that was opened is still the one of that name, and has its WAL. Thread I. */
bool db_is_there(struct db *db);

/* Bytes of index.db, its WAL and shm on disk, of what was moved aside, and index.inos. */
int64_t db_disk_bytes(struct db *db);

/* Inode numbers: a block of n that no other run or call gets. Durable when it
 * returns. */
int db_take_inos(struct db *db, uint32_t n, uint64_t *ret_first);

/* --- thread I: writes belong to the transaction that db_begin() began; outside
 * of one each is its own. When db_commit() fails all of it is undone, and so it is
 * when the disk made SQLite give up before: then each write until db_commit() or
 * db_rollback() says so. --- */

/* The calling thread is the one that writes from now on. At first it is who opened it. */
void db_adopt(struct db *db);

int db_begin(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);

/* A key has one current row: -EEXIST from put and set_current while another one is
 * (retire that first, in the same transaction). */
int db_put(struct db *db, const struct record *r);	/* replaces the row of r->ino */
int db_set_meta(struct db *db, uint64_t ino, const struct meta *m);
int db_set_blob(struct db *db, uint64_t ino, const struct blob *b, const char *ranges);
int db_set_current(struct db *db, uint64_t ino, bool current);
int db_delete(struct db *db, uint64_t ino);		/* 0 also when there is none */
int db_declare(struct db *db, const char *key, bool declared);
/* As this transaction has made it, where db_find_ino() tells what was committed. */
int db_find_written(struct db *db, uint64_t ino, struct record *ret);

/* Calls each(arg, record) with a borrowed record for rows in the given order
 * until it returns false; the rows may be changed or deleted meanwhile: each sees
 * them as they are when it is called, and none that is no more. */
typedef bool db_each(void *arg, const struct record *r);
int db_each_current_of(struct db *db, const char *key, db_each *each, void *arg);
int db_each_prefix(struct db *db, const char *prefix, db_each *each, void *arg);	/* current; "" is all */
int db_each_useless(struct db *db, int64_t now_ms, db_each *each, void *arg);	/* usable_until < now, oldest first */
int db_each_from(struct db *db, uint64_t from, db_each *each, void *arg);	/* ino >= from, ascending */
int db_each_leftover(struct db *db, uint64_t below, db_each *each, void *arg);	/* not current, or ARRIVING; ino < below */
int db_each_in_segment(struct db *db, uint64_t segment, db_each *each, void *arg);	/* by stored, ino */

/* Rows of bodies in the segment behind *after (zeros: from the first on), which moves on; *ret_n
 * of them, at most cap. Any thread; the caller ends each with record_fini(). */
struct db_place { int64_t stored; uint64_t ino; };
int db_next_in_segment(struct db *db, uint64_t segment, struct db_place *after,
		       struct record *rows, size_t cap, size_t *ret_n);

/* A filter that answers most questions for what is not there from memory (key_filter.h).
 * begin() by the writer, outside a transaction, then fill() once on any thread: reads all
 * keys. wanted(): by the writer; there is none, or it has become too small. */
int db_filter_begin(struct db *db);
int db_filter_fill(struct db *db, const _Atomic bool *stop);
bool db_filter_wanted(struct db *db);

/* The rows as they are now, for another thread to read in peace: what is committed later
 * is not in it. It keeps the WAL from being cut, so not for long. */
struct db_view;
int db_view_open(struct db *db, struct db_view **ret);
void db_view_close(struct db *db, struct db_view *view);	/* any thread; NULL does nothing */
int db_segments(struct db_view *view,		/* the thread that has the view */
		void (*each)(void *arg, uint64_t segment, uint64_t bytes), void *arg);

/* Small values kept with the index (clock hand, recency). */
int db_get_value(struct db *db, const char *name, void **ret, size_t *ret_len);	/* caller frees */
int db_set_value(struct db *db, const char *name, const void *data, size_t len);
/* Those whose names begin so, until each returns false; name and data are borrowed. each
 * calls nothing here. */
int db_each_value(struct db *db, const char *prefix,
		  bool (*each)(void *arg, const char *name, const void *data, size_t len),
		  void *arg);

/* Moves the WAL into the database now and truncates it, outside of a transaction;
 * gives room back to the disk when many rows went. -EBUSY: somebody was reading
 * (it waits 2 s); what could be moved was. */
int db_checkpoint(struct db *db);

/* Counts all rows, inside a transaction. *ret_wrong: db_sums() said something else; from
 * the commit on it is right. */
int db_recount(struct db *db, bool *ret_wrong);

#endif
