/* eviction.c - hit ratios of what evicts here, and of what else could.
 *
 * SIEVE is index/evict.c and index/recency.c themselves, over a table of versions
 * that is a list in memory (the functions of db.h that they call are at the end;
 * tests/unit/index/test-evict.c runs them over the real one). FIFO and LRU are as
 * everywhere. Belady sees the future: it keeps out what will not be asked again
 * and drops what is asked again last. With equal sizes nothing can be better;
 * with others it is only a mark to compare with, and worse in bytes at times.
 *
 * Requests are drawn by Zipf's law from OBJECTS objects; with scans, every now and
 * then a run of objects that are asked for once. Fixed seeds. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../index/evict.h"

#define OBJECTS 50000
#define REQUESTS 500000
#define SCAN_EVERY 50000	/* requests */
#define SCAN_LENGTH 10000	/* objects, never seen before nor after */
#define SCANS (REQUESTS / SCAN_EVERY)
#define ALL (OBJECTS + SCANS * SCAN_LENGTH)
#define NEVER UINT32_MAX

static const double alphas[] = { 0.7, 0.9, 1.1 };
static const double shares[] = { 0.01, 0.05, 0.2 };	/* cache by bytes of all objects */

/* --- workloads --- */

struct trace {
	uint32_t *object;	/* of each request */
	uint32_t *next;		/* when it is asked for again; NEVER */
	uint32_t n;
	int64_t *size;		/* bytes of each object */
	int64_t total;		/* of the objects that are drawn */
};

static uint64_t seed;

static double draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double)(seed >> 11) / (double)(UINT64_C(1) << 53);
}

/* Sizes as on the web: log-normal, median 12 kB, a few of many MB (mean 89 kB). */
static int64_t draw_size(void)
{
	double normal = sqrt(-2 * log(1 - draw())) * cos(2 * M_PI * draw());
	double size = 12000 * exp(2 * normal);

	return size < 100 ? 100 : size > 5e7 ? 50000000 : (int64_t)size;
}

