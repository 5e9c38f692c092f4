/* test-segment.c - packed segments: places, restarts, dead ones, compaction. */
#include "store-tools.h"

#include "../../../index/segment.h"

struct fixture {
	struct scratch s;
	struct segments *ss;
};

static void open_segments(struct fixture *f)
{
	assert_int_equal(segments_open(f->s.dir, &f->s.space, &f->ss), 0);
}

/* Segments right in the scratch directory, whose store does nothing here. */
static void fixture_init(struct fixture *f, int64_t limit)
{
	scratch_init(&f->s, 1 << 30, true);
	space_fini(&f->s.space);
	space_init(&f->s.space, limit, NULL, NULL);
	open_segments(f);
}

static void fixture_reopen(struct fixture *f)
{
	segments_close(f->ss);
	space_release(&f->s.space, f->s.space.limit);
	open_segments(f);
}

static void fixture_fini(struct fixture *f)
{
	segments_close(f->ss);
	scratch_fini(&f->s);
}

static int64_t file_bytes(struct fixture *f, uint64_t segment)
{
	char name[32];
	struct stat st;

	snprintf(name, sizeof(name), "seg-%08" PRIu64, segment);
	return fstatat(f->s.dir, name, &st, 0) < 0 ? -1 : (int64_t)st.st_size;
}

static void put(struct fixture *f, size_t len, uint64_t seed, uint64_t *segment,
		uint64_t *offset)
{
	char *data = make_body(len, false, seed);

	assert_int_equal(segment_append(f->ss, SEGMENT_PACKED, data, len, segment, offset), 0);
	free(data);
}

static void assert_there(struct fixture *f, size_t len, uint64_t seed, uint64_t segment,
			 uint64_t offset)
{
	char *data = make_body(len, false, seed), *back = malloc(len);

	assert_int_equal(segment_read(f->ss, segment, offset, len, back), 0);
	assert_memory_equal(back, data, len);
	free(back);
	free(data);
}

static void test_places_are_aligned_and_kept(void **state)
{
	static const size_t lens[] = { 1, 7, 8, 9, 4095, 4096, 4097, 15000, 262144 };
	enum { N = sizeof(lens) / sizeof(*lens) };
	uint64_t segment[N], offset[N], end = 0;
	struct fixture f;

	(void)state;
	fixture_init(&f, 1 << 30);
	for (int i = 0; i < N; i++) {
		put(&f, lens[i], i, &segment[i], &offset[i]);
		assert_int_equal(offset[i] % SEGMENT_ALIGN, 0);
		assert_true(offset[i] >= end);
		end = offset[i] + lens[i];
	}
	for (int i = 0; i < N; i++)
		assert_there(&f, lens[i], i, segment[i], offset[i]);
	assert_int_equal(space_used(&f.s.space), (end + 4095) / 4096 * 4096);
	fixture_fini(&f);
}

static void test_a_restart_goes_on_in_a_new_file(void **state)
{
	uint64_t a, b, c, at_a, at_b, at_c;
	struct fixture f;

	(void)state;
	fixture_init(&f, 1 << 30);
	put(&f, 5000, 1, &a, &at_a);
	fixture_reopen(&f);
	assert_int_equal(space_used(&f.s.space), 8192);
	put(&f, 5000, 2, &b, &at_b);
	assert_true(b > a);
	assert_there(&f, 5000, 1, a, at_a);
	/* Also the number of a segment that is gone is not used again. */
	fixture_reopen(&f);
	segment_drop(f.ss, b);
	fixture_reopen(&f);
	put(&f, 5000, 3, &c, &at_c);
	assert_true(c > b);
	assert_int_equal(segment_read(f.ss, b, at_b, 5000, (char[5000]){ 0 }), -ENOENT);
	fixture_fini(&f);
}

static void test_full_segments_are_followed_and_dead_ones_deleted(void **state)
{
	enum { LEN = 256 << 10, N = SEGMENT_SIZE / LEN + 3 };
	uint64_t segment[N], offset[N];
	char *data = make_body(LEN, false, 1);
	struct fixture f;

	(void)state;
	fixture_init(&f, 1 << 30);
	for (int i = 0; i < N; i++)
		assert_int_equal(segment_append(f.ss, SEGMENT_PACKED, data, LEN, &segment[i], &offset[i]), 0);
	assert_int_equal(file_bytes(&f, segment[0]), SEGMENT_SIZE);
	assert_true(segment[N - 1] > segment[0]);
	for (int i = 0; i < N; i++) {
		if (segment[i] == segment[0])
			segment_release(f.ss, segment[i], offset[i], LEN);
	}
	assert_int_equal(file_bytes(&f, segment[0]), -1);
	assert_int_equal(space_used(&f.s.space), 3 * LEN);
	free(data);
	fixture_fini(&f);
}

