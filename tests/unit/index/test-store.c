/* The store as the index uses it: what is put, what room it takes, upkeep. */
#include "store-tools.h"

#include <stdatomic.h>
#include <time.h>

#define MIB (1 << 20)

static void test_small_bodies_come_back(void **state)
{
	static const size_t lens[] = {
		1, 127, 128, 1000, 15000, 65536, 131072, 131073, 262143, 262144,
	};
	enum { N = sizeof(lens) / sizeof(*lens) };
	struct blob blobs[2 * N];
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	for (int i = 0; i < 2 * N; i++)
		scratch_put(&s, lens[i / 2], i % 2, i, &blobs[i]);
	for (int i = 0; i < 2 * N; i++) {
		assert_int_equal(blobs[i].kind, BLOB_SEGMENT);
		if (lens[i / 2] >= 1000)
			assert_int_equal(blobs[i].codec, i % 2 ? BLOB_ZSTD : BLOB_PLAIN);
		scratch_check(&s, &blobs[i], lens[i / 2], i % 2, i);
	}
	scratch_reopen(&s, false);
	for (int i = 0; i < 2 * N; i++)
		scratch_check(&s, &blobs[i], lens[i / 2], i % 2, i);
	scratch_fini(&s);
}

static void test_an_empty_body_takes_nothing(void **state)
{
	struct scratch s;
	struct blob b;
	int64_t used;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	used = space_used(&s.space);
	assert_int_equal(store_put(s.store, "", 0, NULL, NULL, &b), 0);
	assert_int_equal(b.kind, BLOB_NONE);
	assert_int_equal(store_read(s.store, &b, 0, 0, NULL), 0);
	assert_int_equal(store_check(s.store, &b), 0);
	store_delete(s.store, &b);
	assert_int_equal(space_used(&s.space), used);
	assert_int_equal(store_put(s.store, s.path, STORE_SMALL + 1, NULL, NULL, &b), -EFBIG);
	scratch_fini(&s);
}

static void test_packed_types_are_believed_until_a_sample_says_otherwise(void **state)
{
	char *text = make_body(15000, true, 1), *noise = make_body(15000, false, 1);
	struct scratch s;
	struct blob b;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	assert_int_equal(store_put(s.store, text, 15000, NULL, "image/jpeg", &b), 0);
	assert_int_equal(b.codec, BLOB_ZSTD);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(store_put(s.store, noise, 15000, NULL, "application/x; a=b", &b), 0);
		assert_int_equal(b.codec, BLOB_PLAIN);
	}
	/* Settled, and then found to have changed. */
	for (int i = 0; i < 200; i++)
		assert_int_equal(store_put(s.store, text, 15000, NULL, "Application/X", &b), 0);
	assert_int_equal(b.codec, BLOB_ZSTD);
	scratch_fini(&s);
	scratch_init(&s, 1 << 30, false);
	assert_int_equal(store_put(s.store, text, 15000, NULL, "text/html", &b), 0);
	assert_int_equal(b.codec, BLOB_PLAIN);
	free(text);
	free(noise);
	scratch_fini(&s);
}

/* --- space --- */

static void test_du_never_passes_the_limit(void **state)
{
	enum { LIMIT = 4 * MIB, N = 400 };
	struct blob blobs[N];
	uint64_t seed = 99;
	struct scratch s;
	int n = 0, refused = 0;

	(void)state;
	scratch_init(&s, LIMIT, true);
	for (int i = 0; i < N; i++) {
		bool text = scratch_random(&seed) % 2, large = i % 10 == 0;
		size_t len = large ? 300000 + scratch_random(&seed) % 700000 :
				     1 + scratch_random(&seed) % 60000;
		char *data = make_body(len, text, i);
		int r;

		if (large) {
			FILE *f = tmpfile();

			assert_int_equal(fwrite(data, 1, len, f), len);
			fflush(f);
			r = store_put_file(s.store, fileno(f), NULL, 0, len, i + 1, NULL,
					   &blobs[n]);
			fclose(f);
		} else {
			r = store_put(s.store, data, len, NULL, NULL, &blobs[n]);
		}
		free(data);
		assert_true(r == 0 || r == -ENOSPC);
		assert_true(space_used(&s.space) <= LIMIT);
		assert_true(scratch_du(&s) <= LIMIT);
		assert_true(scratch_du(&s) <= space_used(&s.space));
		n += r == 0;
		refused += r != 0;
		/* Now and then somebody evicts. */
		for (int j = 0; r != 0 && j < 5 && n > 0; j++) {
			int which = scratch_random(&seed) % n;

			store_delete(s.store, &blobs[which]);
			blobs[which] = blobs[--n];
		}
	}
	assert_true(refused > 10);
	while (n > 0)
		store_delete(s.store, &blobs[--n]);
	/* Directories, and at most the begin of one segment, stay. */
	assert_true(space_used(&s.space) <= 256 * 4096 + 4 * 4096 + MIB);
	assert_true(scratch_du(&s) <= space_used(&s.space));
	scratch_fini(&s);
}

