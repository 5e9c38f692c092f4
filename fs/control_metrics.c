/* control_metrics.c - .control/metrics: the same numbers in the text format of Prometheus
 * (exposition format 0.0.4). */
#include <inttypes.h>

#include "../base/clock.h"
#include "../base/counters.h"
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

int control_metrics_render(struct fs *fs, struct buf *to)
{
	struct fact facts[FACTS_MAX];
	int n = facts_take(fs, facts);

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
	return 0;
}
