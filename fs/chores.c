#include "chores.h"

#include <time.h>

#include "../base/access_log.h"
#include "../base/clock.h"
#include "fs.h"

void chores_init(struct chores *c)
{
	sem_init(&c->wake, 0, 0);
	atomic_init(&c->stopping, false);
	atomic_init(&c->reopen, false);
	atomic_init(&c->idle, false);
}

void chores_fini(struct chores *c)
{
	sem_destroy(&c->wake);
}

void chores_wake(void *arg)
{
	struct fs *fs = arg;

	sem_post(&fs->chores.wake);
}

void chores_stop(struct fs *fs)
{
	atomic_store(&fs->chores.stopping, true);
	chores_wake(fs);
}

void chores_reopen_log(struct fs *fs)
{
	atomic_store(&fs->chores.reopen, true);
	chores_wake(fs);
}

void chores_note_activity(struct fs *fs)
{
	if (atomic_load_explicit(&fs->chores.idle, memory_order_relaxed) &&
	    atomic_exchange(&fs->chores.idle, false))
		chores_wake(fs);
}

/* What comes while the sample is taken finds that it is to wake us: said first. */
static void sample(struct fs *fs)
{
	atomic_store(&fs->chores.idle, true);
	if (history_take(fs))
		atomic_store(&fs->chores.idle, false);
}

static void wait_until(struct chores *c, int64_t mono_ms)
{
	const struct timespec until = { mono_ms / 1000, mono_ms % 1000 * 1000000 };

	/* A signal that interrupts it has its handler say what is to be done. */
	if (atomic_load(&c->idle))
		sem_wait(&c->wake);
	else
		sem_clockwait(&c->wake, CLOCK_MONOTONIC, &until);
}

void chores_run(struct fs *fs)
{
	struct chores *c = &fs->chores;
	int64_t next_ms = 0;

	while (!atomic_load(&c->stopping)) {
		if (atomic_exchange(&c->reopen, false))
			access_log_reopen();
		access_log_flush();
		if (!atomic_load(&c->idle) && clock_mono_ms() >= next_ms) {
			next_ms = clock_mono_ms() + HISTORY_INTERVAL_MS;
			sample(fs);
		}
		wait_until(c, next_ms);
	}
}
