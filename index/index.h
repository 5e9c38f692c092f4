/* index.h - what do we have?
 *
 * The table of versions, the bodies, the limit, eviction and purge. Owns thread
 * I (writes rows) and a small pool C (compresses, sweeps). Knows nothing of HTTP
 * beyond struct meta, and nothing of FUSE.
 *
 * Errors of the disk or of SQLite are never fatal: what cannot be stored is
 * served and forgotten, and index_health() tells. */
#ifndef INDEX_INDEX_H
#define INDEX_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "version.h"

struct index;

struct index_config {
	const char *dir;	/* cache directory; made when missing */
	int64_t size;		/* bytes, hard limit */
	int64_t min_free;	/* bytes of the disk that stay free */
	bool compress;
	int level;		/* zstd, 1..19 */

	/* The run before this one was killed, and the kernel still holds what it showed:
	 * index_find_shown() is to find it. */
	bool taken_over;

	/* Names that the kernel may still show are out of date (eviction, damage,
	 * failed bodies): it should ask again. Thread I, C or F, no lock held. */
	void (*stale_names)(void *arg);
	void *arg;
};

/* Before threads: 0 or -errno; -EBUSY: another daemon has the directory. On an
 * error a sentence for people stands in reason. */
int index_open(const struct index_config *config, struct index **ret, char *reason,
	       size_t reason_len);

/* Starts threads I and C: after fork(). 0 or -errno. */
int index_start(struct index *ix);

/* The mount is gone: who wants the cache directory next may wait for index_close(). */
void index_leaving(struct index *ix);

/* Stores what is complete, commits, stops the threads. Nobody else may use the
 * index or its versions any more, but for version_unref(). */
void index_close(struct index *ix);

/* --- any thread --- */

/* What key shows now (in memory, else its row). 0 and a new reference, -ENOENT,
 * or -EIO and others when the index cannot be read. */
int index_find(struct index *ix, const char *key, struct version **ret);
int index_find_ino(struct index *ix, uint64_t ino, struct version **ret);

/* What was shown under that number, also by the run before: what is stored, or was still
 * arriving (without the bytes that were not stored: the origin is asked for them, and
 * whether they are the same). What a key shows no more has no row, and is not found. 0 and
 * a new reference, or -errno as above. */
int index_find_shown(struct index *ix, uint64_t ino, struct version **ret);

/* What a listing tells of key, for which nothing is found: its length and mtime_s are in
 * meta. The same promise as long as that is the same. One new reference; -ENOMEM, -EIO. */
int index_promise(struct index *ix, const char *key, struct meta *meta, struct version **ret);
struct version *index_find_promise(struct index *ix, const char *key);	/* NULL: none */

/* Whether something is known below prefix (ends in '/'): versions with a 2xx
 * status, or declared directories. */
bool index_has_below(struct index *ix, const char *prefix);

/* The names directly below prefix, in byte order, each once, from the one after
 * `after` on ("" for all). version-like facts of files are copies. */
struct index_name {
	const char *name;	/* undecoded, as it stands in the URL; borrowed */
	bool file, dir;		/* both: a page that is also a prefix */
	uint64_t ino;		/* file: of its current version */
	int64_t length, mtime_s;
};
int index_list(struct index *ix, const char *prefix, const char *after,
	       bool (*each)(void *arg, const struct index_name *name), void *arg);

/* mkdir and rmdir; key ends in '/'. Durable when they return. -EEXIST, -ENOENT. */
int index_declare(struct index *ix, const char *key, bool declared);
bool index_is_declared(struct index *ix, const char *key);

/* An inode number for a directory or a control file: never given out again. */
int index_take_ino(struct index *ix, uint64_t *ret);

/* What a purge is about. */
enum target_kind {
	TARGET_KEY, TARGET_PREFIX, TARGET_ALL,
	TARGET_GLOB,		/* key: a URL with TARGET_STAR for any number of bytes */
	TARGET_HOST,		/* key: "host", whatever the port, or "host:port" */
	TARGET_TAG,		/* key: a tag (meta_has_tag) */
	TARGET_STALE,		/* what was fresh until before_ms at most */
};
#define TARGET_STAR '\1'	/* no byte of a key */
struct target {
	enum target_kind kind;
	char *key;		/* see kind; NULL for the others; owned by who made it */
	int64_t before_ms;	/* STALE: wall time */
};

/* m NULL: nothing is known of the response, neither its tags nor its age. */
bool target_matches(const struct target *t, const char *key, const struct meta *m);

/* Nothing that matches is what its key shows any more when this returns, also
 * what arrives now. Readers of it keep reading. *ret_removed: how many 2xx
 * versions that was. Waits for thread I. */
int index_purge(struct index *ix, const struct target *targets, size_t n,
		int64_t *ret_removed);

/* The same, but what matches stays, marked as stale: it is asked for again before it
 * is shown. *ret_marked: how many 2xx versions. */
int index_refresh(struct index *ix, const struct target *targets, size_t n,
		  int64_t *ret_marked);

/* How many 2xx versions a purge would remove; those that arrive only now are not among
 * them. Waits for thread I. */
int index_count(struct index *ix, const struct target *targets, size_t n,
		int64_t *ret_matching);

struct index_sums {
	int64_t objects, bytes_logical, bytes_stored, bytes_used, bytes_limit;
};
void index_sums(struct index *ix, struct index_sums *ret);

enum health { HEALTH_OK, HEALTH_DEGRADED, HEALTH_FAILING };
/* A word for people in reason when not OK. */
enum health index_health(struct index *ix, char *reason, size_t reason_len);

/* Waits until all that was posted to I and C so far is done (tests, shutdown). */
void index_drain(struct index *ix);

#endif
