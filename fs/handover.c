#include "handover.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define HALF ((size_t)32 << 20)		/* reserved; takes memory as far as it is written */
#define SLACK ((size_t)64 << 10)	/* of dead records, before the log is rewritten */
#define INIT_MAX 1024
#define SECOND (UINT64_C(1) << 63)	/* of state: it is the other half */

struct handover {
	unsigned lives;
	uint64_t device;
	size_t init_len;
	char init[INIT_MAX];
	_Atomic uint64_t state;		/* which half, and how much of it */

	/* Of the daemon that is alive. */
	uint64_t next;			/* state, but for a rewrite under way */
	bool rewriting;

	char logs[2][HALF] __attribute__((aligned(4096)));
};

/* Fowler, Noll and Vo's, 64 bit: the same in every process, unlike map.h's. */
static uint64_t sum_of(const char *data, size_t len)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static size_t used(uint64_t state)
{
	return state & ~SECOND;
}

static char *half(struct handover *h, uint64_t state)
{
	return h->logs[state & SECOND ? 1 : 0];
}

int handover_new(struct handover **ret)
{
	struct handover *h = mmap(NULL, sizeof(*h), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (h == MAP_FAILED)
		return -errno;
	*ret = h;
	return 0;
}

void handover_free(struct handover *h)
{
	if (h)
		munmap(h, sizeof(*h));
}

int handover_set_init(struct handover *h, const void *data, size_t len)
{
	if (len > sizeof(h->init))
		return -EMSGSIZE;
	memcpy(h->init, data, len);
	h->init_len = len;
	return 0;
}

const void *handover_init(const struct handover *h, size_t *ret_len)
{
	*ret_len = h->init_len;
	return h->init;
}

void handover_set_device(struct handover *h, uint64_t device)
{
	h->device = device;
}

uint64_t handover_device(const struct handover *h)
{
	return h->device;
}

unsigned handover_lives(const struct handover *h)
{
	return h->lives;
}

void handover_end_life(struct handover *h)
{
	h->lives++;
	h->rewriting = false;
	h->next = atomic_load(&h->state);
}

size_t handover_size(size_t len)
{
	return (sizeof(struct handed) + len + 7) & ~(size_t)7;
}

struct handed *handover_add(struct handover *h, const void *data, size_t len, uint64_t nlookup)
{
	size_t at = used(h->next), size = handover_size(len);
	struct handed *r = (struct handed *)(void *)(half(h, h->next) + at);

	if (size > HALF - at)
		return NULL;
	r->len = (uint32_t)len;
	r->size = (uint32_t)size;
	r->sum = sum_of(data, len);
	atomic_store_explicit(&r->nlookup, nlookup, memory_order_relaxed);
	memcpy(r->data, data, len);
	h->next += size;
	if (!h->rewriting)
		atomic_store_explicit(&h->state, h->next, memory_order_release);
	return r;
}

bool handover_wants_rewrite(const struct handover *h, size_t live)
{
	/* It is worth it also when it is nearly full, as far as something is dead. */
	return used(h->next) > 2 * live + SLACK ||
	       (used(h->next) > HALF - HALF / 16 && live < HALF - HALF / 8);
}

void handover_begin_rewrite(struct handover *h)
{
	h->rewriting = true;
	h->next = h->next & SECOND ? 0 : SECOND;
}

void handover_end_rewrite(struct handover *h)
{
	uint64_t old = atomic_load_explicit(&h->state, memory_order_relaxed);

	h->rewriting = false;
	atomic_store_explicit(&h->state, h->next, memory_order_release);
	madvise(half(h, old), HALF, MADV_REMOVE);
}

void handover_each(const struct handover *h,
		   bool (*each)(void *arg, const void *data, size_t len, uint64_t nlookup),
		   void *arg)
{
	uint64_t state = atomic_load_explicit(&h->state, memory_order_acquire);
	const char *log = h->logs[state & SECOND ? 1 : 0];
	size_t at = 0, end = used(state) < HALF ? used(state) : HALF;

	while (end - at >= sizeof(struct handed)) {
		const struct handed *r = (const struct handed *)(const void *)(log + at);
		uint64_t nlookup = atomic_load_explicit(&r->nlookup, memory_order_relaxed);

		if (r->size > end - at || r->size != handover_size(r->len))
			break;
		if (nlookup > 0 && sum_of(r->data, r->len) == r->sum &&
		    !each(arg, r->data, r->len, nlookup))
			break;
		at += r->size;
	}
}
