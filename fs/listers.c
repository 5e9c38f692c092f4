#include "listers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/map.h"
#include "../fetch/dirlist.h"
#include "../index/version.h"

struct lister {
	struct list link;
	pid_t process;
	uint64_t hash;
	char *key;			/* of the directory, whose number may change */
	struct dirlist *list;		/* a reference */
	struct version **shown;		/* by entry, references; NULL: none so far */
	int open;			/* how often */
	bool reading, looked;
	int64_t until_ms, end_ms;	/* mono; until: once it is closed */
	size_t ahead;
	unsigned char seen[];		/* a bit for each entry */
};

void listers_init(struct listers *ls)
{
	pthread_mutex_init(&ls->lock, NULL);
	list_init(&ls->all);
	ls->n = 0;
}

static void lister_free(struct lister *l)
{
	for (size_t i = 0; l->shown && i < l->list->n; i++)
		version_unref(l->shown[i]);
	free(l->shown);
	dirlist_unref(l->list);
	free(l->key);
	free(l);
}

/* Lock held. To be freed without it: the last reference of a version may do file I/O. */
static void forget(struct listers *ls, struct lister *l, struct list *gone)
{
	list_remove(&l->link);
	list_append(gone, &l->link);
	ls->n--;
}

static void free_all(struct list *gone)
{
	struct list *first;

	while ((first = list_pop(gone)))
		lister_free(list_entry(first, struct lister, link));
}

void listers_fini(struct listers *ls)
{
	free_all(&ls->all);
	pthread_mutex_destroy(&ls->lock);
}

/* Of a thread. Directories are opened by one thread of a program and looked at by
 * others. */
static pid_t process_of(pid_t pid)
{
	char path[64], text[512];
	const char *line;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return pid;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	line = strstr(text, "\nTgid:");
	return line ? (pid_t)atoi(line + strlen("\nTgid:")) : pid;
}

static bool is_over(const struct lister *l, int64_t now)
{
	return now >= l->end_ms || (l->open == 0 && now >= l->until_ms);
}

static bool is_of(const struct lister *l, uint64_t hash, const char *key)
{
	return l->hash == hash && strcmp(l->key, key) == 0;
}

/* Lock held. */
static struct lister *find(struct listers *ls, pid_t process, const char *key)
{
	uint64_t hash = map_hash_str(key);
	struct lister *l;

	list_for_each(l, &ls->all, link)
		if (l->process == process && is_of(l, hash, key))
			return l;
	return NULL;
}

/* The process of thread pid, if one of the listers of key may be it; else 0. */
static pid_t lister_process(struct listers *ls, pid_t pid, const char *key)
{
	uint64_t hash = map_hash_str(key);
	int64_t now = clock_mono_ms();
	bool some = false, same = false;
	struct lister *l;

	WITH_LOCK(&ls->lock)
		list_for_each(l, &ls->all, link)
			if (!is_over(l, now) && is_of(l, hash, key)) {
				some = true;
				same = same || l->process == pid;
			}
	if (same)
		return pid;
	return some ? process_of(pid) : 0;
}

/* Lock held. */
static void make_room(struct listers *ls, int64_t now, struct list *gone)
{
	struct lister *l, *next;

	list_for_each_safe(l, next, &ls->all, link)
		if (is_over(l, now) && l->open == 0)
			forget(ls, l, gone);
	if (ls->n >= LISTERS_MAX)
		forget(ls, list_entry(ls->all.next, struct lister, link), gone);
}

pid_t listers_open(struct listers *ls, pid_t pid, const char *key, struct dirlist *d)
{
	struct lister *made = calloc(1, sizeof(*made) + d->n / 8 + 1), *l;
	struct list gone = LIST_INIT(gone);
	pid_t process = process_of(pid);
	int64_t now = clock_mono_ms();

	if (made)
		made->key = strdup(key);
	if (!made || !made->key) {
		free(made);
		return process;
	}
	made->process = process;
	made->hash = map_hash_str(key);
	made->list = dirlist_ref(d);
	made->until_ms = now + LISTER_MS;
	made->end_ms = now + LISTER_END_MS;
	made->open = 1;
	made->reading = true;
	WITH_LOCK(&ls->lock) {
		/* It lists once more: what it looks at is new to it. */
		l = find(ls, process, key);
		if (l) {
			made->open += l->open;
			forget(ls, l, &gone);
		}
		make_room(ls, now, &gone);
		list_append(&ls->all, &made->link);
		ls->n++;
	}
	free_all(&gone);
	return process;
}

void listers_close(struct listers *ls, pid_t process, const char *key)
{
	struct lister *l;

	WITH_LOCK(&ls->lock) {
		l = find(ls, process, key);
		if (!l)
			break;
		if (l->open > 0)
			l->open--;
		l->until_ms = clock_mono_ms() + LISTER_MS;
	}
}

bool listers_end(struct listers *ls, pid_t process, const char *key)
{
	bool looked = false;
	struct lister *l;

	WITH_LOCK(&ls->lock) {
		l = find(ls, process, key);
		if (!l)
			break;
		looked = l->looked;
		l->reading = l->looked = false;
	}
	return looked;
}

/* Lock held. */
static bool take(struct lister *l, const char *segment, struct look *ret)
{
	unsigned char bit;
	bool found;
	size_t i = dirlist_find(l->list, segment, &found);

	if (!found || atomic_load(&l->list->dropped))
		return false;
	bit = (unsigned char)(1 << i % 8);
	*ret = (struct look){
		.list = dirlist_ref(l->list),
		.entry = i,
		.first = !(l->seen[i / 8] & bit),
		.reading = l->reading && l->open > 0,
		.ahead = l->ahead,
	};
	l->seen[i / 8] |= bit;
	l->looked = l->looked || l->reading;
	l->until_ms = clock_mono_ms() + LISTER_MS;
	return true;
}

bool listers_take(struct listers *ls, pid_t pid, const char *key, const char *segment,
		  struct look *ret)
{
	pid_t process = lister_process(ls, pid, key);
	int64_t now = clock_mono_ms();
	bool taken = false;
	struct lister *l;

	if (!process)
		return false;
	WITH_LOCK(&ls->lock) {
		l = find(ls, process, key);
		taken = l && !is_over(l, now) && take(l, segment, ret);
	}
	return taken;
}

void listers_keep(struct listers *ls, pid_t pid, const char *key, const char *segment,
		  struct version *v)
{
	pid_t process = lister_process(ls, pid, key);
	struct version *old = NULL;
	struct lister *l;
	bool found;

	version_ref(v);
	WITH_LOCK(&ls->lock) {
		size_t i;

		old = v;
		l = process ? find(ls, process, key) : NULL;
		i = l ? dirlist_find(l->list, segment, &found) : 0;
		if (!l || !found)
			break;
		if (!l->shown)
			l->shown = calloc(l->list->n, sizeof *l->shown);
		if (!l->shown)
			break;
		old = l->shown[i];
		l->shown[i] = v;
	}
	version_unref(old);
}

void listers_note_ahead(struct listers *ls, const char *key, const struct dirlist *d,
			size_t ahead)
{
	uint64_t hash = map_hash_str(key);
	struct lister *l;

	WITH_LOCK(&ls->lock)
		list_for_each(l, &ls->all, link)
			if (is_of(l, hash, key) && l->list == d && l->ahead < ahead)
				l->ahead = ahead;
}
