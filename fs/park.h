/* park.h - kernel requests that are held until there is an answer.
 *
 * A parked request waits for a want (fetch.h) or for bytes (a waiter on a version,
 * version.h). No thread is held by it. Exactly one of these answers it: the callback
 * of what it waits for, or the interrupt of its caller (EINTR).
 *
 * Locks: libfuse runs the interrupt callback holding the request's lock, and
 * fuse_req_interrupt_func(req, NULL, NULL) takes it: so that is called with no lock
 * of ours held, always before the reply, and after it no callback runs any more. */
#ifndef FS_PARK_H
#define FS_PARK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/list.h"
#include "../fetch/fetch.h"
#include "../index/version.h"

struct fs;
struct fuse_req;

struct park {
	pthread_mutex_t lock;
	pthread_cond_t left;
	struct list all;		/* struct parked; guarded by lock */
};

/* Who is asked to answer: err and v as want.done gives them (v is lent). Replies to
 * req, exactly once. */
typedef void park_answer(struct fs *fs, struct fuse_req *req, void *arg, int err,
			 struct version *v, int64_t fresh_ms, enum cache_status status);

int park_init(struct park *p);
void park_fini(struct park *p);

/* Holds req until key is known. arg is owned by the parked request and free()d after
 * the answer. answer may be called before this returns. */
void park_want(struct fs *fs, struct fuse_req *req, const char *key, unsigned want_flags,
	       park_answer *answer, void *arg);

/* The same for what an origin lists (fetch_list()); d is lent. */
typedef void park_list_answer(struct fs *fs, struct fuse_req *req, void *arg, int err,
			      struct dirlist *d);
void park_list(struct fs *fs, struct fuse_req *req, const char *key, park_list_answer *answer,
	       void *arg);

/* Answers req with bytes [off, off + len) of v, now or when they are there. */
void park_read(struct fs *fs, struct fuse_req *req, struct version *v, int64_t off,
	       size_t len);

/* After fetch_stop() and the workers' end: whoever is still there gets EINTR.
 * Nobody is parked when it returns. */
void park_drain(struct fs *fs);

#endif
