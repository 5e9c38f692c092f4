/* facts.h - the numbers of .control/stats and .control/metrics that are not counters.
 * Any thread. */
#ifndef FS_FACTS_H
#define FS_FACTS_H

#include <stdint.h>

struct fs;

struct fact {
	const char *name;
	const char *help;
	int64_t value;
};

#define FACTS_MAX 8

/* A snapshot, in order. Returns how many. */
int facts_take(struct fs *fs, struct fact ret[FACTS_MAX]);

/* Names answered from what was stored, of these and those that a transfer was for: 0 to
 * 1, 0 when there were none. */
double facts_hit_rate(void);
struct origin_view;
double facts_hit_rate_of(const struct origin_view *o);
#define FACTS_HIT_RATE_HELP "share of names answered from what was stored, 0 to 1"

#endif
