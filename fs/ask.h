/* ask.h - what a caller may have asked for, before a request is parked. W, and whoever
 * answers parked requests. */
#ifndef FS_ASK_H
#define FS_ASK_H

#include "park.h"

/* As park_want(), as far as the options let this caller wait for an origin: not with
 * miss=background, where the answer is -ENOENT while it is fetched, and not those of
 * only_cached_for, to whom only what is stored exists. url need not be its own key. */
void ask_want(struct fs *fs, struct fuse_req *req, const char *url, park_answer *answer,
	      void *arg);

/* As park_list(), in the same way: who may not wait gets what was listed before. */
void ask_list(struct fs *fs, struct fuse_req *req, const char *key, park_list_answer *answer,
	      void *arg);

/* Whether who sent req is one of only_cached_for. */
bool ask_sees_only_cached(struct fs *fs, struct fuse_req *req);

#endif
