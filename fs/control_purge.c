/* control_purge.c - .control/purge: when the write returns, no later open sees what was
 * purged. */
#include <errno.h>

#include "../base/log.h"
#include "control_files.h"
#include "fs.h"
#include "options.h"
#include "targets.h"

int control_purge_act(struct fs *fs, const char *text, size_t len)
{
	struct target *targets;
	size_t n;
	int64_t removed = 0;
	int err;

	err = targets_parse(fs->options->base_url, text, len, &targets, &n);
	if (err < 0 || n == 0)
		return err;
	err = fetch_purge(fs->fetch, targets, n, &removed);
	targets_free(targets, n);
	/* Also after an error: some of it may be gone. */
	notify_purged(fs);
	if (err < 0)
		log_error("purge of %zu targets: %s", n, strerror(-err));
	else
		log_debug("purge of %zu targets removed %lld", n, (long long)removed);
	return err;
}
