#include "purged.h"

#include <inttypes.h>
#include <string.h>

#include "../base/cleanup.h"

void purged_init(struct purged *p)
{
	pthread_mutex_init(&p->lock, NULL);
	p->n = 0;
}

void purged_fini(struct purged *p)
{
	pthread_mutex_destroy(&p->lock);
}

void purged_note(struct purged *p, const struct purged_entry *e)
{
	size_t i;

	WITH_LOCK(&p->lock) {
		for (i = 0; i < p->n; i++)
			if (p->entries[i].uid == e->uid && p->entries[i].pid == e->pid)
				break;
		if (i == p->n && p->n < PURGED_MAX)
			p->n++;
		if (i == PURGED_MAX)
			i--;
		memmove(&p->entries[1], &p->entries[0], i * sizeof(p->entries[0]));
		p->entries[0] = *e;
	}
}

void purged_render(struct purged *p, struct buf *to)
{
	WITH_LOCK(&p->lock) {
		buf_str_append(to, "[");
		for (size_t i = 0; i < p->n; i++) {
			const struct purged_entry *e = &p->entries[i];

			buf_printf(to,
				   "%s\n  { \"uid\": %u, \"pid\": %d, \"time\": %" PRId64
				   ", \"order\": \"%s\", \"targets\": %zu, \"matched\": %" PRId64 " }",
				   i ? "," : "", (unsigned)e->uid, (int)e->pid, e->time_ms / 1000,
				   e->order, e->targets, e->matched);
		}
		buf_str_append(to, p->n ? "\n]\n" : "]\n");
	}
}
