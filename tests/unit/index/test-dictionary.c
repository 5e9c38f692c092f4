/* test-dictionary.c - dictionaries: when they are made, what they save, and that what
 * was packed by one is found to be right, missing or wrong. */
#include "store-tools.h"

#include <zstd.h>

#include "../../../index/dictionary.h"

enum { LEN = 1500, BODIES = 400 };

/* Alike from body to body, and not within one. */
static size_t make_alike(char *to, unsigned kind, unsigned number)
{
	uint32_t random = kind * 7919 + 1;
	size_t len = 0;

	for (unsigned line = 0; len < LEN; line++) {
		random = random * 1664525 + 1013904223;
		len += (size_t)snprintf(to + len, LEN + 100 - len,
					"\"name-%08x\": %u, \"place-%08x\": \"%u\"\n", random,
					number * line % 97, random >> 3, number + line);
	}
	return LEN;
}

struct kept {
	uint32_t id;
	void *value;
	size_t len;
	int err, calls;
};

static int keep(void *arg, uint32_t id, const void *value, size_t len)
{
	struct kept *k = arg;

	k->calls++;
	if (k->err)
		return k->err;
	free(k->value);
	*k = (struct kept){ .id = id, .value = malloc(len), .len = len, .calls = k->calls };
	memcpy(k->value, value, len);
	return 0;
}

static void learn(struct dictionaries *ds, uint64_t group, unsigned kind)
{
	char body[LEN + 100];

	for (unsigned i = 0; i < BODIES; i++)
		dictionaries_learn(ds, group, body, make_alike(body, kind, i));
	dictionaries_train(ds);
}

static struct dictionaries *fresh(struct kept *k)
{
	struct dictionaries *ds;

	assert_int_equal(dictionaries_new(3, keep, k, &ds), 0);
	return ds;
}

static size_t pack(const struct dictionary *d, unsigned kind, unsigned number, char *packed,
		   size_t cap)
{
	ZSTD_CCtx *cctx = ZSTD_createCCtx();
	char body[LEN + 100];
	size_t n = make_alike(body, kind, number);

	if (d)
		assert_int_equal(dictionary_pack(d, cctx, body, n, packed, cap, &n), 0);
	else
		n = ZSTD_compressCCtx(cctx, packed, cap, body, n, 3);
	ZSTD_freeCCtx(cctx);
	return n;
}

static int unpack(struct dictionaries *ds, const char *packed, size_t n, unsigned kind,
		  unsigned number)
{
	ZSTD_DCtx *dctx = ZSTD_createDCtx();
	char body[LEN + 100], got[LEN];
	int err = dictionaries_unpack(ds, dctx, packed, n, got, LEN);

	ZSTD_freeDCtx(dctx);
	make_alike(body, kind, number);
	if (!err)
		assert_memory_equal(got, body, LEN);
	return err;
}

static void test_a_group_gets_one_that_helps(void **state)
{
	char packed[ZSTD_COMPRESSBOUND(LEN)];
	struct kept k = { 0 };
	struct dictionaries *ds = fresh(&k);
	size_t with, without;

	(void)state;
	learn(ds, 1, 1);
	assert_int_equal(k.calls, 1);
	assert_non_null(dictionaries_of(ds, 1));
	assert_null(dictionaries_of(ds, 2));
	without = pack(NULL, 1, 5000, packed, sizeof packed);
	assert_int_equal(unpack(ds, packed, without, 1, 5000), 0);
	with = pack(dictionaries_of(ds, 1), 1, 5000, packed, sizeof packed);
	assert_true(with * 3 < without * 2);
	assert_int_equal(unpack(ds, packed, with, 1, 5000), 0);
	learn(ds, 1, 1);
	assert_int_equal(k.calls, 1);
	dictionaries_free(ds);
	free(k.value);
}

