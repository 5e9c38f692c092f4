#include "map.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"

static uint64_t seed;
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
	if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
		seed = (uint64_t)clock_mono_ns() * 0x9e3779b97f4a7c15u;
}

/* 64 x 64 -> 128 bits, folded: every input bit reaches every output bit. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t wide = (__uint128_t)a * b;

	return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

uint64_t map_hash_bytes(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h, word;

	pthread_once(&seeded, make_seed);
	h = seed ^ len;
	for (; len >= sizeof word; p += sizeof word, len -= sizeof word) {
		memcpy(&word, p, sizeof word);
		h = mix(h ^ word, 0x9e3779b97f4a7c15u);
	}
	word = 0;
	if (len)
		memcpy(&word, p, len);
	h = mix(h ^ word, 0xd6e8feb86659fd93u);
	return mix(h ^ seed, 0x9e3779b97f4a7c15u);
}

uint64_t map_hash_str(const char *s)
{
	return map_hash_bytes(s, strlen(s));
}

uint64_t map_hash_u64(uint64_t n)
{
	return map_hash_bytes(&n, sizeof n);
}

void map_fini(struct map *m)
{
	free(m->buckets);
	*m = (struct map)MAP_INIT;
}

static int grow(struct map *m)
{
	size_t n = m->buckets ? (m->mask + 1) * 2 : 64, i;
	struct map_node **buckets = calloc(n, sizeof *buckets);

	if (!buckets)
		return -ENOMEM;
	for (i = 0; m->buckets && i <= m->mask; i++) {
		struct map_node *node = m->buckets[i], *next;

		for (; node; node = next) {
			next = node->next;
			node->next = buckets[node->hash & (n - 1)];
			buckets[node->hash & (n - 1)] = node;
		}
	}
	free(m->buckets);
	m->buckets = buckets;
	m->mask = n - 1;
	return 0;
}

int map_add(struct map *m, struct map_node *node, uint64_t hash)
{
	/* A map that cannot grow gets slower, not useless. */
	if ((!m->buckets || m->n > m->mask) && grow(m) < 0 && !m->buckets)
		return -ENOMEM;
	node->hash = hash;
	node->next = m->buckets[hash & m->mask];
	m->buckets[hash & m->mask] = node;
	m->n++;
	return 0;
}

void map_remove(struct map *m, struct map_node *node)
{
	struct map_node **at = &m->buckets[node->hash & m->mask];

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	node->next = NULL;
	m->n--;
}

bool map_has(const struct map *m, const struct map_node *node)
{
	const struct map_node *at = m->buckets ? m->buckets[node->hash & m->mask] : NULL;

	while (at && at != node)
		at = at->next;
	return at != NULL;
}

struct map_node *map_find(const struct map *m, uint64_t hash,
			  bool (*same)(const struct map_node *, const void *), const void *arg)
{
	struct map_node *node = m->buckets ? m->buckets[hash & m->mask] : NULL;

	while (node && (node->hash != hash || !same(node, arg)))
		node = node->next;
	return node;
}

void map_each(const struct map *m, bool (*each)(struct map_node *, void *), void *arg)
{
	for (size_t i = 0; m->buckets && i <= m->mask; i++) {
		struct map_node *node = m->buckets[i], *next;

		for (; node; node = next) {
			next = node->next;
			if (!each(node, arg))
				return;
		}
	}
}