static uint32_t draw_object(const double *sum)
{
	double at = draw() * sum[OBJECTS - 1];
	uint32_t low = 0, high = OBJECTS - 1;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (sum[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void *must(void *p)
{
	if (!p) {
		perror("eviction");
		exit(1);
	}
	return p;
}

static struct trace make_trace(double alpha, bool web_sizes, bool scans)
{
	struct trace t = {
		.object = must(calloc(REQUESTS + SCANS * SCAN_LENGTH, sizeof(uint32_t))),
		.next = must(calloc(REQUESTS + SCANS * SCAN_LENGTH, sizeof(uint32_t))),
		.size = must(calloc(ALL, sizeof(int64_t))),
	};
	double *sum = must(calloc(OBJECTS, sizeof(*sum)));
	uint32_t *last = must(malloc(ALL * sizeof(*last)));
	uint32_t scanned = OBJECTS;

	seed = 88172645463325252;
	for (uint32_t i = 0; i < ALL; i++) {
		t.size[i] = web_sizes ? draw_size() : 10000;
		t.total += i < OBJECTS ? t.size[i] : 0;
		last[i] = NEVER;
	}
	for (uint32_t i = 0; i < OBJECTS; i++)
		sum[i] = (i ? sum[i - 1] : 0) + pow(i + 1, -alpha);
	for (uint32_t i = 0; i < REQUESTS; i++) {
		for (uint32_t j = 0; scans && i % SCAN_EVERY == 0 && j < SCAN_LENGTH; j++)
			t.object[t.n++] = scanned++;
		t.object[t.n++] = draw_object(sum);
	}
	for (uint32_t i = t.n; i-- > 0; last[t.object[i]] = i)
		t.next[i] = last[t.object[i]];
	free(last);
	free(sum);
	return t;
}

static void free_trace(struct trace *t)
{
	free(t->object);
	free(t->next);
	free(t->size);
}

/* --- a cache: a list of objects, oldest first --- */

struct entry {
	uint32_t older, newer;	/* objects; NEVER at the ends */
	uint64_t ino;		/* of this stay in the cache; 0: not in it */
	uint32_t next;		/* when it is asked for again */
};

struct cache {
	const struct trace *trace;
	struct entry *entry;	/* of each object */
	uint32_t oldest, newest;
	uint32_t *object_of;	/* of each inode number */
	uint64_t last_ino;
	int64_t used, limit;
	uint32_t now;		/* request */
	uint32_t *heap;		/* Belady: requests; the object's next use on top */
	uint32_t n_heap;
	struct evict sieve;
};

static void insert(struct cache *c, uint32_t object)
{
	struct entry *e = &c->entry[object];

	if (!e->ino) {
		e->ino = ++c->last_ino;
		c->object_of[e->ino] = object;
		c->used += c->trace->size[object];
	}
	e->older = c->newest;
	e->newer = NEVER;
	if (c->newest != NEVER)
		c->entry[c->newest].newer = object;
	else
		c->oldest = object;
	c->newest = object;
}

static void unlink_entry(struct cache *c, uint32_t object)
{
	struct entry *e = &c->entry[object];

	if (e->older != NEVER)
		c->entry[e->older].newer = e->newer;
	else
		c->oldest = e->newer;
	if (e->newer != NEVER)
		c->entry[e->newer].older = e->older;
	else
		c->newest = e->older;
}

static void drop(struct cache *c, uint32_t object)
{
	unlink_entry(c, object);
	c->entry[object].ino = 0;
	c->used -= c->trace->size[object];
}

/* --- policies --- */

struct policy {
	const char *name;
	void (*hit)(struct cache *c, uint32_t object);
	bool (*admit)(struct cache *c, uint32_t object);	/* NULL: all */
	void (*make_room)(struct cache *c, int64_t bytes);
};

static void evict_oldest(struct cache *c, int64_t bytes)
{
	while (c->used + bytes > c->limit)
		drop(c, c->oldest);
}

static void hit_fifo(struct cache *c, uint32_t object)
{
	(void)c;
	(void)object;
}

static void hit_lru(struct cache *c, uint32_t object)
{
	unlink_entry(c, object);
	insert(c, object);
}

static void hit_sieve(struct cache *c, uint32_t object)
{
	recency_mark(c->sieve.recency, c->entry[object].ino);
}

struct need {
	struct cache *c;
	int64_t bytes;
};

static bool take_victim(void *arg, const struct record *r, bool expired)
{
	struct need *need = arg;
	struct cache *c = need->c;

	(void)expired;
	drop(c, c->object_of[r->ino]);
	return c->used + need->bytes > c->limit;
}

static void evict_sieve(struct cache *c, int64_t bytes)
{
	struct need need = { .c = c, .bytes = bytes };

	if (c->used + bytes > c->limit && evict_run(&c->sieve, 0, take_victim, &need) < 0)
		exit(1);
}

/* The heap holds requests; what their next use is never changes. A request is out
 * of date once its object was asked for again or dropped. */
static bool later(const struct cache *c, uint32_t a, uint32_t b)
{
	return c->trace->next[a] > c->trace->next[b];
}

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t t = *a;

	*a = *b;
	*b = t;
}

static void heap_push(struct cache *c, uint32_t request)
{
	uint32_t i = c->n_heap++;

	c->heap[i] = request;
	for (; i && later(c, c->heap[i], c->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&c->heap[i], &c->heap[(i - 1) / 2]);
}

static uint32_t heap_pop(struct cache *c)
{
	uint32_t top = c->heap[0], i = 0, child;

	c->heap[0] = c->heap[--c->n_heap];
	while ((child = 2 * i + 1) < c->n_heap) {
		if (child + 1 < c->n_heap && later(c, c->heap[child + 1], c->heap[child]))
			child++;
		if (!later(c, c->heap[child], c->heap[i]))
			break;
		swap(&c->heap[child], &c->heap[i]);
		i = child;
	}
	return top;
}

static void note_next(struct cache *c, uint32_t object)
{
	c->entry[object].next = c->trace->next[c->now];
	heap_push(c, c->now);
}

static bool up_to_date(const struct cache *c, uint32_t request)
{
	const struct entry *e = &c->entry[c->trace->object[request]];

	return e->ino && e->next == c->trace->next[request];
}

/* Only if what would have to go is asked for later. */
static bool admit_belady(struct cache *c, uint32_t object)
{
	while (c->n_heap && !up_to_date(c, c->heap[0]))
		heap_pop(c);
	if (c->trace->next[c->now] == NEVER)
		return false;
	return c->used + c->trace->size[object] <= c->limit ||
	       (c->n_heap && later(c, c->heap[0], c->now));
}

static void evict_belady(struct cache *c, int64_t bytes)
{
	while (c->used + bytes > c->limit) {
		uint32_t request = heap_pop(c);

		if (up_to_date(c, request))
			drop(c, c->trace->object[request]);
	}
}

static const struct policy policies[] = {
	{ "FIFO", hit_fifo, NULL, evict_oldest },
	{ "LRU", hit_lru, NULL, evict_oldest },
	{ "SIEVE", hit_sieve, NULL, evict_sieve },
	{ "Belady", note_next, admit_belady, evict_belady },
};
#define POLICIES (sizeof(policies) / sizeof(policies[0]))

/* --- runs --- */

static bool ask(struct cache *c, const struct policy *p, uint32_t object)
{
	int64_t size = c->trace->size[object];

	if (c->entry[object].ino) {
		p->hit(c, object);
		return true;
	}
	if (size > c->limit || (p->admit && !p->admit(c, object)))
		return false;
	p->make_room(c, size);
	insert(c, object);
	if (p->hit == note_next)
		note_next(c, object);
	return false;
}

static void run(const struct trace *t, const struct policy *p, double share, double *ret_hits,
		double *ret_bytes)
{
	struct cache c = {
		.trace = t, .oldest = NEVER, .newest = NEVER, .limit = (int64_t)(share * t->total),
		.entry = must(calloc(ALL, sizeof(struct entry))),
		.object_of = must(calloc(t->n + 1, sizeof(uint32_t))),
		.heap = must(calloc(t->n, sizeof(uint32_t))),
	};
	double hits = 0, hit_bytes = 0, bytes = 0;

	/* The functions below take this for the database. */
	c.sieve = (struct evict){ .db = (struct db *)&c, .recency = must(recency_new()) };
	for (c.now = 0; c.now < t->n; c.now++) {
		uint32_t object = t->object[c.now];
		bool hit = ask(&c, p, object);

		hits += hit;
		hit_bytes += hit ? (double)t->size[object] : 0;
		bytes += (double)t->size[object];
	}
	*ret_hits = hits / t->n;
	*ret_bytes = hit_bytes / bytes;
	recency_free(c.sieve.recency);
	free(c.entry);
	free(c.object_of);
	free(c.heap);
}

static void print_row(const struct trace *t, double alpha, double share, bool bytes_too)
{
	double hits[POLICIES], bytes[POLICIES];

	for (size_t i = 0; i < POLICIES; i++)
		run(t, &policies[i], share, &hits[i], &bytes[i]);
	printf("  %.1f  %3.0f %% |", alpha, share * 100);
	for (size_t i = 0; i < POLICIES; i++)
		printf(" %6.3f", hits[i]);
	if (bytes_too)
		printf(" |");
	for (size_t i = 0; bytes_too && i < POLICIES; i++)
		printf(" %6.3f", bytes[i]);
	printf("\n");
	fflush(stdout);
}

static void print_table(bool web_sizes, bool scans)
{
	printf("\n%s sizes, %s scans: %s\n  Zipf cache |", web_sizes ? "web" : "equal",
	       scans ? "with" : "no", web_sizes ? "hit ratio | byte hit ratio" : "hit ratio");
	for (int turn = 0; turn < 1 + web_sizes; turn++) {
		fputs(turn ? " |" : "", stdout);
		for (size_t i = 0; i < POLICIES; i++)
			printf(" %6s", policies[i].name);
	}
	printf("\n");
	for (size_t a = 0; a < sizeof(alphas) / sizeof(alphas[0]); a++) {
		struct trace t = make_trace(alphas[a], web_sizes, scans);

		for (size_t s = 0; s < sizeof(shares) / sizeof(shares[0]); s++)
			print_row(&t, alphas[a], shares[s], web_sizes);
		free_trace(&t);
	}
}

int main(void)
{
	printf("%d objects, %d requests; with scans %d of %d objects more\n", OBJECTS, REQUESTS,
	       SCANS, SCAN_LENGTH);
	for (int web_sizes = 0; web_sizes < 2; web_sizes++)
		for (int scans = 0; scans < 2; scans++)
			print_table(web_sizes, scans);
	return 0;
}

/* --- the table of versions, as far as eviction uses it --- */

int db_each_from(struct db *db, uint64_t from, db_each *each, void *arg)
{
	struct cache *c = (struct cache *)db;
	uint32_t object = c->oldest;

	/* The hand stands at a row, or at 0. */
	if (from && from <= c->last_ino && c->entry[c->object_of[from]].ino == from)
		object = c->object_of[from];
	while (object != NEVER) {
		struct record r = { .ino = c->entry[object].ino };
		uint32_t newer = c->entry[object].newer;

		if (r.ino >= from && !each(arg, &r))
			break;
		object = newer;
	}
	return 0;
}

int db_each_useless(struct db *db, int64_t now_ms, db_each *each, void *arg)
{
	(void)db;
	(void)now_ms;
	(void)each;
	(void)arg;
	return 0;
}

int db_get_value(struct db *db, const char *name, void **ret, size_t *ret_len)
{
	(void)db;
	(void)name;
	(void)ret;
	(void)ret_len;
	return -ENOENT;
}

int db_set_value(struct db *db, const char *name, const void *data, size_t len)
{
	(void)db;
	(void)name;
	(void)data;
	(void)len;
	return 0;
}