static void test_deleting_frees_and_the_next_start_counts_the_same(void **state)
{
	struct blob files[4], small[100];
	int64_t empty, full, after;
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	for (int i = 0; i < 4; i++)
		scratch_put_file(&s, 400000, i % 2, i + 1, &files[i]);
	for (int i = 0; i < 4; i++)
		store_delete(s.store, &files[i]);
	empty = space_used(&s.space);
	for (int i = 0; i < 100; i++)
		scratch_put(&s, 60000, false, i, &small[i]);
	for (int i = 0; i < 4; i++)
		scratch_put_file(&s, 400000, i % 2, i + 5, &files[i]);
	full = space_used(&s.space);
	assert_true(full > empty + 100 * 60000 + 2 * 400000);
	scratch_reopen(&s, true);
	for (int i = 0; i < 4; i++)
		space_count(&s.space, store_disk_bytes(&files[i]));
	/* Some directories were made for the second four. */
	assert_in_range(space_used(&s.space), full - 8192, full + 8192);
	store_segment_live(s.store, small[0].id, 100 * 60000);
	for (int i = 0; i < 100; i++)
		store_delete(s.store, &small[i]);
	for (int i = 0; i < 4; i++)
		store_delete(s.store, &files[i]);
	after = space_used(&s.space);
	assert_in_range(after, 0, empty + 4 * 8192);
	assert_true(scratch_du(&s) <= after);
	scratch_fini(&s);
}

/* --- upkeep --- */

static bool knows_even(void *arg, uint64_t number)
{
	(*(int *)arg)++;
	return number % 2 == 0;
}

static bool knows_none(void *arg, uint64_t number)
{
	(void)arg;
	(void)number;
	return false;
}

