/* evict.h - who goes: SIEVE (NSDI '24) over the order of inode numbers.
 *
 * The queue of SIEVE is the table itself: the highest number is its head, the
 * lowest its tail. The hand walks from the tail to the head (ascending), spares
 * and clears what was visited, names what was not, and begins again at the tail.
 * New objects get the highest numbers, so insertion needs no work at all.
 * Thread I only. */
#ifndef INDEX_EVICT_H
#define INDEX_EVICT_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "recency.h"

struct evict {
	struct db *db;
	struct recency *recency;
	uint64_t hand;		/* next number to look at; 0: begin at the tail */
};

/* Names victims, until `take` says enough (false) or there is none left: first
 * rows beyond use, then by SIEVE. take() decides, deletes and counts (reason:
 * expired or evicted); a victim it spares (in use, arriving) stays. At most two
 * rounds over the table. 0 or -errno of the db. */
int evict_run(struct evict *e, int64_t now_ms,
	      bool (*take)(void *arg, const struct record *r, bool expired), void *arg);

int evict_load(struct evict *e);	/* hand and recency of the last run */
int evict_save(struct evict *e);

#endif
