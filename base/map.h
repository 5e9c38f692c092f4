/* map.h - intrusive hash map.
 *
 * Entries embed a struct map_node and are found by hash and a comparison of the
 * caller's. Grows, never shrinks. No lock of its own. Hashes are seeded at random
 * once per process, so that no origin can choose names that collide. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_node {
	struct map_node *next;
	uint64_t hash;
};

struct map {
	struct map_node **buckets;	/* NULL while empty */
	size_t mask;			/* number of buckets - 1 */
	size_t n;			/* entries */
};

#define MAP_INIT { NULL, 0, 0 }

void map_fini(struct map *m);		/* frees the buckets, not the entries */

/* 0 or -ENOMEM (then nothing was added). Does not look for duplicates. */
int map_add(struct map *m, struct map_node *node, uint64_t hash);
void map_remove(struct map *m, struct map_node *node);	/* it is in m */
bool map_has(const struct map *m, const struct map_node *node);

/* The first entry with this hash for which same(node, arg); NULL: none. */
struct map_node *map_find(const struct map *m, uint64_t hash,
			  bool (*same)(const struct map_node *node, const void *arg),
			  const void *arg);

/* Every entry; each() may not change the map. Stops when it returns false. At the end of a
 * map, with nothing but map_fini() to follow, each() may free its entry. */
void map_each(const struct map *m, bool (*each)(struct map_node *node, void *arg), void *arg);

uint64_t map_hash_bytes(const void *data, size_t len);
uint64_t map_hash_str(const char *s);
uint64_t map_hash_u64(uint64_t n);

#endif
