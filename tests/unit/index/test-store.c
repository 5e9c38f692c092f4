/* test-store.c - the store as the index uses it. */
#include "store-tools.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#define MIB (1 << 20)

static void put(struct scratch *s, size_t len, bool text, uint64_t seed, struct blob *ret)
{
	char *data = make_body(len, text, seed);

	assert_int_equal(store_put(s->store, data, len, NULL, text ? "text/html" : NULL, ret), 0);
	free(data);
}

static void put_file(struct scratch *s, size_t len, bool text, uint64_t ino, struct blob *ret)
{
	char *data = make_body(len, text, ino);
	int fd = make_partial(s, "1", data, len);

	assert_int_equal(store_put_file(s->store, fd, NULL, 0, len, ino, NULL, ret), 0);
	close(fd);
	free(data);
	assert_int_equal(unlinkat(s->dir, "partial/1", 0), 0);
}

static void check(struct scratch *s, const struct blob *b, size_t len, bool text,
		  uint64_t seed)
{
	char *data = make_body(len, text, seed);

	assert_stored(s->store, b, data, len);
	assert_int_equal(store_check(s->store, b), 0);
	free(data);
}

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
		put(&s, lens[i / 2], i % 2, i, &blobs[i]);
	for (int i = 0; i < 2 * N; i++) {
		assert_int_equal(blobs[i].kind, BLOB_SEGMENT);
		if (lens[i / 2] >= 1000)
			assert_int_equal(blobs[i].codec, i % 2 ? BLOB_ZSTD : BLOB_PLAIN);
		check(&s, &blobs[i], lens[i / 2], i % 2, i);
	}
	scratch_reopen(&s, false);
	for (int i = 0; i < 2 * N; i++)
		check(&s, &blobs[i], lens[i / 2], i % 2, i);
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

/* --- damage --- */

struct victim {
	struct blob blob;
	size_t len;
	bool text;
	char *data;
};

static void victim_path(struct scratch *s, const struct blob *b, char *path, size_t len)
{
	if (b->kind == BLOB_SEGMENT)
		snprintf(path, len, "%s/blobs/seg-%08" PRIu64, s->path, b->id);
	else
		snprintf(path, len, "%s/blobs/%02x/%" PRIu64, s->path,
			 (unsigned)(b->id % 256), b->id);
}

/* A read somewhere: right, or an error that says what is wrong. */
static bool read_is_honest(struct store *st, const struct victim *v, uint64_t *seed, char *back)
{
	size_t off = scratch_random(seed) % v->len;
	size_t len = 1 + scratch_random(seed) % (v->len - off);
	int64_t pos;
	int r, fd;

	r = store_read(st, &v->blob, off, len, back);
	if (r != 0)
		return r == -EBADMSG;
	if (memcmp(back, v->data + off, len) != 0)
		return false;
	fd = store_fd(st, &v->blob, off, len, &pos);
	if (fd < 0)
		return fd == -ENOTSUP || fd == -EBADMSG;
	r = pread(fd, back, len, pos + off) == (ssize_t)len &&
	    memcmp(back, v->data + off, len) == 0;
	close(fd);
	return r;
}

/* Flips a bit, looks, and flips it back; whether a whole check noticed. */
static bool flip_and_look(struct scratch *s, const struct victim *v, bool near_end,
			  uint64_t *seed, char *back)
{
	uint64_t reach = near_end && v->blob.stored > 120 ? 120 : v->blob.stored;
	off_t at = v->blob.offset + v->blob.stored - 1 - scratch_random(seed) % reach;
	unsigned char byte, bit = 1 << scratch_random(seed) % 8;
	char path[128];
	bool noticed;
	int fd;

	victim_path(s, &v->blob, path, sizeof(path));
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= bit;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	assert_true(read_is_honest(s->store, v, seed, back));
	noticed = store_check(s->store, &v->blob) == -EBADMSG;
	byte ^= bit;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
	return noticed;
}

static void test_flipped_bits_never_come_through(void **state)
{
	static const struct victim kinds[] = {
		{ .len = 15000, .text = true }, { .len = 15000 },
		{ .len = 135000, .text = true }, { .len = 140000, .text = true },
		{ .len = 140000 },
	};
	enum { N = sizeof(kinds) / sizeof(*kinds), ROUNDS = 2000 };
	char *back = malloc(STORE_SMALL * 2);
	struct victim victims[N];
	uint64_t seed = 4711;
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	for (int i = 0; i < N; i++) {
		victims[i] = kinds[i];
		victims[i].data = make_body(kinds[i].len, kinds[i].text, i + 1);
		if (i < 3)
			put(&s, kinds[i].len, kinds[i].text, i + 1, &victims[i].blob);
		else
			put_file(&s, kinds[i].len, kinds[i].text, i + 1, &victims[i].blob);
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < N; i++) {
			bool noticed;

			noticed = flip_and_look(&s, &victims[i], round % 4 == 0, &seed, back);
			/* Nothing remembered by the time of the next look; but a
			 * tail that was read before the damage may be. */
			assert_true(noticed || victims[i].blob.kind == BLOB_FILE);
		}
		scratch_reopen(&s, true);
	}
	for (int i = 0; i < N; i++) {
		assert_int_equal(store_check(s.store, &victims[i].blob), 0);
		free(victims[i].data);
	}
	free(back);
	scratch_fini(&s);
}

