/* A radix tree over inode numbers with bits at its leaves. Marking walks it with
 * loads alone and sets a bit; only where a page is missing it takes the lock.
 *
 * A page may be taken out while somebody is about to set a bit in it. So pages are
 * never given back to malloc before the end: they wait to be used again. The bit
 * is then lost, or set for another inode: one object is spared a round too few or
 * too many, nothing worse. */
#include "recency.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"

#define PAGE_BITS 12			/* 4096 inodes, 512 bytes */
#define PAGE_WORDS (1 << (PAGE_BITS - 6))
#define NODE_BITS 9
#define NODE_SLOTS (1 << NODE_BITS)
#define LEVELS 6			/* 6 * 9 + 12 >= 64 */

_Static_assert(LEVELS * NODE_BITS + PAGE_BITS >= 64, "every number has its place");

struct page {
	_Atomic uint64_t word[PAGE_WORDS];
	struct page *next_spare;	/* guarded by lock */
};

struct node {
	_Atomic(void *) slot[NODE_SLOTS];	/* nodes; at level 0 pages */
};

struct recency {
	struct node root;	/* level LEVELS - 1 */
	pthread_mutex_t lock;	/* of whoever adds or takes out a page or node */
	struct page *spare;	/* guarded by lock */
};

struct recency *recency_new(void)
{
	struct recency *r = calloc(1, sizeof(*r));

	if (r)
		pthread_mutex_init(&r->lock, NULL);
	return r;
}

static void free_below(struct node *node, int level)
{
	for (int i = 0; i < NODE_SLOTS; i++) {
		void *child = atomic_load_explicit(&node->slot[i], memory_order_relaxed);

		if (child && level > 0)
			free_below(child, level - 1);
		free(child);
	}
}

