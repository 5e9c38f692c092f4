/* histogram.h - how long things took, counted in buckets.
 *
 * Any thread, no lock: a snapshot that is taken while something is counted may lack it in
 * one of its numbers. Bounds are those of every histogram, in microseconds; the last
 * bucket has none. Names and help of the daemon's own come from histograms.def. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS 15
extern const int64_t histogram_bounds_us[HISTOGRAM_BOUNDS];

struct histogram {
	_Atomic int64_t buckets[HISTOGRAM_BOUNDS + 1];
	_Atomic int64_t sum_us;
};

struct histogram_view {
	int64_t buckets[HISTOGRAM_BOUNDS + 1];	/* each alone, not cumulative */
	int64_t n, sum_us;
};

void histogram_add(struct histogram *h, int64_t us);
void histogram_view(const struct histogram *h, struct histogram_view *ret);
void histogram_reset(struct histogram *h);
void histogram_merge(struct histogram *to, const struct histogram *from);

/* Microseconds that the part q (0 to 1) of all was not slower than, interpolated within
 * its bucket as Prometheus does it; the highest bound for what lies behind it, 0 for none
 * at all. */
double histogram_quantile_us(const struct histogram_view *v, double q);

/* --- the daemon's own --- */

enum histograms {
#define HISTOGRAM(name, help) HISTOGRAM_##name,
#include "histograms.def"
#undef HISTOGRAM
	HISTOGRAM_N
};

struct histogram *histogram_of(enum histograms h);
const char *histogram_name(enum histograms h);
const char *histogram_help(enum histograms h);
void histograms_reset(void);

#endif
