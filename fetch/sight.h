/* sight.h - what one exchange with an origin cost: counters, times, a line of the log.
 *
 * Thread F. An exchange begins when its request is built and ends once, with the redirect,
 * the next try or the end of its transfer, whichever comes first. */
#ifndef FETCH_SIGHT_H
#define FETCH_SIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transfer;

struct sight {
	bool open;			/* begun, and not ended */
	const char *what;		/* "get", "revalidate" or "range" */
	int64_t sent_ns;		/* mono */
	int64_t paused_ns, paused_since_ns;	/* nobody read on: not the origin's time */
	int64_t bytes;			/* of the body that came */
};

void sight_sent(struct transfer *t);
void sight_headers(struct transfer *t);		/* those that count are in */
void sight_bytes(struct transfer *t, size_t n);
void sight_paused(struct transfer *t, bool paused);
void sight_ended(struct transfer *t, int err);	/* 0 or -errno; nothing if it has ended */

#endif
