/* purged.h - what the last purge or refresh of each writer did, for .control/purged.
 *
 * Any thread. The latest 64 writers are kept. */
#ifndef FS_PURGED_H
#define FS_PURGED_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"

struct purged_entry {
	uid_t uid;
	pid_t pid;
	const char *order;		/* "purge", "refresh", "dry-run"; static */
	size_t targets;
	int64_t matched;		/* responses removed, marked or counted */
	int64_t time_ms;		/* wall, when it was done */
};

#define PURGED_MAX 64

struct purged {
	pthread_mutex_t lock;		/* leaf */
	struct purged_entry entries[PURGED_MAX];	/* guarded by lock; latest first */
	size_t n;
};

void purged_init(struct purged *p);
void purged_fini(struct purged *p);

/* Replaces what the same uid and pid did before. */
void purged_note(struct purged *p, const struct purged_entry *e);

/* A JSON array, an object a line, latest first. */
void purged_render(struct purged *p, struct buf *to);

#endif
