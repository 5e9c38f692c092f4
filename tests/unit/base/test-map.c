#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#include "../../../base/map.h"
#include "../../../base/cleanup.h"

#define N 3000

struct entry {
	uint64_t n;
	struct map_node node;
};

static bool is_number(const struct map_node *node, const void *arg)
{
	return container_of(node, struct entry, node)->n == *(const uint64_t *)arg;
}

static struct map_node *find(const struct map *m, uint64_t n, uint64_t hash)
{
	return map_find(m, hash, is_number, &n);
}

static void finds_what_is_there(void **state)
{
	static struct entry entries[N];
	struct map m = MAP_INIT;

	(void)state;
	assert_null(find(&m, 1, map_hash_u64(1)));
	assert_false(map_has(&m, &entries[0].node));
	for (uint64_t i = 0; i < N; i++) {
		entries[i].n = i;
		assert_int_equal(map_add(&m, &entries[i].node, map_hash_u64(i)), 0);
	}
	assert_int_equal(m.n, N);
	for (uint64_t i = 0; i < N; i += 2)
		map_remove(&m, &entries[i].node);
	for (uint64_t i = 0; i < N; i++) {
		struct map_node *there = i % 2 ? &entries[i].node : NULL;

		assert_ptr_equal(find(&m, i, map_hash_u64(i)), there);
		assert_int_equal(map_has(&m, &entries[i].node), there != NULL);
	}
	assert_int_equal(m.n, N / 2);
	map_fini(&m);
	assert_null(find(&m, 1, map_hash_u64(1)));
}

static void equal_hashes_are_told_apart(void **state)
{
	struct entry entries[10];
	struct map m = MAP_INIT;

	(void)state;
	for (uint64_t i = 0; i < 10; i++) {
		entries[i].n = i;
		assert_int_equal(map_add(&m, &entries[i].node, 7), 0);
	}
	map_remove(&m, &entries[4].node);
	for (uint64_t i = 0; i < 10; i++)
		assert_ptr_equal(find(&m, i, 7), i == 4 ? NULL : &entries[i].node);
	map_fini(&m);
}

static bool sum_up_to(struct map_node *node, void *arg)
{
	uint64_t *sum = arg;

	*sum += container_of(node, struct entry, node)->n;
	return *sum < 1000000;
}

static void each_sees_all_until_told(void **state)
{
	struct entry entries[100];
	struct map m = MAP_INIT;
	uint64_t sum = 0;

	(void)state;
	map_each(&m, sum_up_to, &sum);
	assert_int_equal(sum, 0);
	for (uint64_t i = 0; i < 100; i++) {
		entries[i].n = i;
		assert_int_equal(map_add(&m, &entries[i].node, map_hash_u64(i)), 0);
	}
	map_each(&m, sum_up_to, &sum);
	assert_int_equal(sum, 4950);
	entries[0].n = 1000000;
	sum = 1000000;
	map_each(&m, sum_up_to, &sum);
	assert_in_range(sum, 1000000, 2000000);
	map_fini(&m);
}

static void hashes_depend_on_every_byte(void **state)
{
	char text[] = "https://example.org/some/path?query";
	uint64_t hash = map_hash_str(text);

	(void)state;
	assert_int_equal(map_hash_bytes(text, sizeof(text) - 1), hash);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		text[i] ^= 1;
		assert_int_not_equal(map_hash_bytes(text, sizeof(text) - 1), hash);
		text[i] ^= 1;
	}
	/* Zeroes at the end count. */
	assert_int_not_equal(map_hash_bytes("a\0\0", 2), map_hash_bytes("a\0\0", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_is_there),
		cmocka_unit_test(equal_hashes_are_told_apart),
		cmocka_unit_test(each_sees_all_until_told),
		cmocka_unit_test(hashes_depend_on_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
