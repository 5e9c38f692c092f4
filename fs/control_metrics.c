/* control_metrics.c - .control/metrics: the same numbers in the text format of Prometheus
 * (exposition format 0.0.4). */
#include <inttypes.h>

#include "../base/clock.h"
#include "../base/counters.h"
#include "../base/histogram.h"
#include "../base/origins.h"
#include "control_files.h"
#include "facts.h"
#include "fs.h"

#define PREFIX "webcachefs_"

static void head(struct buf *to, const char *name, const char *suffix, const char *help,
		 const char *type)
{
	buf_printf(to, "# HELP " PREFIX "%s%s ", name, suffix);
	for (; *help; help++) {
		if (*help == '\\')
			buf_char(to, '\\');
		buf_char(to, *help);
	}
	buf_printf(to, "\n# TYPE " PREFIX "%s%s %s\n", name, suffix, type);
}

static void metric(struct buf *to, const char *name, const char *help, bool gauge, int64_t value)
{
	const char *suffix = gauge ? "" : "_total";

	head(to, name, suffix, help, gauge ? "gauge" : "counter");
	buf_printf(to, PREFIX "%s%s %" PRId64 "\n", name, suffix, value);
}

/* --- histograms --- */

/* label: `origin="..."`, or "". */
static void put_buckets(struct buf *to, const char *name, const char *label,
			const struct histogram_view *v)
{
	const char *comma = *label ? "," : "";
	int64_t so_far = 0;

	for (int i = 0; i < HISTOGRAM_BOUNDS; i++) {
		so_far += v->buckets[i];
		buf_printf(to, PREFIX "%s_seconds_bucket{%s%sle=\"%g\"} %" PRId64 "\n", name, label,
			   comma, (double)histogram_bounds_us[i] / 1e6, so_far);
	}
	buf_printf(to, PREFIX "%s_seconds_bucket{%s%sle=\"+Inf\"} %" PRId64 "\n", name, label,
		   comma, v->n);
	buf_printf(to, PREFIX "%s_seconds_sum%s%s%s %.6f\n", name, *label ? "{" : "", label,
		   *label ? "}" : "", (double)v->sum_us / 1e6);
	buf_printf(to, PREFIX "%s_seconds_count%s%s%s %" PRId64 "\n", name, *label ? "{" : "",
		   label, *label ? "}" : "", v->n);
}

static void put_histograms(struct buf *to)
{
	for (int i = 0; i < HISTOGRAM_N; i++) {
		enum histograms h = (enum histograms)i;
		struct histogram_view v;

		histogram_view(histogram_of(h), &v);
		head(to, histogram_name(h), "_seconds", histogram_help(h), "histogram");
		put_buckets(to, histogram_name(h), "", &v);
	}
}

/* --- origins --- */

/* As the text format wants it: backslash, quote and newline. */
static void put_label(struct buf *to, const char *origin)
{
	buf_str_append(to, "origin=\"");
	for (; *origin; origin++) {
		if (*origin == '\\' || *origin == '"')
			buf_char(to, '\\');
		buf_char(to, *origin == '\n' ? ' ' : *origin);
	}
	buf_char(to, '"');
}

static void put_origin_counter(struct buf *to, enum origin_counter c,
			       const struct origin_view *list, size_t n)
{
	char name[64];

	snprintf(name, sizeof name, "origin_%s", counter_name(origin_counter_of(c)));
	head(to, name, "_total", counter_help(origin_counter_of(c)), "counter");
	for (size_t i = 0; i < n; i++) {
		buf_printf(to, PREFIX "%s_total{", name);
		put_label(to, list[i].name);
		buf_printf(to, "} %" PRId64 "\n", list[i].values[c]);
	}
}

static void put_origins(struct buf *to, const struct origin_view *list, size_t n)
{
	for (int i = 0; i < ORIGIN_N; i++)
		put_origin_counter(to, (enum origin_counter)i, list, n);
	head(to, "origin_ttfb", "_seconds", histogram_help(HISTOGRAM_ttfb), "histogram");
	for (size_t i = 0; i < n; i++) {
		struct buf label _cleanup_(buf_fini) = BUF_INIT;

		put_label(&label, list[i].name);
		put_buckets(to, "origin_ttfb", buf_str(&label), &list[i].ttfb);
	}
}

int control_metrics_render(struct fs *fs, struct buf *to)
{
	struct fact facts[FACTS_MAX];
	struct origin_view *list;
	size_t n_origins;
	int n = facts_take(fs, facts), err;

	head(to, "build_info", "", "always 1; the label says what runs", "gauge");
	buf_str_append(to, PREFIX "build_info{version=\"" WEBCACHEFS_VERSION "\"} 1\n");
	metric(to, "uptime_seconds", "seconds since the mount was made", true,
	       (clock_wall_ms() - fs->started_ms) / 1000);
	for (int i = 0; i < n; i++)
		metric(to, facts[i].name, facts[i].help, true, facts[i].value);
	for (int i = 0; i < COUNT_N; i++) {
		enum counter c = (enum counter)i;

		metric(to, counter_name(c), counter_help(c), counter_is_gauge(c),
		       counter_value(c));
	}
	head(to, "hit_rate", "", FACTS_HIT_RATE_HELP, "gauge");
	buf_printf(to, PREFIX "hit_rate %.4f\n", facts_hit_rate());
	put_histograms(to);
	err = origins_view(&list, &n_origins);
	if (err < 0)
		return err;
	/* A name without samples is better not there. */
	if (n_origins)
		put_origins(to, list, n_origins);
	origins_free(list, n_origins);
	return 0;
}
