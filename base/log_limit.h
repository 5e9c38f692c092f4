/* log_limit.h - how much of the same is said.
 *
 * Messages are told apart by where they stand in the source. Each place may say
 * LOG_LIMIT_BURST things a LOG_LIMIT_MS; what is more is counted, and told with the next
 * that may be said. No lock of its own. */
#ifndef BASE_LOG_LIMIT_H
#define BASE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_LIMIT_BURST 10
#define LOG_LIMIT_MS 60000
#define LOG_LIMIT_PLACES 64

struct log_limit {
	struct log_place {
		const void *place;	/* NULL: free */
		int64_t since_ms;
		unsigned said, kept_back;
	} places[LOG_LIMIT_PLACES];
};

/* place: any address that stands for one; now_ms: monotonic. *ret_kept_back: how many were
 * not said since the last that was. */
bool log_limit_allow(struct log_limit *l, const void *place, int64_t now_ms,
		     unsigned *ret_kept_back);

#endif
