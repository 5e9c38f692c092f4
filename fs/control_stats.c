/* control_stats.c - .control/stats: a JSON object, one value a line, so that grep and
 * awk can read it too. Names and their order stay. */
#include <inttypes.h>

#include "../base/clock.h"
#include "../base/counters.h"
#include "control_files.h"
#include "facts.h"
#include "fs.h"

static void line(struct buf *to, const char *name, int64_t value)
{
	buf_printf(to, "  \"%s\": %" PRId64 ",\n", name, value);
}

int control_stats_render(struct fs *fs, struct buf *to)
{
	struct fact facts[FACTS_MAX];
	int n = facts_take(fs, facts);

	buf_str_append(to, "{\n  \"version\": ");
	buf_json(to, WEBCACHEFS_VERSION);
	buf_str_append(to, ",\n");
	line(to, "uptime_s", (clock_wall_ms() - fs->started_ms) / 1000);
	for (int i = 0; i < n; i++)
		line(to, facts[i].name, facts[i].value);
	for (int i = 0; i < COUNT_N; i++)
		line(to, counter_name((enum counter)i), counter_value((enum counter)i));
	buf_printf(to, "  \"hit_rate\": %.4f\n}\n", facts_hit_rate());
	return 0;
}
