#include "histogram.h"

#define MS 1000

const int64_t histogram_bounds_us[HISTOGRAM_BOUNDS] = {
	1 * MS,	  2500,	    5 * MS,    10 * MS,	  25 * MS,   50 * MS,	 100 * MS,   250 * MS,
	500 * MS, 1000 * MS, 2500 * MS, 5000 * MS, 10000 * MS, 30000 * MS, 60000 * MS,
};

void histogram_add(struct histogram *h, int64_t us)
{
	int i = 0;

	if (us < 0)
		us = 0;
	while (i < HISTOGRAM_BOUNDS && us > histogram_bounds_us[i])
		i++;
	atomic_fetch_add_explicit(&h->buckets[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum_us, us, memory_order_relaxed);
}

void histogram_view(const struct histogram *h, struct histogram_view *ret)
{
	ret->n = 0;
	for (int i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		ret->buckets[i] = atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
		ret->n += ret->buckets[i];
	}
	ret->sum_us = atomic_load_explicit(&h->sum_us, memory_order_relaxed);
}

void histogram_reset(struct histogram *h)
{
	for (int i = 0; i <= HISTOGRAM_BOUNDS; i++)
		atomic_store_explicit(&h->buckets[i], 0, memory_order_relaxed);
	atomic_store_explicit(&h->sum_us, 0, memory_order_relaxed);
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	struct histogram_view v;

	histogram_view(from, &v);
	for (int i = 0; i <= HISTOGRAM_BOUNDS; i++)
		atomic_fetch_add_explicit(&to->buckets[i], v.buckets[i], memory_order_relaxed);
	atomic_fetch_add_explicit(&to->sum_us, v.sum_us, memory_order_relaxed);
}

double histogram_quantile_us(const struct histogram_view *v, double q)
{
	double rank = q * (double)v->n, below = 0;

	if (v->n == 0)
		return 0;
	for (int i = 0; i < HISTOGRAM_BOUNDS; i++) {
		double here = (double)v->buckets[i];
		double low = i ? (double)histogram_bounds_us[i - 1] : 0;

		if (here > 0 && below + here >= rank)
			return low + ((double)histogram_bounds_us[i] - low) * (rank - below) / here;
		below += here;
	}
	return (double)histogram_bounds_us[HISTOGRAM_BOUNDS - 1];
}

/* --- the daemon's own --- */

static struct histogram all[HISTOGRAM_N];

static const struct {
	const char *name;
	const char *help;
} table[HISTOGRAM_N] = {
#define HISTOGRAM(name, help) { #name, help },
#include "histograms.def"
#undef HISTOGRAM
};

struct histogram *histogram_of(enum histograms h)
{
	return &all[h];
}

const char *histogram_name(enum histograms h)
{
	return table[h].name;
}

const char *histogram_help(enum histograms h)
{
	return table[h].help;
}

void histograms_reset(void)
{
	for (int i = 0; i < HISTOGRAM_N; i++)
		histogram_reset(&all[i]);
}