static void test_the_next_run_has_it(void **state)
{
	char packed[ZSTD_COMPRESSBOUND(LEN)];
	struct kept k = { 0 }, again = { 0 };
	struct dictionaries *ds = fresh(&k);
	size_t n;

	(void)state;
	learn(ds, 1, 1);
	n = pack(dictionaries_of(ds, 1), 1, 7, packed, sizeof packed);
	dictionaries_free(ds);

	ds = fresh(&again);
	assert_int_equal(unpack(ds, packed, n, 1, 7), -EBADMSG);
	assert_int_equal(dictionaries_load(ds, k.value, k.len), 0);
	assert_int_equal(dictionaries_load(ds, k.value, k.len), -EEXIST);
	assert_int_equal(unpack(ds, packed, n, 1, 7), 0);
	assert_non_null(dictionaries_of(ds, 1));
	assert_int_equal(dictionaries_each(ds, keep, &again), 0);
	assert_int_equal(again.len, k.len);
	assert_memory_equal(again.value, k.value, k.len);
	dictionaries_free(ds);
	free(k.value);
	free(again.value);
}

static void test_a_damaged_one_is_not_used(void **state)
{
	struct kept k = { 0 };
	struct dictionaries *ds = fresh(&k);

	(void)state;
	learn(ds, 1, 1);
	dictionaries_free(ds);
	ds = fresh(&k);
	for (size_t i = 0; i < k.len; i += 131) {
		((char *)k.value)[i] ^= 1;
		assert_int_equal(dictionaries_load(ds, k.value, k.len), -EBADMSG);
		((char *)k.value)[i] ^= 1;
	}
	for (size_t n = 0; n < 20; n++)
		assert_int_equal(dictionaries_load(ds, k.value, n), -EBADMSG);
	dictionaries_free(ds);
	free(k.value);
}

static void test_what_cannot_be_kept_is_not_used(void **state)
{
	struct kept k = { .err = -ENOSPC };
	struct dictionaries *ds = fresh(&k);

	(void)state;
	learn(ds, 1, 1);
	assert_int_equal(k.calls, 1);
	assert_null(dictionaries_of(ds, 1));
	dictionaries_free(ds);
}

static void test_bodies_with_nothing_in_common_get_none(void **state)
{
	struct kept k = { 0 };
	struct dictionaries *ds = fresh(&k);
	char body[LEN + 100];

	(void)state;
	for (unsigned i = 0; i < BODIES; i++) {
		make_alike(body, i, i);
		for (unsigned j = 0; j < LEN; j++)
			body[j] = (char)(body[j] + (char)(i * 31));
		dictionaries_learn(ds, 1, body, LEN);
	}
	assert_true(dictionaries_due(ds));
	assert_true(dictionaries_train(ds));
	assert_false(dictionaries_due(ds));
	assert_false(dictionaries_train(ds));
	assert_null(dictionaries_of(ds, 1));
	assert_int_equal(k.calls, 0);
	dictionaries_free(ds);
}

static void test_groups_take_turns_and_there_is_an_end(void **state)
{
	struct kept k = { 0 };
	struct dictionaries *ds = fresh(&k);
	char body[LEN + 100];
	int got = 0;

	(void)state;
	/* Group 99 begins, and never comes again. */
	for (unsigned i = 0; i < 20; i++)
		dictionaries_learn(ds, 99, body, make_alike(body, 99, i));
	for (unsigned round = 0; round < 10; round++)
		learn(ds, 1, 1);
	assert_non_null(dictionaries_of(ds, 1));
	for (unsigned group = 2; group < DICTIONARIES + 10; group++)
		learn(ds, group, group);
	for (unsigned group = 1; group < DICTIONARIES + 10; group++)
		got += dictionaries_of(ds, group) != NULL;
	assert_int_equal(got, DICTIONARIES);
	dictionaries_free(ds);
	free(k.value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_group_gets_one_that_helps),
		cmocka_unit_test(test_the_next_run_has_it),
		cmocka_unit_test(test_a_damaged_one_is_not_used),
		cmocka_unit_test(test_what_cannot_be_kept_is_not_used),
		cmocka_unit_test(test_bodies_with_nothing_in_common_get_none),
		cmocka_unit_test(test_groups_take_turns_and_there_is_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
