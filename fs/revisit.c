#include "revisit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../index/version.h"

struct revisit {
	struct list link;
	pid_t pid;
	uint64_t ino, parent;
	struct version *version;	/* a reference */
	int64_t until_ms;		/* monotonic */
	int left;			/* LOOKUPs that are to see the file */
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

static void drop_expired(struct revisits *r, struct list *gone)
{
	int64_t now = clock_mono_ms();

	while (!list_empty(&r->entries)) {
		struct revisit *e = list_entry(r->entries.next, struct revisit, link);

		if (e->until_ms > now)
			break;
		drop(r, e, gone);
	}
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

/* Called with the lock held. */
static struct revisit *find(struct revisits *r, pid_t pid, uint64_t parent, const char *name)
{
	struct revisit *e;

	list_for_each(e, &r->entries, link)
		if (e->pid == pid && e->parent == parent && strcmp(e->name, name) == 0)
			return e;
	return NULL;
}

int revisit_add(struct revisits *r, pid_t pid, uint64_t ino, uint64_t parent,
		const char *name, struct version *v)
{
	struct revisit *old, *e = calloc(1, sizeof(*e) + strlen(name) + 1);
	struct list gone = LIST_INIT(gone);

	if (!e)
		return -ENOMEM;
	e->pid = pid;
	e->ino = ino;
	e->parent = parent;
	e->version = version_ref(v);
	e->until_ms = clock_mono_ms() + REVISIT_MS;
	e->left = REVISIT_LOOKUPS;
	memcpy(e->name, name, strlen(name) + 1);
	WITH_LOCK(&r->lock) {
		drop_expired(r, &gone);
		old = find(r, pid, parent, name);
		if (old)
			drop(r, old, &gone);
		if (r->n >= REVISITS_MAX)
			drop(r, list_entry(r->entries.next, struct revisit, link), &gone);
		list_append(&r->entries, &e->link);
		r->n++;
	}
	free_all(&gone);
	return 0;
}

struct version *revisit_take(struct revisits *r, pid_t pid, uint64_t parent, const char *name)
{
	struct list gone = LIST_INIT(gone);
	struct version *v = NULL;
	struct revisit *e;

	WITH_LOCK(&r->lock) {
		drop_expired(r, &gone);
		e = find(r, pid, parent, name);
		if (e) {
			v = version_ref(e->version);
			if (--e->left == 0)
				drop(r, e, &gone);
		}
	}
	free_all(&gone);
	return v;
}

bool revisit_came_back(struct revisits *r, pid_t pid, uint64_t ino)
{
	struct list gone = LIST_INIT(gone);
	struct revisit *e, *next;
	bool back = false;

	WITH_LOCK(&r->lock) {
		drop_expired(r, &gone);
		list_for_each_safe(e, next, &r->entries, link) {
			if (e->pid != pid || e->ino != ino || e->left != REVISIT_LOOKUPS)
				continue;
			drop(r, e, &gone);
			back = true;
		}
	}
	free_all(&gone);
	return back;
}
