#include "counters.h"

#include <stdatomic.h>

static _Atomic int64_t values[COUNT_N];

static const struct {
	const char *name;
	const char *help;
	bool gauge;
} table[COUNT_N] = {
#define COUNTER(name, help) { #name, help, false },
#define GAUGE(name, help) { #name, help, true },
#include "counters.def"
#undef COUNTER
#undef GAUGE
};

void counter_add(enum counter c, int64_t by)
{
	atomic_fetch_add_explicit(&values[c], by, memory_order_relaxed);
}

int64_t counter_value(enum counter c)
{
	return atomic_load_explicit(&values[c], memory_order_relaxed);
}

const char *counter_name(enum counter c)
{
	return table[c].name;
}

const char *counter_help(enum counter c)
{
	return table[c].help;
}

bool counter_is_gauge(enum counter c)
{
	return table[c].gauge;
}

void counters_reset(void)
{
	for (int i = 0; i < COUNT_N; i++)
		if (!table[i].gauge)
			atomic_store_explicit(&values[i], 0, memory_order_relaxed);
}
