#include "revisit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../index/version.h"

struct revisit {
	struct list link;
	pid_t pid;
	uint64_t ino;			/* of the directory; 0: not sent back */
	uint64_t parent;
	struct version *version;	/* a reference */
	int64_t until_ms;		/* monotonic; when it goes */
	int64_t answer_until_ms;	/* monotonic; when its answer is not trusted any more */
	int left;			/* LOOKUPs that are to see the file */
	int extra;			/* and those because of others, if they come soon */
	bool walked;
	int64_t walked_ms;		/* monotonic; the last LOOKUP */
	char name[];
};

void revisits_init(struct revisits *r)
{
	pthread_mutex_init(&r->lock, NULL);
	list_init(&r->entries);
	r->n = 0;
}

/* Moves e to `gone`, to be freed without the lock: the last reference of a version
 * may do file I/O. */
static void drop(struct revisits *r, struct revisit *e, struct list *gone)
{
	list_remove(&e->link);
	list_append(gone, &e->link);
	r->n--;
}

static void free_all(struct list *gone)
{
	struct list *l;

	while ((l = list_pop(gone))) {
		struct revisit *e = list_entry(l, struct revisit, link);

		version_unref(e->version);
		free(e);
	}
}

void revisits_fini(struct revisits *r)
{
	free_all(&r->entries);
	r->n = 0;
	pthread_mutex_destroy(&r->lock);
}

static bool is_over(const struct revisit *e, int64_t now)
{
	return e->until_ms <= now || (e->walked && e->left == 0 &&
				      e->walked_ms + REVISIT_NEXT_MS <= now);
}

static bool is_for(const struct revisit *e, pid_t pid, uint64_t parent, const char *name)
{
	return e->pid == pid && e->parent == parent && strcmp(e->name, name) == 0;
}

static struct revisit *revisit_new(pid_t pid, uint64_t parent, const char *name,
				   struct version *v)
{
	struct revisit *e = calloc(1, sizeof(*e) + strlen(name) + 1);

	if (!e)
		return NULL;
	e->pid = pid;
	e->parent = parent;
	e->version = version_ref(v);
	memcpy(e->name, name, strlen(name) + 1);
	return e;
}

/* Takes e, in place of what the thread was to see. */
static void add(struct revisits *r, struct revisit *e)
{
	struct list gone = LIST_INIT(gone);
	struct revisit *old, *next;
	int64_t now = clock_mono_ms();

	WITH_LOCK(&r->lock) {
		list_for_each_safe(old, next, &r->entries, link)
			if (is_over(old, now) || is_for(old, e->pid, e->parent, e->name))
				drop(r, old, &gone);
		if (r->n >= REVISITS_MAX)
			drop(r, list_entry(r->entries.next, struct revisit, link), &gone);
		list_append(&r->entries, &e->link);
		r->n++;
	}
	free_all(&gone);
}

int revisit_sent_back(struct revisits *r, pid_t pid, uint64_t ino, uint64_t parent,
		      const char *name, struct version *v)
{
	struct revisit *e = revisit_new(pid, parent, name, v);

	if (!e)
		return -ENOMEM;
	e->ino = ino;
	e->left = REVISIT_LOOKUPS;
	e->until_ms = clock_mono_ms() + REVISIT_MS;
	add(r, e);
	return 0;
}

void revisit_replaced(struct revisits *r, pid_t pid, uint64_t parent, const char *name,
		      struct version *v, int64_t entry_ms)
{
	struct revisit *e = revisit_new(pid, parent, name, v);

	if (!e)
		return;
	e->left = 1;
	e->until_ms = clock_mono_ms() + REVISIT_NEXT_MS;
	e->answer_until_ms = clock_mono_ms() + entry_ms;
	add(r, e);
}

/* Called with the lock held: the next LOOKUP of who it is for. */
static struct version *take(struct revisit *e, int64_t now, int64_t *ret_entry_ms)
{
	if (e->left > 0)
		e->left--;
	else if (e->extra > 0)
		e->extra--;
	else
		return NULL;
	e->walked = true;
	e->walked_ms = now;
	*ret_entry_ms = e->answer_until_ms > now ? e->answer_until_ms - now : 0;
	return version_ref(e->version);
}

struct version *revisit_take(struct revisits *r, pid_t pid, uint64_t parent,
			     const char *name, int64_t *ret_entry_ms)
{
	struct list gone = LIST_INIT(gone);
	struct version *v = NULL;
	struct revisit *e, *next;
	int64_t now = clock_mono_ms();

	WITH_LOCK(&r->lock) {
		list_for_each_safe(e, next, &r->entries, link) {
			if (is_over(e, now))
				drop(r, e, &gone);
			else if (is_for(e, pid, parent, name))
				v = take(e, now, ret_entry_ms);
			else if (is_for(e, e->pid, parent, name) &&
				 e->extra + REVISIT_LOOKUPS <= REVISIT_EXTRA_MAX)
				e->extra += REVISIT_LOOKUPS;
		}
	}
	free_all(&gone);
	return v;
}

void revisits_purged(struct revisits *r)
{
	struct list gone = LIST_INIT(gone);
	struct revisit *e, *next;

	/* Who was sent back is about to be told the same again: that walk began before. */
	WITH_LOCK(&r->lock)
		list_for_each_safe(e, next, &r->entries, link)
			if (!e->ino)
				drop(r, e, &gone);
	free_all(&gone);
}

bool revisit_came_back(struct revisits *r, pid_t pid, uint64_t ino)
{
	struct list gone = LIST_INIT(gone);
	struct revisit *e, *next;
	int64_t now = clock_mono_ms();
	bool back = false;

	WITH_LOCK(&r->lock) {
		list_for_each_safe(e, next, &r->entries, link) {
			if (e->pid != pid || e->ino != ino || e->walked)
				continue;
			back = !is_over(e, now);
			drop(r, e, &gone);
		}
	}
	free_all(&gone);
	return back;
}
