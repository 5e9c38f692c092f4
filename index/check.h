/* check.h - is all of the cache as its index says?
 *
 * Looks at every row and every stored byte, and at every file: damaged rows, bodies whose
 * checksums are wrong or that are missing, files that no row knows, counters that say
 * something else than the disk. What is wrong is taken away, as it can be fetched again;
 * counters are set right.
 *
 * Of a cache that nobody uses (check_dir), or beside all else while it is used
 * (index_check_start, a thread of its own). */
#ifndef INDEX_CHECK_H
#define INDEX_CHECK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"

struct index;

enum check_state {
	CHECK_NEVER,		/* not since the start */
	CHECK_RUNNING,
	CHECK_CLEAN,		/* nothing was wrong */
	CHECK_REPAIRED,		/* something was, and is not any more */
	CHECK_FAILED,		/* it came to no end: err */
};

struct check_status {
	enum check_state state;
	int err;			/* FAILED: -errno */
	int64_t started_ms, ended_ms;	/* mono */

	/* how far it got */
	int64_t rows;
	int64_t bodies, bytes;		/* read and compared; as they are stored */
	int64_t bytes_total;		/* about so many there are */

	/* what was wrong */
	int64_t damaged_index;		/* 1: the database; the cache began anew */
	int64_t damaged_rows;
	int64_t damaged_bodies;		/* a checksum, or the size of a file */
	int64_t missing_bodies;		/* rows without */
	int64_t leftover_rows;		/* of bodies that were arriving when a run was killed */
	int64_t orphan_files;		/* without rows; segments count as one */
	int64_t wrong_counters;
};

/* A cache directory that no daemon uses. 0: see *ret, also when it FAILED; -EBUSY: one
 * does; -ENOENT: it is none; other -errno. On an error a sentence stands in reason.
 * progress (may be NULL) is called now and then. */
int check_dir(const char *dir, void (*progress)(void *arg, const struct check_status *status),
	      void *arg, struct check_status *ret, char *reason, size_t reason_len);

/* --- of an index that is in use; any thread --- */

/* Begins. 0; -EBUSY: one is under way; -errno. index_close() ends it early. */
int index_check_start(struct index *ix);
/* Where the last one is, or how it ended. */
void index_check_status(struct index *ix, struct check_status *ret);

/* As a JSON object, one value a line. */
void check_render(const struct check_status *status, struct buf *to);

/* Private to index/. */
struct checker {
	pthread_mutex_t lock;
	pthread_t thread;
	bool joinable;			/* guarded by lock: there is a thread to join */
	struct check_status status;	/* guarded by lock */
	_Atomic bool stop;
};
void check_init(struct checker *c);
void check_fini(struct checker *c);	/* ends it */

#endif
