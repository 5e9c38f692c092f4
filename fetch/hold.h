/* hold.h - names that their origin asked not to ask for again before a time
 * (Retry-After, RFC 9110 10.2.3). Not safe for concurrent use: fetch.lock guards it.
 *
 * Kept in memory only, in a table of fixed size: a name that collides takes the place
 * of the older one, which is then asked for too early at worst. */
#ifndef FETCH_HOLD_H
#define FETCH_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#define HOLD_MAX_MS 60000	/* no origin makes a name fail for longer */
#define HOLDS_N 256

struct hold {
	char *key;		/* NULL: none */
	int err;
	int64_t from_ms, until_ms;	/* wall */
};

struct holds {
	struct hold slots[HOLDS_N];
};

void holds_fini(struct holds *h);

/* key fails with err for retry_after_ms from now on, HOLD_MAX_MS at most. Does
 * nothing without memory. */
void hold_add(struct holds *h, const char *key, int err, int64_t now_ms, int64_t retry_after_ms);

/* 0, or what key fails with now. */
int hold_find(const struct holds *h, const char *key, int64_t now_ms);

/* Forgets those for which drop(key, arg). */
void hold_drop(struct holds *h, bool (*drop)(const char *key, void *arg), void *arg);

#endif
