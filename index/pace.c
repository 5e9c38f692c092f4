/* pace.c - see pace.h. */
#include "pace.h"

#include "../base/cleanup.h"
#include "../base/clock.h"

enum {
	SHARE = 50,			/* packing at once may take one in so many ns ... */
	BURST_NS = 10 * 1000 * 1000,	/* ... and so many more */
	CALM_MS = 200,
};

void pace_init(struct pace *p)
{
	*p = (struct pace){ .at_ns = clock_mono_ns() };
	pthread_mutex_init(&p->lock, NULL);
}

void pace_fini(struct pace *p)
{
	pthread_mutex_destroy(&p->lock);
}

bool pace_is_high(struct pace *p)
{
	int64_t now = clock_mono_ns(), spent = 0;

	WITH_LOCK(&p->lock) {
		p->spent_ns -= (now - p->at_ns) / SHARE;
		if (p->spent_ns < 0)
			p->spent_ns = 0;
		p->at_ns = now;
		spent = p->spent_ns;
	}
	return spent > BURST_NS;
}

void pace_packed(struct pace *p, int64_t ns)
{
	WITH_LOCK(&p->lock)
		p->spent_ns += ns;
}

void pace_put_off(struct pace *p)
{
	int64_t now = clock_mono_ms();

	WITH_LOCK(&p->lock)
		p->later_ms = now;
}

bool pace_is_calm(struct pace *p)
{
	int64_t now = clock_mono_ms();
	bool calm = false;

	WITH_LOCK(&p->lock)
		calm = !p->later_ms || now - p->later_ms >= CALM_MS;
	return calm;
}
