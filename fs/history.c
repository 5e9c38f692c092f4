#include "history.h"

#include <inttypes.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/counters.h"
#include "../base/histogram.h"
#include "fs.h"

static const enum counter counters[] = {
	COUNT_hits,	     COUNT_misses,	   COUNT_coalesced,	   COUNT_negative_hits,
	COUNT_stale_served,  COUNT_revalidated,	   COUNT_errors,	   COUNT_lookups,
	COUNT_reads,	     COUNT_read_bytes,	   COUNT_upstream_requests, COUNT_upstream_bytes,
	COUNT_evictions,     COUNT_transfers_active, COUNT_parked,
};

#define COUNTERS_N (sizeof counters / sizeof *counters)

static const char *const more[] = { "objects", "bytes_used", "ttfb_count", "ttfb_sum_ms" };

_Static_assert(COUNTERS_N + sizeof more / sizeof *more == HISTORY_VALUES, "a value is missing");

void history_init(struct history *h)
{
	pthread_mutex_init(&h->lock, NULL);
	h->n = h->next = 0;
}

void history_fini(struct history *h)
{
	pthread_mutex_destroy(&h->lock);
}

static void look(struct fs *fs, struct history_sample *s)
{
	struct histogram_view ttfb;
	struct index_sums sums = { 0 };
	size_t n = 0;

	index_sums(fs->index, &sums);
	histogram_view(histogram_of(HISTOGRAM_ttfb), &ttfb);
	s->time_ms = clock_wall_ms();
	while (n < COUNTERS_N) {
		s->values[n] = counter_value(counters[n]);
		n++;
	}
	s->values[n++] = sums.objects;
	s->values[n++] = sums.bytes_used;
	s->values[n++] = ttfb.n;
	s->values[n++] = ttfb.sum_us / 1000;
}

bool history_take(struct fs *fs)
{
	struct history *h = &fs->history;
	struct history_sample now;
	bool changed = true;

	look(fs, &now);
	WITH_LOCK(&h->lock) {
		const struct history_sample *last =
			&h->samples[(h->next + HISTORY_MAX - 1) % HISTORY_MAX];

		changed = h->n == 0 || memcmp(last->values, now.values, sizeof now.values) != 0;
		h->samples[h->next] = now;
		h->next = (h->next + 1) % HISTORY_MAX;
		h->n += h->n < HISTORY_MAX;
	}
	return changed;
}

static void put_sample(const struct history_sample *s, struct buf *to)
{
	buf_printf(to, "    [%" PRId64 ".%03d", s->time_ms / 1000, (int)(s->time_ms % 1000));
	for (size_t i = 0; i < HISTORY_VALUES; i++)
		buf_printf(to, ",%" PRId64, s->values[i]);
	buf_char(to, ']');
}

void history_render(struct history *h, struct buf *to)
{
	buf_printf(to, "{\n  \"time\": %" PRId64 ",\n  \"interval_s\": %d,\n  \"names\": [\"time\"",
		   clock_wall_s(), HISTORY_INTERVAL_MS / 1000);
	for (size_t i = 0; i < COUNTERS_N; i++)
		buf_printf(to, ",\"%s\"", counter_name(counters[i]));
	for (size_t i = 0; i < sizeof more / sizeof *more; i++)
		buf_printf(to, ",\"%s\"", more[i]);
	buf_str_append(to, "],\n  \"samples\": [");
	WITH_LOCK(&h->lock)
		for (size_t i = 0; i < h->n; i++) {
			buf_str_append(to, i ? ",\n" : "\n");
			put_sample(&h->samples[(h->next + HISTORY_MAX - h->n + i) % HISTORY_MAX],
				   to);
		}
	buf_str_append(to, "\n  ]\n}\n");
}
