/* history.h - samples of the main numbers, for .control/history: the last hour.
 *
 * One is taken every HISTORY_INTERVAL_MS while anything changes, by the main thread
 * (chores.c). Any thread may read. */
#ifndef FS_HISTORY_H
#define FS_HISTORY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"

struct fs;

#define HISTORY_INTERVAL_MS 10000
#define HISTORY_MAX 360		/* samples; the oldest goes */
#define HISTORY_VALUES 19

struct history_sample {
	int64_t time_ms;			/* wall */
	int64_t values[HISTORY_VALUES];		/* as counters and gauges have them */
};

struct history {
	pthread_mutex_t lock;		/* leaf */
	struct history_sample samples[HISTORY_MAX];	/* a ring; guarded by lock */
	size_t n, next;					/* how many, where the next goes */
};

void history_init(struct history *h);
void history_fini(struct history *h);

/* Takes a sample now. False: nothing differs from the one before. */
bool history_take(struct fs *fs);

/* A JSON object: the names, and an array a line for each sample, oldest first. */
void history_render(struct history *h, struct buf *to);

#endif
