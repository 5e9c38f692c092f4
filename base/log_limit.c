#include "log_limit.h"

#include <stddef.h>

/* Its own, a free one, or that of who has been silent for longest. */
static struct log_place *find(struct log_limit *l, const void *place, int64_t now_ms)
{
	struct log_place *oldest = &l->places[0];

	for (size_t i = 0; i < LOG_LIMIT_PLACES; i++) {
		struct log_place *p = &l->places[i];

		if (p->place == place)
			return p;
		if (oldest->place && (!p->place || p->since_ms < oldest->since_ms))
			oldest = p;
	}
	*oldest = (struct log_place){ .place = place, .since_ms = now_ms };
	return oldest;
}

bool log_limit_allow(struct log_limit *l, const void *place, int64_t now_ms,
		     unsigned *ret_kept_back)
{
	struct log_place *p = find(l, place, now_ms);

	if (now_ms - p->since_ms >= LOG_LIMIT_MS) {
		p->since_ms = now_ms;
		p->said = 0;
	}
	if (p->said >= LOG_LIMIT_BURST) {
		p->kept_back++;
		return false;
	}
	p->said++;
	*ret_kept_back = p->kept_back;
	p->kept_back = 0;
	return true;
}
