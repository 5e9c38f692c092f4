/* retry.h - when to ask an origin again that failed. Pure; any thread. */
#ifndef FETCH_RETRY_H
#define FETCH_RETRY_H

#include <stdint.h>

#define RETRY_BASE_MS 200
#define RETRY_CAP_MS 10000
#define RETRY_AFTER_MAX_MS 60000

/* How long to wait before retry number `attempt` (0: the first one). Anything
 * from 0 to a window that doubles from RETRY_BASE_MS to RETRY_CAP_MS, as `random`
 * (uniform over its type) says: "full jitter", so that those who failed together
 * do not come back together. Never earlier than the origin's Retry-After
 * (retry_after_ms; -1: none); when that is more than RETRY_AFTER_MAX_MS, -1: a
 * reader does not wait that long, give up. */
int64_t retry_delay_ms(int attempt, int64_t retry_after_ms, uint32_t random);

/* Retry-After (RFC 9110 10.2.3): seconds, or a date seen at now_ms (wall). Not
 * below 0, INT64_MAX when that is too small for it; -1: not valid, or NULL. */
int64_t retry_after_parse(const char *value, int64_t now_ms);

#endif