void recency_free(struct recency *r)
{
	struct page *p;

	if (!r)
		return;
	free_below(&r->root, LEVELS - 1);
	while ((p = r->spare)) {
		r->spare = p->next_spare;
		free(p);
	}
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static _Atomic(void *) *slot_of(struct node *node, int level, uint64_t ino)
{
	return &node->slot[(ino >> (PAGE_BITS + level * NODE_BITS)) & (NODE_SLOTS - 1)];
}

/* NULL: no page. */
static struct page *find_page(struct recency *r, uint64_t ino)
{
	void *at = &r->root;

	for (int level = LEVELS - 1; at && level >= 0; level--)
		at = atomic_load_explicit(slot_of(at, level, ino), memory_order_acquire);
	return at;
}

static struct page *take_spare(struct recency *r)
{
	struct page *p = r->spare;

	if (!p)
		return calloc(1, sizeof(*p));
	r->spare = p->next_spare;
	for (int i = 0; i < PAGE_WORDS; i++)
		atomic_store_explicit(&p->word[i], 0, memory_order_relaxed);
	return p;
}

/* NULL: no memory. */
static struct page *add_page(struct recency *r, uint64_t ino)
{
	void *at = &r->root;

	WITH_LOCK(&r->lock) {
		for (int level = LEVELS - 1; level >= 0; level--) {
			_Atomic(void *) *slot = slot_of(at, level, ino);

			at = atomic_load_explicit(slot, memory_order_relaxed);
			if (at)
				continue;
			at = level ? calloc(1, sizeof(struct node)) : (void *)take_spare(r);
			if (!at)
				return NULL;
			atomic_store_explicit(slot, at, memory_order_release);
		}
	}
	return at;
}

static _Atomic uint64_t *word_of(struct page *p, uint64_t ino)
{
	return &p->word[(ino >> 6) & (PAGE_WORDS - 1)];
}

/* Most marks are of what is marked already: a load leaves the cache line shared. */
void recency_mark(struct recency *r, uint64_t ino)
{
	uint64_t bit = UINT64_C(1) << (ino & 63);
	struct page *p = find_page(r, ino);

	if (!p)
		p = add_page(r, ino);
	if (!p)
		return;
	if (!(atomic_load_explicit(word_of(p, ino), memory_order_relaxed) & bit))
		atomic_fetch_or_explicit(word_of(p, ino), bit, memory_order_relaxed);
}

bool recency_take(struct recency *r, uint64_t ino)
{
	uint64_t bit = UINT64_C(1) << (ino & 63);
	struct page *p = find_page(r, ino);

	if (!p || !(atomic_load_explicit(word_of(p, ino), memory_order_relaxed) & bit))
		return false;
	return atomic_fetch_and_explicit(word_of(p, ino), ~bit, memory_order_relaxed) & bit;
}

/* --- over all pages --- */

/* Calls each(arg, number of the page, slot of the page) while it returns true. */
typedef bool each_page(void *arg, uint64_t number, _Atomic(void *) *slot);

static bool walk(struct node *node, int level, uint64_t number, each_page *each, void *arg)
{
	for (uint64_t i = 0; i < NODE_SLOTS; i++) {
		void *child = atomic_load_explicit(&node->slot[i], memory_order_acquire);
		uint64_t below = number << NODE_BITS | i;

		if (!child)
			continue;
		if (level > 0 && !walk(child, level - 1, below, each, arg))
			return false;
		if (level == 0 && !each(arg, below, &node->slot[i]))
			return false;
	}
	return true;
}

static bool page_is_empty(struct page *p)
{
	for (int i = 0; i < PAGE_WORDS; i++)
		if (atomic_load_explicit(&p->word[i], memory_order_relaxed))
			return false;
	return true;
}

struct forget {
	struct recency *r;
	uint64_t below;		/* number of a page */
};

static bool forget_page(void *arg, uint64_t number, _Atomic(void *) *slot)
{
	struct forget *f = arg;
	struct page *p = atomic_load_explicit(slot, memory_order_relaxed);

	if (number >= f->below && !page_is_empty(p))
		return true;
	WITH_LOCK(&f->r->lock) {
		atomic_store_explicit(slot, NULL, memory_order_release);
		p->next_spare = f->r->spare;
		f->r->spare = p;
	}
	return true;
}

void recency_forget_below(struct recency *r, uint64_t ino)
{
	struct forget f = { .r = r, .below = ino >> PAGE_BITS };

	walk(&r->root, LEVELS - 1, 0, forget_page, &f);
}

/* --- for restarts --- */

/* The bytes: MAGIC, then a saved_page for each page, all in the byte order of the
 * machine (which MAGIC tells). */
#define MAGIC UINT64_C(0x31636e6365726677)

struct saved_page {
	uint64_t number;
	uint64_t word[PAGE_WORDS];
};

struct save {
	size_t n, room;
	struct saved_page *pages;	/* NULL: only count */
};

static bool save_page(void *arg, uint64_t number, _Atomic(void *) *slot)
{
	struct save *s = arg;
	struct page *p = atomic_load_explicit(slot, memory_order_acquire);
	struct saved_page *to;

	if (!p || page_is_empty(p))
		return true;
	if (s->pages && s->n == s->room)
		return false;
	if (s->pages) {
		to = &s->pages[s->n];
		to->number = number;
		for (int i = 0; i < PAGE_WORDS; i++)
			to->word[i] = atomic_load_explicit(&p->word[i], memory_order_relaxed);
	}
	s->n++;
	return true;
}

/* Pages that are added between counting and copying are left out. */
int recency_save(struct recency *r, void **ret, size_t *ret_len)
{
	const uint64_t magic = MAGIC;
	struct save s = { 0 };
	char *data;

	walk(&r->root, LEVELS - 1, 0, save_page, &s);
	s.room = s.n;
	s.n = 0;
	data = malloc(sizeof(magic) + (s.room + 1) * sizeof(struct saved_page));
	if (!data)
		return -ENOMEM;
	memcpy(data, &magic, sizeof(magic));
	s.pages = (struct saved_page *)(data + sizeof(magic));
	walk(&r->root, LEVELS - 1, 0, save_page, &s);
	*ret = data;
	*ret_len = sizeof(magic) + s.n * sizeof(struct saved_page);
	return 0;
}

static void load_page(struct recency *r, const struct saved_page *from)
{
	uint64_t first = from->number << PAGE_BITS;
	struct page *p;

	if (from->number > UINT64_MAX >> PAGE_BITS)
		return;
	p = find_page(r, first);
	if (!p)
		p = add_page(r, first);
	if (!p)
		return;
	for (int i = 0; i < PAGE_WORDS; i++)
		atomic_fetch_or_explicit(&p->word[i], from->word[i], memory_order_relaxed);
}

void recency_load(struct recency *r, const void *data, size_t len)
{
	struct saved_page saved;
	uint64_t magic;

	if (len < sizeof(magic) || (len - sizeof(magic)) % sizeof(saved))
		return;
	memcpy(&magic, data, sizeof(magic));
	if (magic != MAGIC)
		return;
	for (size_t at = sizeof(magic); at < len; at += sizeof(saved)) {
		memcpy(&saved, (const char *)data + at, sizeof(saved));
		load_page(r, &saved);
	}
}
