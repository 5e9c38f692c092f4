/* chores.h - what the main thread does between mount and unmount: it writes the access log
 * and takes samples for the history. It sleeps while there is nothing of either.
 *
 * chores_wake() and those below it: any thread, and signal handlers. */
#ifndef FS_CHORES_H
#define FS_CHORES_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

struct fs;

struct chores {
	sem_t wake;			/* posted: there is something to do */
	_Atomic bool stopping;
	_Atomic bool reopen;		/* the access log */
	_Atomic bool idle;		/* no sample will be taken unless somebody says so */
};

void chores_init(struct chores *c);
void chores_fini(struct chores *c);

/* The main thread, until chores_stop(). */
void chores_run(struct fs *fs);

void chores_wake(void *fs);
void chores_stop(struct fs *fs);
void chores_reopen_log(struct fs *fs);
void chores_note_activity(struct fs *fs);	/* cheap: for each request of the kernel */

#endif