static void test_a_cut_file_is_damage(void **state)
{
	struct blob small, text, noise;
	char path[128], buf[64];
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	put(&s, 15000, false, 1, &small);
	put_file(&s, 300000, true, 2, &text);
	put_file(&s, 300000, false, 3, &noise);
	victim_path(&s, &small, path, sizeof(path));
	assert_int_equal(truncate(path, 10000), 0);
	victim_path(&s, &text, path, sizeof(path));
	assert_int_equal(truncate(path, text.stored - 1), 0);
	victim_path(&s, &noise, path, sizeof(path));
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(store_read(s.store, &small, 0, 64, buf), -EBADMSG);
	assert_int_equal(store_read(s.store, &text, 0, 64, buf), -EBADMSG);
	assert_int_equal(store_read(s.store, &noise, 0, 64, buf), -EBADMSG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_read(s.store, &noise, 0, 64, buf), -ENOENT);
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
		put_file(&s, 400000, i % 2, i + 1, &files[i]);
	for (int i = 0; i < 4; i++)
		store_delete(s.store, &files[i]);
	empty = space_used(&s.space);
	for (int i = 0; i < 100; i++)
		put(&s, 60000, false, i, &small[i]);
	for (int i = 0; i < 4; i++)
		put_file(&s, 400000, i % 2, i + 5, &files[i]);
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
	put_file(&s, 300000, true, 2, &even);
	put_file(&s, 300000, true, 3, &odd);
	put(&s, 5000, true, 1, &small);
	make_file(&s, "blobs/02/2.tmp");
	make_file(&s, "blobs/02/3");
	make_file(&s, "blobs/02/what");
	wait_for_tick();
	wait_for_tick();
	scratch_reopen(&s, true);
	put_file(&s, 300000, true, 5, &fresh);
	put(&s, 5000, true, 2, &new_small);
	stop = true;
	assert_int_equal(store_sweep(s.store, knows_even, knows_none, &asked, &stop, &removed), 0);
	assert_int_equal(asked, 0);
	check(&s, &odd, 300000, true, 3);
	stop = false;
	assert_int_equal(store_sweep(s.store, knows_even, knows_even, &asked, &stop, &removed), 0);
	check(&s, &even, 300000, true, 2);
	check(&s, &fresh, 300000, true, 5);
	check(&s, &new_small, 5000, true, 2);
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
	put_file(&s, 300000, true, 2, &even);
	put_file(&s, 300000, true, 3, &odd);
	make_file(&s, "blobs/02/2.tmp");
	assert_int_equal(store_sweep(s.store, knows_even, knows_none, &asked, &stop, &removed), 0);
	assert_int_equal(removed, 0);
	check(&s, &odd, 300000, true, 3);
	store_nobody_puts(s.store);
	assert_int_equal(store_sweep(s.store, knows_even, knows_none, &asked, &stop, &removed), 0);
	assert_int_equal(removed, 2);
	check(&s, &even, 300000, true, 2);
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
		put(&s, LEN, i % 2, i, &blobs[i]);
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
		check(&s, &moved, LEN, i % 2, i);
		store_delete(s.store, &blobs[i]);
		blobs[i] = moved;
	}
	/* With its last blob the segment went, and dropping it does no harm. */
	store_segment_drop(s.store, picked);
	assert_int_equal(store_segment_pick(s.store, &again), -ENOENT);
	for (int i = 0; i < N; i += 5)
		check(&s, &blobs[i], LEN, i % 2, i);
	/* What is damaged is not carried on. */
	moved = blobs[0];
	moved.sum ^= 1;
	assert_int_equal(store_copy(s.store, &moved, &blobs[1]), -EBADMSG);
	moved.id = picked;
	assert_int_equal(store_read(s.store, &moved, 0, 8, buf), -ENOENT);
	scratch_fini(&s);
}

/* --- threads --- */

struct worker {
	struct scratch *s;
	uint64_t seed;
	const char *failed;
};

