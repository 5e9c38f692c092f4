/* progress.h - how far it has got: a bar on a terminal, lines elsewhere. */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stdbool.h>

struct progress {
	long all, done, failed;
	bool terminal;			/* standard output is one */
	double begun_s, said_s;		/* mono */
	long said;			/* done and failed when it was said last */
};

void progress_begin(struct progress *p, long all);
void progress_show(struct progress *p);	/* done and failed have changed, maybe */
void progress_end(struct progress *p);	/* the last line */

/* A line on standard error, above the bar. */
void progress_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
