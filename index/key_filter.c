/* key_filter.c - see key_filter.h. */
#include "key_filter.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { BITS_A_KEY = 12, HASHES = 5, KEYS_MIN = 16384 };

struct key_filter {
	uint64_t mask;			/* of the number of a bit */
	size_t room;			/* keys */
	_Atomic size_t added;
	_Atomic uint64_t words[];
};

struct key_filter *key_filter_new(size_t keys)
{
	struct key_filter *f;
	uint64_t bits = 64;

	if (keys < KEYS_MIN)
		keys = KEYS_MIN;
	while (bits < keys * BITS_A_KEY)
		bits *= 2;
	f = calloc(1, sizeof(*f) + bits / 8);
	if (!f)
		return NULL;
	f->mask = bits - 1;
	f->room = bits / BITS_A_KEY;
	return f;
}

void key_filter_free(struct key_filter *f)
{
	free(f);
}

/* The halves of one hash make all others (Kirsch and Mitzenmacher). */
static uint64_t bit_of(const struct key_filter *f, uint64_t hash, int i)
{
	return ((hash >> 32) + (uint64_t)i * (hash | 1)) & f->mask;
}

/* True: it was not there. */
static bool add(struct key_filter *f, const char *text, size_t len)
{
	uint64_t hash = XXH3_64bits(text, len);
	bool new = false;

	for (int i = 0; i < HASHES; i++) {
		uint64_t bit = bit_of(f, hash, i), one = UINT64_C(1) << bit % 64;

		new |= !(atomic_fetch_or_explicit(&f->words[bit / 64], one,
						  memory_order_release) & one);
	}
	return new;
}

void key_filter_add(struct key_filter *f, const char *key)
{
	const char *slash = strchr(key, '/');
	size_t n = add(f, key, strlen(key));

	for (; slash; slash = strchr(slash + 1, '/'))
		n += add(f, key, (size_t)(slash + 1 - key));
	atomic_fetch_add_explicit(&f->added, n, memory_order_relaxed);
}

bool key_filter_may_hold(const struct key_filter *f, const char *key)
{
	uint64_t hash = XXH3_64bits(key, strlen(key));

	for (int i = 0; i < HASHES; i++) {
		uint64_t bit = bit_of(f, hash, i);

		if (!(atomic_load_explicit(&f->words[bit / 64], memory_order_acquire) >> bit % 64 & 1))
			return false;
	}
	return true;
}

bool key_filter_is_full(const struct key_filter *f)
{
	return key_filter_added(f) > f->room;
}

size_t key_filter_added(const struct key_filter *f)
{
	return atomic_load_explicit(&f->added, memory_order_relaxed);
}
