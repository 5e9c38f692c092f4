/* origins.h - some of the counters for each origin: scheme, host and port of a URL.
 *
 * Any thread. The lock within is a leaf: may be called with others held. At most
 * ORIGINS_MAX are told apart: what the one that was not used for longest had counted goes
 * to "other" when one more comes, so that no sum ever loses anything. */
#ifndef BASE_ORIGINS_H
#define BASE_ORIGINS_H

#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "histogram.h"

#define ORIGINS_MAX 64
#define ORIGINS_OTHER "other"

enum origin_counter {
#define ORIGIN(name) ORIGIN_##name,
#include "origins.def"
#undef ORIGIN
	ORIGIN_N
};

enum counter origin_counter_of(enum origin_counter c);	/* of which it is a part */

/* url: absolute and normalised; NULL does nothing. */
void origin_add(const char *url, enum origin_counter c, int64_t by);
void origin_add_ttfb(const char *url, int64_t us);

/* Both the mount's counter and the origin's. */
#define count_at(url, name) count_by_at(url, name, 1)
#define count_by_at(url, name, n)                                              \
	do {                                                                   \
		int64_t n_ = (n);                                              \
		counter_add(COUNT_##name, n_);                                 \
		origin_add((url), ORIGIN_##name, n_);                          \
	} while (0)

struct origin_view {
	char *name;		/* "https://host:port", or ORIGINS_OTHER, which is last */
	int64_t values[ORIGIN_N];
	struct histogram_view ttfb;
};

/* A snapshot, by name. 0 or -ENOMEM. origins_free() it. */
int origins_view(struct origin_view **ret, size_t *ret_n);
void origins_free(struct origin_view *list, size_t n);

void origins_reset(void);	/* forgets all of them */

#endif
