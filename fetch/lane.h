/* lane.h - what transfers from one host share: how many run, and how much may come.
 *
 * A lane lives as long as somebody holds it, and as more came than its rate allows: what
 * asks for one small thing after the other is held to the rate as well. Thread F. */
#ifndef FETCH_LANE_H
#define FETCH_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/list.h"
#include "../base/map.h"

struct lane {
	struct map_node node;
	int refs;
	char *host;			/* "host[:port]" */
	const void *group;		/* lanes of one host may be several */
	int running;			/* kept by transfer.c */
	int64_t rate;			/* bytes a second; 0: any */
	int64_t tokens;			/* thousandths of bytes that may come; below 0: too many came */
	int64_t filled_ms;		/* mono, when tokens was true */
	struct list idle;		/* lanes.idle: nobody holds it */
};

struct lanes {
	struct map map;
	struct list idle;
};

void lanes_init(struct lanes *l);
void lanes_fini(struct lanes *l);	/* nobody holds one */

/* That of a URL's host, a new reference; NULL: no memory. */
struct lane *lanes_get(struct lanes *l, const char *url, const void *group, int64_t rate,
		       int64_t now_ms);
void lane_unref(struct lanes *l, struct lane *lane);	/* NULL does nothing */

/* Whether bytes may come now, and that some came. */
bool lane_is_open(struct lane *lane, int64_t now_ms);
void lane_take(struct lane *lane, int64_t bytes, int64_t now_ms);

#endif
