#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../../base/cleanup.h"
#include "../../../base/map.h"

struct item {
	struct map_node node;
	uint64_t n;
};

static bool same(const struct map_node *node, const void *n)
{
	return container_of(node, struct item, node)->n == *(const uint64_t *)n;
}

static bool count_one(struct map_node *node, void *count)
{
	(void)node;
	++*(size_t *)count;
	return true;
}

static void finds_what_was_added_until_it_is_removed(void **state)
{
	enum { N = 10000 };
	struct item *items = calloc(N, sizeof *items);
	struct map m = MAP_INIT;
	size_t n = 0;

	(void)state;
	for (uint64_t i = 0; i < N; i++) {
		items[i].n = i;
		/* Every tenth collides with its neighbour. */
		assert_int_equal(map_add(&m, &items[i].node, map_hash_u64(i % 10 ? i : i + 1)), 0);
	}
	for (uint64_t i = 0; i < N; i += 2) {
		assert_true(map_has(&m, &items[i].node));
		map_remove(&m, &items[i].node);
		assert_false(map_has(&m, &items[i].node));
	}
	for (uint64_t i = 0; i < N; i++) {
		struct map_node *node = map_find(&m, map_hash_u64(i % 10 ? i : i + 1), same, &i);

		assert_ptr_equal(node, i % 2 ? &items[i].node : NULL);
	}
	map_each(&m, count_one, &n);
	assert_int_equal(n, N / 2);
	assert_int_equal(m.n, N / 2);
	map_fini(&m);
	free(items);
}

static void hashes_depend_on_every_byte(void **state)
{
	(void)state;
	assert_int_equal(map_hash_str("abcdefghij"), map_hash_bytes("abcdefghij", 10));
	assert_int_not_equal(map_hash_str("abcdefghij"), map_hash_str("abcdefghik"));
	assert_int_not_equal(map_hash_bytes("a\0", 2), map_hash_bytes("a", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_added_until_it_is_removed),
		cmocka_unit_test(hashes_depend_on_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