static bool is_right(struct store *st, const struct blob *b, const char *data, size_t len)
{
	char *back = malloc(len);
	bool ok = store_read(st, b, 0, len, back) == 0 && memcmp(back, data, len) == 0 &&
		  store_read(st, b, len / 3, len / 2, back) == 0 &&
		  memcmp(back, data + len / 3, len / 2) == 0;

	free(back);
	return ok;
}

static bool put_any(struct worker *w, const char *data, size_t len, uint64_t ino,
		    struct blob *ret)
{
	FILE *f;
	int r;

	if (len <= STORE_SMALL)
		return store_put(w->s->store, data, len, NULL, NULL, ret) == 0;
	f = tmpfile();
	if (!f)
		return false;
	fwrite(data, 1, len, f);
	fflush(f);
	r = store_put_file(w->s->store, fileno(f), NULL, 0, len, ino, NULL, ret);
	fclose(f);
	return r == 0;
}

static void *work(void *arg)
{
	enum { N = 8, ROUNDS = 60 };
	struct worker *w = arg;
	struct blob blobs[N];
	char *data[N] = { NULL };
	size_t len[N];

	for (int i = 0; i < ROUNDS && !w->failed; i++) {
		int k = scratch_random(&w->seed) % N;

		if (data[k]) {
			if (!is_right(w->s->store, &blobs[k], data[k], len[k]))
				w->failed = "read";
			store_delete(w->s->store, &blobs[k]);
			free(data[k]);
		}
		len[k] = i % 10 == 0 ? 300000 : 2 + scratch_random(&w->seed) % 100000;
		data[k] = malloc(len[k]);
		fill_text(data[k], len[k], w->seed);
		if (i % 2)
			fill_noise(data[k], len[k], w->seed);
		if (!put_any(w, data[k], len[k], w->seed >> 8, &blobs[k]))
			w->failed = "put";
	}
	for (int k = 0; k < N; k++) {
		if (data[k] && !is_right(w->s->store, &blobs[k], data[k], len[k]))
			w->failed = "last read";
		if (data[k])
			store_delete(w->s->store, &blobs[k]);
		free(data[k]);
	}
	return NULL;
}

static void test_threads_put_read_and_delete(void **state)
{
	struct worker workers[4];
	pthread_t threads[4];
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	for (int i = 0; i < 4; i++) {
		workers[i] = (struct worker){ .s = &s, .seed = i + 77 };
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 4; i++)
		assert_string_equal(workers[i].failed ? workers[i].failed : "", "");
	assert_true(scratch_du(&s) <= space_used(&s.space));
	scratch_fini(&s);
}

struct shared {
	struct scratch *s;
	const struct victim *victims;
	int n;
	_Atomic int wrong;
};

static void *read_shared(void *arg)
{
	struct shared *sh = arg;
	uint64_t seed = (uintptr_t)&seed;
	char *back = malloc(2 * MIB);

	for (int i = 0; i < 200; i++) {
		const struct victim *v = &sh->victims[i % sh->n];

		if (!read_is_honest(sh->s->store, v, &seed, back))
			sh->wrong++;
	}
	free(back);
	return NULL;
}

static void test_threads_read_the_same_blobs(void **state)
{
	struct victim victims[4] = {
		{ .len = 100000, .text = true }, { .len = 100000 },
		{ .len = MIB, .text = true }, { .len = MIB },
	};
	struct shared sh = { .victims = victims, .n = 4 };
	pthread_t threads[4];
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	sh.s = &s;
	for (int i = 0; i < 4; i++) {
		victims[i].data = make_body(victims[i].len, victims[i].text, i + 1);
		if (i < 2)
			put(&s, victims[i].len, victims[i].text, i + 1, &victims[i].blob);
		else
			put_file(&s, victims[i].len, victims[i].text, i + 1, &victims[i].blob);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_shared, &sh), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(sh.wrong, 0);
	for (int i = 0; i < 4; i++)
		free(victims[i].data);
	scratch_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_bodies_come_back),
		cmocka_unit_test(test_an_empty_body_takes_nothing),
		cmocka_unit_test(test_packed_types_are_believed_until_a_sample_says_otherwise),
		cmocka_unit_test(test_flipped_bits_never_come_through),
		cmocka_unit_test(test_a_cut_file_is_damage),
		cmocka_unit_test(test_du_never_passes_the_limit),
		cmocka_unit_test(test_deleting_frees_and_the_next_start_counts_the_same),
		cmocka_unit_test(test_the_sweep_removes_what_no_row_knows),
		cmocka_unit_test(test_a_sweep_takes_young_files_when_nobody_puts),
		cmocka_unit_test(test_compaction_keeps_bodies),
		cmocka_unit_test(test_threads_put_read_and_delete),
		cmocka_unit_test(test_threads_read_the_same_blobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