static void make_file(struct scratch *s, const char *path)
{
	int fd = openat(s->dir, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

/* Until the clock of the files has gone on. */
static void wait_for_tick(void)
{
	struct timespec now, then;

	clock_gettime(CLOCK_REALTIME_COARSE, &then);
	do {
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	} while (now.tv_sec == then.tv_sec && now.tv_nsec == then.tv_nsec);
}

static void test_the_sweep_removes_what_no_row_knows(void **state)
{
	struct blob even, odd, fresh, small, new_small;
	int64_t removed = 0;
	_Atomic bool stop = false;
	struct scratch s;
	int asked = 0;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	scratch_put_file(&s, 300000, true, 2, &even);
	scratch_put_file(&s, 300000, true, 3, &odd);
	scratch_put(&s, 5000, true, 1, &small);
	make_file(&s, "blobs/02/2.tmp");
	make_file(&s, "blobs/02/3");
	make_file(&s, "blobs/02/what");
	wait_for_tick();
	wait_for_tick();
	scratch_reopen(&s, true);
	scratch_put_file(&s, 300000, true, 5, &fresh);
	scratch_put(&s, 5000, true, 2, &new_small);
	stop = true;
	assert_int_equal(store_sweep(s.store, knows_even, knows_none, &asked, &stop, &removed), 0);
	assert_int_equal(asked, 0);
	scratch_check(&s, &odd, 300000, true, 3);
	stop = false;
	assert_int_equal(store_sweep(s.store, knows_even, knows_even, &asked, &stop, &removed), 0);
	scratch_check(&s, &even, 300000, true, 2);
	scratch_check(&s, &fresh, 300000, true, 5);
	scratch_check(&s, &new_small, 5000, true, 2);
	assert_int_equal(faccessat(s.dir, "blobs/03/3", F_OK, 0), -1);
	assert_int_equal(faccessat(s.dir, "blobs/02/2.tmp", F_OK, 0), -1);
	assert_int_equal(faccessat(s.dir, "blobs/02/3", F_OK, 0), -1);
	assert_int_equal(faccessat(s.dir, "blobs/02/what", F_OK, 0), -1);
	assert_int_equal(small.id % 2, 1);
	assert_int_equal(store_check(s.store, &small), -ENOENT);
	scratch_fini(&s);
}

static void test_a_sweep_takes_young_files_when_nobody_puts(void **state)
{
	_Atomic bool stop = false;
	struct blob even, odd;
	int64_t removed = 0;
	struct scratch s;
	int asked = 0;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	scratch_put_file(&s, 300000, true, 2, &even);
	scratch_put_file(&s, 300000, true, 3, &odd);
	make_file(&s, "blobs/02/2.tmp");
	assert_int_equal(store_sweep(s.store, knows_even, knows_none, &asked, &stop, &removed), 0);
	assert_int_equal(removed, 0);
	scratch_check(&s, &odd, 300000, true, 3);
	store_nobody_puts(s.store);
	assert_int_equal(store_sweep(s.store, knows_even, knows_none, &asked, &stop, &removed), 0);
	assert_int_equal(removed, 2);
	scratch_check(&s, &even, 300000, true, 2);
	assert_int_equal(faccessat(s.dir, "blobs/03/3", F_OK, 0), -1);
	assert_int_equal(faccessat(s.dir, "blobs/02/2.tmp", F_OK, 0), -1);
	scratch_fini(&s);
}

static void test_compaction_keeps_bodies(void **state)
{
	enum { N = 30, LEN = 100000 };
	struct blob blobs[N], moved;
	uint64_t picked, again;
	struct scratch s;
	char buf[8];

	(void)state;
	scratch_init(&s, 1 << 30, true);
	for (int i = 0; i < N; i++)
		scratch_put(&s, LEN, i % 2, i, &blobs[i]);
	scratch_reopen(&s, true);
	uint64_t live = 0;

	for (int i = 0; i < N; i++)
		live += blobs[i].stored;
	store_segment_live(s.store, blobs[0].id, live);
	assert_int_equal(store_segment_pick(s.store, &picked), -ENOENT);
	for (int i = 0; i < N; i++) {
		if (i % 5 != 0)
			store_delete(s.store, &blobs[i]);
	}
	assert_int_equal(store_segment_pick(s.store, &picked), 0);
	assert_int_equal(picked, blobs[0].id);
	for (int i = 0; i < N; i += 5) {
		assert_int_equal(store_copy(s.store, &blobs[i], &moved), 0);
		assert_true(moved.id != picked);
		scratch_check(&s, &moved, LEN, i % 2, i);
		store_delete(s.store, &blobs[i]);
		blobs[i] = moved;
	}
	/* With its last blob the segment went, and dropping it does no harm. */
	store_segment_drop(s.store, picked);
	assert_int_equal(store_segment_pick(s.store, &again), -ENOENT);
	for (int i = 0; i < N; i += 5)
		scratch_check(&s, &blobs[i], LEN, i % 2, i);
	/* What is damaged is not carried on. */
	moved = blobs[0];
	moved.sum ^= 1;
	assert_int_equal(store_copy(s.store, &moved, &blobs[1]), -EBADMSG);
	moved.id = picked;
	assert_int_equal(store_read(s.store, &moved, 0, 8, buf), -ENOENT);
	scratch_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_bodies_come_back),
		cmocka_unit_test(test_an_empty_body_takes_nothing),
		cmocka_unit_test(test_packed_types_are_believed_until_a_sample_says_otherwise),
		cmocka_unit_test(test_du_never_passes_the_limit),
		cmocka_unit_test(test_deleting_frees_and_the_next_start_counts_the_same),
		cmocka_unit_test(test_the_sweep_removes_what_no_row_knows),
		cmocka_unit_test(test_a_sweep_takes_young_files_when_nobody_puts),
		cmocka_unit_test(test_compaction_keeps_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
