/* check_walk.h - one check of an index, from the first row to the last file. Private to
 * index/; see check.h for what it is about.
 *
 * In the thread of its caller. Rows are read a page at a time as readers do, bodies are
 * read with no lock held, and what turns out wrong is taken away by thread I (writer_run),
 * if its row still says the same then: a cache that is in use goes on meanwhile. */
#ifndef INDEX_CHECK_WALK_H
#define INDEX_CHECK_WALK_H

#include "check.h"

struct check_walk {
	struct index *ix;
	struct check_status status;
	void (*progress)(struct check_walk *w);	/* after each body; may be NULL */
	void *arg;
	const _Atomic bool *stop;
};

/* Fills w->status; its state is then CLEAN, REPAIRED or FAILED. */
void check_walk(struct check_walk *w);

#endif
