/* counters.h - counters behind .control/stats and .control/metrics.
 *
 * Any thread, no lock. Names and help come from counters.def. */
#ifndef BASE_COUNTERS_H
#define BASE_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

enum counter {
#define COUNTER(name, help) COUNT_##name,
#define GAUGE(name, help) COUNT_##name,
#include "counters.def"
#undef COUNTER
#undef GAUGE
	COUNT_N
};

void counter_add(enum counter c, int64_t by);
int64_t counter_value(enum counter c);
const char *counter_name(enum counter c);
const char *counter_help(enum counter c);
bool counter_is_gauge(enum counter c);
void counters_reset(void);	/* gauges keep their value */

#define count(name) counter_add(COUNT_##name, 1)
#define count_by(name, n) counter_add(COUNT_##name, (n))

#endif
