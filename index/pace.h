/* pace.h - whether small bodies are packed at once, or when there is time. Private to index/.
 *
 * Packing costs more than all else that a small body takes from socket to disk, and while
 * many arrive there are better uses for the processors. So packing at once may take a small
 * part of the time; what comes faster is stored as it is, LOOSE (segment.h), and packed when
 * bodies have stopped arriving like that (pack.c).
 *
 * Any thread. Errors: none. */
#ifndef INDEX_PACE_H
#define INDEX_PACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct pace {
	pthread_mutex_t lock;		/* leaf */
	int64_t spent_ns;		/* packing at once, less what time has forgiven since */
	int64_t at_ns;			/* when it was forgiven last */
	int64_t later_ms;		/* mono: when a body was put off last; 0: never */
};

void pace_init(struct pace *p);
void pace_fini(struct pace *p);

/* Whether a body that may be put off should be. */
bool pace_is_high(struct pace *p);

/* A body was packed at once in so much time of a processor; was put off. */
void pace_packed(struct pace *p, int64_t ns);
void pace_put_off(struct pace *p);

/* No body was put off for a moment: now is the time to pack. */
bool pace_is_calm(struct pace *p);

#endif
