/* store.h - bodies at rest: packed segments and files of their own.
 *
 * A small body (up to STORE_SMALL) is appended to a segment file, a larger one
 * gets a file. Either is stored plain or, when a sample shows that it pays, as
 * zstd in the seekable format, whose frames decode alone: `zstd -dc` of a blob
 * file restores the body. Small ones that come too fast are put as they are into
 * LOOSE segments, and packed later (pace.h, pack.c). Every chunk has a checksum that
 * is verified on read (files stored plain: at the first read after start, then
 * remembered).
 *
 * Visible only whole: a blob exists for others once its row does. What has no
 * row is swept in the background (store_sweep).
 *
 * Threads: any; puts and reads of different blobs run side by side. Nothing
 * here calls back, but for the `space` it was given. Errors: -errno; -EBADMSG:
 * a checksum was wrong; -ENOENT: the blob is not there any more. */
#ifndef INDEX_STORE_H
#define INDEX_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "blob.h"
#include "dictionary.h"
#include "space.h"

#define STORE_SMALL (256 * 1024)	/* bytes; up to this into segments */

struct store;

struct store_config {
	int dir;		/* the cache directory; borrowed for the store's life */
	struct space *space;	/* borrowed */
	bool compress;
	int level;		/* zstd */
	enum store_pace {
		STORE_AS_TIME_ALLOWS,	/* pace.h */
		STORE_AT_ONCE,		/* benches, tests */
		STORE_LATER,		/* tests: whatever may be put off is */
	} pace;			/* when small bodies are packed */
	dictionary_keep *keep;	/* writes a dictionary to the index; pool threads; may be NULL */
	void *arg;
};

/* Counts into space what segments and directories take. What the files of large
 * bodies take, only rows tell: whoever walks them counts store_disk_bytes(). */
int store_open(const struct store_config *config, struct store **ret);
void store_close(struct store *st);

/* What a blob of its own file is counted as in space; 0 for all others. */
int64_t store_disk_bytes(const struct blob *b);

/* Dictionaries that config.keep wrote (dictionary.h): before the first read, and for an
 * index that is begun anew. */
int store_load_dictionary(struct store *st, const void *value, size_t len);
int store_each_dictionary(struct store *st, dictionary_keep *each, void *arg);

/* Stores a body of at most STORE_SMALL bytes. content_type only steers the guess whether
 * it compresses, and with the origin of key by which dictionary; either may be NULL.
 * -ENOSPC: no room under the limit. */
int store_put(struct store *st, const void *data, size_t len, const char *key,
	      const char *content_type, struct blob *ret);

/* The same as it is, to be packed when there is time: a write and no more, so thread F may.
 * -EAGAIN: it is to be packed at once (or is none). */
int store_put_later(struct store *st, const void *data, size_t len, const char *content_type,
		    struct blob *ret);

/* Stores the body [0, len) of the file fd as blob `ino`: copied, compressed or
 * not. If it is to be stored plain and `path` (relative to the cache directory)
 * is not NULL, that file itself is renamed into place instead of copied, and
 * the space it had reserved goes over to the blob. Otherwise the caller still
 * owns file and space. That it went over shows in *ret: kind FILE, codec PLAIN.
 * May take seconds: pool threads only. */
int store_put_file(struct store *st, int fd, const char *path, int64_t reserved,
		   int64_t len, uint64_t ino, const char *content_type,
		   struct blob *ret);

/* Bytes [off, off + len) of the body, all of them (they lie within length).
 * Sequential readers cost one decode per chunk (chunk cache inside). */
int store_read(struct store *st, const struct blob *b, int64_t off, size_t len,
	       void *buf);

/* A descriptor to splice plain bytes from, the caller closes it; *ret_pos is
 * where byte 0 of the body lies in it. -ENOTSUP: use store_read (compressed, or
 * in a segment, or not yet verified and too large to verify in passing). */
int store_fd(struct store *st, const struct blob *b, int64_t off, size_t len,
	     int64_t *ret_pos);

/* Its bytes are not needed any more (its row is gone): frees the space. */
void store_delete(struct store *st, const struct blob *b);

/* Reads and verifies all of it. */
int store_check(struct store *st, const struct blob *b);

/* dir is the cache directory now, which was made anew: uses its blobs/. 0 or -errno. */
int store_reopen(struct store *st, int dir);

/* What it counts into space beside files of large bodies. */
int64_t store_counted(struct store *st);

/* Its directory has not been deleted. */
bool store_is_there(struct store *st);

/* Segment upkeep. live() tells the store what rows say at start (in any order,
 * in the background); pick() names a full segment so empty that copying the
 * rest pays, or -ENOENT; copy() puts a blob into the current segment as it is
 * (give the old one back with store_delete() once the row names the new one: the
 * segment goes with its last); drop() removes a segment none of whose blobs has
 * a row any more, at once. */
void store_segment_live(struct store *st, uint64_t segment, uint64_t bytes);
int store_segment_pick(struct store *st, uint64_t *ret_segment);
int store_copy(struct store *st, const struct blob *from, struct blob *ret);
void store_segment_drop(struct store *st, uint64_t segment);

/* Packing what is loose (pack.c). take() names the lowest loose segment above `after`, to which
 * nothing is added any more, or -ENOENT; pack() stores a body of it again, in its place among
 * the packed (then as with store_copy()). */
int store_loose_take(struct store *st, uint64_t after, uint64_t *ret_segment);
int64_t store_loose(struct store *st);		/* bytes */
bool store_is_calm(struct store *st);		/* now is the time for it */
int store_pack(struct store *st, const struct blob *from, const char *key,
	       const char *content_type, struct blob *ret);

/* Trains a dictionary if there are samples enough. False: there are not. Takes a few tenths
 * of a second: pool threads. */
bool store_train(struct store *st);
bool store_may_train(struct store *st);		/* there are samples enough */

/* All rows are gone: so are all segments. Files are for store_sweep(). */
void store_forget_segments(struct store *st);

/* The caller has the cache directory for himself and puts nothing, from now on: no file
 * is somebody's work, however young. */
void store_nobody_puts(struct store *st);

/* Calls known(arg, ino) for every blob file and removes those for which it says
 * false and that are older than this start (or all of those: store_nobody_puts());
 * likewise segments for which segment_known says false. *removed grows by as many. Low
 * priority, pool threads; stops early when *stop. */
int store_sweep(struct store *st, bool (*known)(void *arg, uint64_t ino),
		bool (*segment_known)(void *arg, uint64_t segment), void *arg,
		const _Atomic bool *stop, int64_t *removed);

#endif
