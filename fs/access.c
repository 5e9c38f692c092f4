#include "access.h"

#include "fs.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <string.h>

#include "../base/access_log.h"
#include "../base/clock.h"

void access_note(struct fuse_req *req, const char *key, int err, struct version *v,
		 enum cache_status status, int http_status, int64_t since_ns)
{
	struct meta *m _cleanup_(meta_unrefp) = v ? version_meta(v) : NULL;
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	const struct access line = {
		.by_kernel = true,
		.uid = ctx->uid,
		.pid = ctx->pid,
		.url = key,
		.status = m ? m->status : http_status,
		.bytes = v ? version_length(v) : -1,
		.took_us = (clock_mono_ns() - since_ns) / 1000,
		.word = err == 0 || err == -ENOENT ? cache_status_name(status) : "ERROR",
		.reason = m ? m->reason : strerrorname_np(-err),
	};

	access_log_add(&line);
}