static void test_dead_places_give_their_blocks_back(void **state)
{
	enum { LEN = 100000, N = 20 };
	uint64_t segment[N], offset[N];
	struct fixture f;
	int64_t full;

	(void)state;
	fixture_init(&f, 1 << 30);
	for (int i = 0; i < N; i++)
		put(&f, LEN, i, &segment[i], &offset[i]);
	full = space_used(&f.s.space);
	for (int i = 0; i < N; i += 2)
		segment_release(f.ss, segment[i], offset[i], LEN);
	assert_true(space_used(&f.s.space) < full * 6 / 10);
	assert_true(scratch_du(&f.s) <= space_used(&f.s.space) + 4096);
	for (int i = 1; i < N; i += 2)
		assert_there(&f, LEN, i, segment[i], offset[i]);
	fixture_fini(&f);
}

static void test_pick_waits_for_what_rows_say(void **state)
{
	enum { LEN = 200000 };
	uint64_t a[10], at[10], picked, b, at_b;
	struct fixture f;

	(void)state;
	fixture_init(&f, 1 << 30);
	for (int i = 0; i < 10; i++)
		put(&f, LEN, i, &a[i], &at[i]);
	fixture_reopen(&f);
	put(&f, LEN, 77, &b, &at_b);
	assert_int_equal(segment_pick(f.ss, &picked), -ENOENT);
	/* Given back before it is known: what rows say is of before. */
	segment_release(f.ss, a[0], at[9], LEN);
	segment_set_live(f.ss, a[0], 6 * LEN);
	assert_int_equal(segment_pick(f.ss, &picked), -ENOENT);
	segment_release(f.ss, a[0], at[0], LEN);
	assert_int_equal(segment_pick(f.ss, &picked), -ENOENT);
	segment_release(f.ss, a[0], at[1], LEN);
	assert_int_equal(segment_pick(f.ss, &picked), 0);
	assert_int_equal(picked, a[0]);
	/* What rows say of this run's segments is older than what is known. */
	segment_set_live(f.ss, b, 0);
	assert_there(&f, LEN, 77, b, at_b);
	for (int i = 2; i < 5; i++)
		segment_release(f.ss, a[0], at[i], LEN);
	assert_int_equal(segment_pick(f.ss, &picked), -ENOENT);
	assert_int_equal(file_bytes(&f, a[0]), -1);
	fixture_fini(&f);
}

static void test_many_short_segments_are_worth_moving(void **state)
{
	uint64_t segment, offset, picked;
	struct fixture f;

	(void)state;
	fixture_init(&f, 1 << 30);
	for (int i = 0; i < 20; i++) {
		put(&f, 1000, i, &segment, &offset);
		fixture_reopen(&f);
	}
	for (uint64_t i = 1; i <= segment; i++)
		segment_set_live(f.ss, i, 1000);
	assert_int_equal(segment_pick(f.ss, &picked), 0);
	assert_int_equal(picked, 1);
	assert_int_equal(segment_pick(f.ss, &picked), 0);
	assert_int_equal(picked, 2);
	fixture_fini(&f);
}

static void test_a_failing_write_leaks_nothing(void **state)
{
	uint64_t segment, offset;
	struct fixture f;
	char data[100000] = { 1 };
	int64_t used;

	(void)state;
	fixture_init(&f, 40960);
	assert_int_equal(segment_append(f.ss, SEGMENT_PACKED, data, 100000, &segment, &offset), -ENOSPC);
	assert_int_equal(space_used(&f.s.space), 0);
	put(&f, 20000, 1, &segment, &offset);
	used = space_used(&f.s.space);
	assert_int_equal(segment_append(f.ss, SEGMENT_PACKED, data, 20000, &segment, &offset), -ENOSPC);
	assert_int_equal(space_used(&f.s.space), used);
	assert_there(&f, 20000, 1, segment, offset);
	fixture_fini(&f);
}

static void test_nonsense_is_refused(void **state)
{
	uint64_t segment, offset;
	struct fixture f;
	char buf[100];

	(void)state;
	fixture_init(&f, 1 << 30);
	put(&f, 100, 1, &segment, &offset);
	assert_int_equal(segment_read(f.ss, segment + 1, 0, 100, buf), -ENOENT);
	assert_int_equal(segment_read(f.ss, segment, 8, 100, buf), -EBADMSG);
	assert_int_equal(segment_read(f.ss, segment, UINT64_MAX - 8, 100, buf), -EBADMSG);
	assert_int_equal(segment_read(f.ss, segment, 1u << 30, 100, buf), -EBADMSG);
	segment_release(f.ss, segment, UINT64_MAX - 8, 100);
	segment_release(f.ss, segment + 5, 0, 100);
	assert_there(&f, 100, 1, segment, offset);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_are_aligned_and_kept),
		cmocka_unit_test(test_a_restart_goes_on_in_a_new_file),
		cmocka_unit_test(test_full_segments_are_followed_and_dead_ones_deleted),
		cmocka_unit_test(test_dead_places_give_their_blocks_back),
		cmocka_unit_test(test_pick_waits_for_what_rows_say),
		cmocka_unit_test(test_many_short_segments_are_worth_moving),
		cmocka_unit_test(test_a_failing_write_leaks_nothing),
		cmocka_unit_test(test_nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
