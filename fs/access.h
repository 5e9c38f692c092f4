/* access.h - the lines of access_log that tell how a name was answered. Any thread. */
#ifndef FS_ACCESS_H
#define FS_ACCESS_H

#include <stdint.h>

#include "../fetch/fetch.h"

struct fuse_req;

/* Before the reply, while req still tells who asks. since_ns: when it began, mono. v: NULL
 * with err. */
void access_note(struct fuse_req *req, const char *key, int err, struct version *v,
		 enum cache_status status, int http_status, int64_t since_ns);

#endif
