/* control_stats.c - .control/stats: a JSON object, one value a line, so that grep and
 * awk can read it too: also each origin is a line. Names and their order stay. */
#include <inttypes.h>

#include "../base/clock.h"
#include "../base/counters.h"
#include "../base/histogram.h"
#include "../base/origins.h"
#include "control_files.h"
#include "facts.h"
#include "fs.h"

static void line(struct buf *to, const char *name, int64_t value)
{
	buf_printf(to, "  \"%s\": %" PRId64 ",\n", name, value);
}

static const struct {
	const char *name;
	double q;
} quantiles[] = {
	{ "p50", 0.5 },
	{ "p90", 0.9 },
	{ "p99", 0.99 },
};

static void put_quantiles(struct buf *to, const char *name, const struct histogram_view *v,
			  const char *before, const char *after)
{
	for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
		buf_printf(to, "%s\"%s_%s_ms\": %.1f%s", before, name, quantiles[i].name,
			   histogram_quantile_us(v, quantiles[i].q) / 1000, after);
}

static void put_origin(struct buf *to, const struct origin_view *o)
{
	buf_str_append(to, "    ");
	buf_json(to, o->name);
	buf_str_append(to, ": { ");
	for (int i = 0; i < ORIGIN_N; i++)
		buf_printf(to, "\"%s\": %" PRId64 ", ",
			   counter_name(origin_counter_of((enum origin_counter)i)), o->values[i]);
	buf_printf(to, "\"hit_rate\": %.4f", facts_hit_rate_of(o));
	put_quantiles(to, histogram_name(HISTOGRAM_ttfb), &o->ttfb, ", ", "");
	buf_str_append(to, " }");
}

static int put_origins(struct buf *to)
{
	struct origin_view *list;
	size_t n;
	int err = origins_view(&list, &n);

	if (err < 0)
		return err;
	/* The bracket begins a line: what has a name and a value on it is a value. */
	buf_str_append(to, "  \"origins\":\n  {");
	for (size_t i = 0; i < n; i++) {
		buf_str_append(to, i ? ",\n" : "\n");
		put_origin(to, &list[i]);
	}
	buf_str_append(to, n ? "\n  }\n" : "}\n");
	origins_free(list, n);
	return 0;
}

int control_stats_render(struct fs *fs, struct buf *to)
{
	struct fact facts[FACTS_MAX];
	int n = facts_take(fs, facts), err;

	buf_str_append(to, "{\n  \"version\": ");
	buf_json(to, WEBCACHEFS_VERSION);
	buf_str_append(to, ",\n");
	line(to, "uptime_s", (clock_wall_ms() - fs->started_ms) / 1000);
	for (int i = 0; i < n; i++)
		line(to, facts[i].name, facts[i].value);
	for (int i = 0; i < COUNT_N; i++)
		line(to, counter_name((enum counter)i), counter_value((enum counter)i));
	buf_printf(to, "  \"hit_rate\": %.4f,\n", facts_hit_rate());
	for (int i = 0; i < HISTOGRAM_N; i++) {
		struct histogram_view v;

		histogram_view(histogram_of((enum histograms)i), &v);
		put_quantiles(to, histogram_name((enum histograms)i), &v, "  ", ",\n");
	}
	err = put_origins(to);
	buf_str_append(to, "}\n");
	return err;
}
