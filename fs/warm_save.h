/* warm_save.h - the file that keeps a warm queue over a restart.
 *
 * It has the form of what is written to .control/warm. Orders are appended; it is written
 * anew, without what is done, now and then; it goes when the queue is empty. So after a
 * crash some of what was done is asked for once more: it is fresh then, and costs nothing.
 * What goes wrong with it is logged: then the queue is in memory alone. */
#ifndef FS_WARM_SAVE_H
#define FS_WARM_SAVE_H

#include <pthread.h>
#include <stdbool.h>

#include "../base/buf.h"
#include "warm_list.h"

#define WARM_SAVE_NAME "warm"

struct warm_save {
	/* Held while the file and the queue are changed, so that they agree: the one lock
	 * under which the disk is written. */
	pthread_mutex_t lock;
	char *path, *aside;		/* constant once opened */
	bool failed;			/* logged already */
};

void warm_save_init(struct warm_save *s);
void warm_save_fini(struct warm_save *s);
int warm_save_open(struct warm_save *s, const char *cache_dir);

/* The text that queues an item again, behind that of `last` (NULL: it is the first). */
void warm_save_item(const struct warm_item *item, const struct warm_item *last, struct buf *to);

/* lock held. */
void warm_save_append(struct warm_save *s, const struct buf *text);
void warm_save_replace(struct warm_save *s, const struct buf *text);	/* empty: removed */

/* All of a file; -EFBIG: more than most. *ret is appended to. */
int warm_save_read(const char *path, size_t most, struct buf *ret);

#endif
