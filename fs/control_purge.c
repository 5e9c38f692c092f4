/* control_purge.c - .control/purge and .control/refresh: when the write returns, no later
 * open sees what was purged, or sees what is refreshed without the origin's word. */
#include <errno.h>

#include "../base/clock.h"
#include "../base/log.h"
#include "control_files.h"
#include "fs.h"
#include "options.h"
#include "targets.h"

typedef int change_targets(struct fetch *f, const struct target *targets, size_t n, int64_t *ret);

static int run(struct fs *fs, const struct control_writer *by, const char *order,
	       change_targets *change, const char *text, size_t len)
{
	struct purged_entry e = { .uid = by->uid, .pid = by->pid, .order = order };
	struct target *targets;
	bool dry_run;
	int err;

	err = targets_parse(fs->options, text, len, &targets, &e.targets, &dry_run);
	if (err < 0 || e.targets == 0)
		return err;
	if (dry_run) {
		e.order = "dry-run";
		err = index_count(fs->index, targets, e.targets, &e.matched);
	} else {
		err = change(fs->fetch, targets, e.targets, &e.matched);
		/* Also after an error: some of it may be done. */
		notify_purged(fs);
	}
	targets_free(targets, e.targets);
	if (err < 0) {
		log_error("%s of %zu targets: %s", e.order, e.targets, strerror(-err));
		return err;
	}
	log_debug("%s of %zu targets matched %lld", e.order, e.targets, (long long)e.matched);
	e.time_ms = clock_wall_ms();
	purged_note(&fs->purged, &e);
	return 0;
}

int control_purge_act(struct fs *fs, const struct control_writer *by, const char *text,
		      size_t len)
{
	return run(fs, by, "purge", fetch_purge, text, len);
}

int control_refresh_act(struct fs *fs, const struct control_writer *by, const char *text,
			size_t len)
{
	return run(fs, by, "refresh", fetch_refresh, text, len);
}

int control_purged_render(struct fs *fs, struct buf *to)
{
	purged_render(&fs->purged, to);
	return 0;
}
