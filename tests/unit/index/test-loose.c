/* Small bodies that come too fast to be packed at once: stored as they are, and packed later. */
#include "store-tools.h"

enum { LEN = 8000, MOST = 20000 };

static void put(struct scratch *s, int seed, struct blob *ret)
{
	char *data = make_body(LEN, true, seed);

	assert_int_equal(store_put(s->store, data, LEN, NULL, "text/html", ret), 0);
	free(data);
}

static void check(struct scratch *s, const struct blob *b, int seed)
{
	char *data = make_body(LEN, true, seed);

	assert_stored(s->store, b, data, LEN);
	assert_int_equal(store_check(s->store, b), 0);
	free(data);
}

static void start(struct scratch *s, int64_t limit)
{
	scratch_init(s, limit, true);
	s->put_off = true;
	scratch_reopen(s, true);
}

/* Until one was put off, and some more. */
static int put_fast(struct scratch *s, struct blob *blobs)
{
	int n = 0, more = 50;

	while (n < MOST && more > 0) {
		put(s, n, &blobs[n]);
		more -= store_loose(s->store) > 0;
		n++;
	}
	assert_true(n < MOST);
	return n;
}

static bool is_loose(const struct scratch *s, const struct blob *b)
{
	char name[64];

	snprintf(name, sizeof(name), "blobs/raw-%08" PRIu64, b->id);
	return faccessat(s->dir, name, F_OK, 0) == 0;
}

static void packed_later(void **state)
{
	struct blob *blobs = calloc(MOST, sizeof(*blobs)), to;
	uint64_t segment, again;
	struct scratch s;
	int n, loose = 0;

	(void)state;
	start(&s, 1 << 30);
	n = put_fast(&s, blobs);
	for (int i = 0; i < n; i++) {
		check(&s, &blobs[i], i);
		assert_int_equal(is_loose(&s, &blobs[i]), blobs[i].codec == BLOB_PLAIN);
		loose += is_loose(&s, &blobs[i]);
	}
	assert_true(loose > 0 && loose < n);
	assert_int_equal(store_loose(s.store), (int64_t)loose * LEN);
	assert_int_equal(store_loose_take(s.store, 0, &segment), 0);
	for (int i = 0; i < n; i++) {
		if (blobs[i].id != segment)
			continue;
		assert_int_equal(store_pack(s.store, &blobs[i], NULL, "text/html", &to), 0);
		assert_int_equal(to.codec, BLOB_ZSTD);
		check(&s, &to, i);
		store_delete(s.store, &blobs[i]);
		blobs[i] = to;
	}
	assert_int_equal(store_loose(s.store), 0);
	assert_int_equal(store_loose_take(s.store, 0, &again), -ENOENT);
	for (int i = 0; i < n; i++)
		check(&s, &blobs[i], i);
	free(blobs);
	scratch_fini(&s);
}

/* What is added meanwhile goes elsewhere. */
static void taken_while_more_comes(void **state)
{
	struct blob *blobs = calloc(MOST, sizeof(*blobs)), b;
	uint64_t first, second;
	struct scratch s;

	(void)state;
	start(&s, 1 << 30);
	put_fast(&s, blobs);
	assert_int_equal(store_loose_take(s.store, 0, &first), 0);
	for (int i = 0; i < MOST && store_loose_take(s.store, first, &second) < 0; i++)
		put(&s, i, &b);
	assert_true(second > first);
	assert_int_equal(b.id, second);
	free(blobs);
	scratch_fini(&s);
}

static void known_after_a_start(void **state)
{
	struct blob *blobs = calloc(MOST, sizeof(*blobs));
	uint64_t segment;
	struct scratch s;
	int64_t loose;

	(void)state;
	start(&s, 1 << 30);
	put_fast(&s, blobs);
	loose = store_loose(s.store);
	assert_int_equal(store_loose_take(s.store, 0, &segment), 0);
	scratch_reopen(&s, true);
	/* What rows say is not known yet. */
	assert_int_equal(store_loose_take(s.store, 0, &segment), -ENOENT);
	store_segment_live(s.store, segment, loose);
	assert_int_equal(store_loose(s.store), loose);
	assert_int_equal(store_loose_take(s.store, 0, &segment), 0);
	free(blobs);
	scratch_fini(&s);
}

/* A cache that is nearly full has no room for what is not packed. */
static void not_when_room_is_short(void **state)
{
	struct scratch s;
	struct blob b;

	(void)state;
	start(&s, 16 << 20);
	assert_int_equal(space_reserve(&s.space, 13 << 20), 0);
	for (int i = 0; i < 400; i++) {
		put(&s, i, &b);
		assert_int_equal(b.codec, BLOB_ZSTD);
		store_delete(s.store, &b);
	}
	assert_int_equal(store_loose(s.store), 0);
	scratch_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packed_later),
		cmocka_unit_test(taken_while_more_comes),
		cmocka_unit_test(known_after_a_start),
		cmocka_unit_test(not_when_room_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
