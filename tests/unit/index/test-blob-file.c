/* test-blob-file.c - large bodies in files of their own. */
#include "store-tools.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "../../../index/blob_file.h"
#include "../../../index/blob_sums.h"

#define MIB (1 << 20)

static void blob_path(struct scratch *s, const struct blob *b, char *path, size_t len)
{
	snprintf(path, len, "%s/blobs/%02x/%" PRIu64, s->path, (unsigned)(b->id % 256), b->id);
}

static void put(struct scratch *s, const char *data, size_t len, uint64_t ino,
		const char *type, struct blob *ret)
{
	int fd = make_partial(s, "1", data, len);

	assert_int_equal(store_put_file(s->store, fd, NULL, 0, len, ino, type, ret), 0);
	close(fd);
}

static void test_every_length_comes_back(void **state)
{
	static const size_t lens[] = {
		1, 4096, 131071, 131072, 131073, 262144, 300000, 3 * MIB + 17,
	};
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens) * 2; i++) {
		bool text = i % 2;
		char *data = make_body(lens[i / 2], text, i);
		struct blob b;

		put(&s, data, lens[i / 2], 1000 + i, text ? "text/html" : "video/mp4", &b);
		assert_int_equal(b.kind, BLOB_FILE);
		assert_int_equal(b.id, 1000 + i);
		if (lens[i / 2] > 4096)
			assert_int_equal(b.codec, text ? BLOB_ZSTD : BLOB_PLAIN);
		assert_stored(s.store, &b, data, lens[i / 2]);
		assert_int_equal(store_check(s.store, &b), 0);
		store_delete(s.store, &b);
		assert_int_equal(store_check(s.store, &b), -ENOENT);
		free(data);
	}
	scratch_fini(&s);
}

/* What a user does to get a body back without us. */
static void assert_zstd_restores(const char *path, const char *data, size_t len)
{
	char *back = malloc(len + 1);
	int fds[2], status;
	size_t n = 0;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		execlp("zstd", "zstd", "-dc", "-q", path, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	for (ssize_t r; n <= len && (r = read(fds[0], back + n, len + 1 - n)) > 0;)
		n += r;
	close(fds[0]);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		free(back);
		skip();
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(n, len);
	assert_memory_equal(back, data, len);
	free(back);
}

static void test_zstd_restores_a_compressed_file(void **state)
{
	size_t len = 5 * MIB + 12345;
	char *data = make_body(len, true, 3), path[128];
	struct scratch s;
	struct blob b;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	put(&s, data, len, 7, "text/html", &b);
	assert_int_equal(b.codec, BLOB_ZSTD);
	assert_true(b.stored < len / 2);
	blob_path(&s, &b, path, sizeof(path));
	assert_zstd_restores(path, data, len);
	free(data);
	scratch_fini(&s);
}

static uint32_t u32_at(const unsigned char *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* As the format's other readers find their way: from the end of the file. */
static void test_the_seek_table_is_the_standard_one(void **state)
{
	size_t len = 2 * MIB + 5, at = 0, raw = 0;
	unsigned char tail[4096];
	char *data = make_body(len, true, 3), path[128];
	struct scratch s;
	struct blob b;
	uint32_t frames;
	int fd;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	put(&s, data, len, 7, "text/html", &b);
	blob_path(&s, &b, path, sizeof(path));
	fd = open(path, O_RDONLY);
	assert_int_equal(pread(fd, tail, 9, b.stored - 9), 9);
	assert_int_equal(u32_at(tail + 5), 0x8F92EAB1u);
	assert_int_equal(tail[4], 0);
	frames = u32_at(tail);
	assert_int_equal(frames, 17 + 1);
	assert_int_equal(pread(fd, tail, 17 + frames * 8, b.stored - 17 - frames * 8),
			 17 + frames * 8);
	assert_int_equal(u32_at(tail), 0x184D2A5Eu);
	assert_int_equal(u32_at(tail + 4), frames * 8 + 9);
	for (uint32_t i = 0; i < frames; i++) {
		at += u32_at(tail + 8 + i * 8);
		raw += u32_at(tail + 12 + i * 8);
	}
	assert_int_equal(raw, len);
	assert_int_equal(at, b.stored - 17 - frames * 8);
	close(fd);
	free(data);
	scratch_fini(&s);
}

static void test_a_plain_partial_file_is_renamed_with_its_space(void **state)
{
	size_t len = MIB + 100;
	char *data = make_body(len, false, 9), path[128];
	struct stat before, after;
	int64_t reserved = 2 * MIB, used;
	struct scratch s;
	struct blob b;
	int fd;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	used = space_used(&s.space);
	fd = make_partial(&s, "5", data, len);
	assert_int_equal(fstat(fd, &before), 0);
	assert_int_equal(space_reserve(&s.space, reserved), 0);
	assert_int_equal(store_put_file(s.store, fd, "partial/5", reserved, len, 5,
					"video/mp4", &b), 0);
	blob_path(&s, &b, path, sizeof(path));
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(faccessat(s.dir, "partial/5", F_OK, 0), -1);
	assert_int_equal(b.codec, BLOB_PLAIN);
	assert_int_equal(after.st_size, b.stored);
	assert_in_range(space_used(&s.space) - used, store_disk_bytes(&b),
			store_disk_bytes(&b) + 8192);
	assert_stored(s.store, &b, data, len);
	close(fd);
	store_delete(s.store, &b);
	assert_in_range(space_used(&s.space) - used, 0, 8192);
	free(data);
	scratch_fini(&s);
}

static void test_a_compressed_partial_file_stays_the_callers(void **state)
{
	size_t len = MIB;
	char *data = make_body(len, true, 9);
	struct scratch s;
	struct blob b;
	int fd;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	fd = make_partial(&s, "5", data, len);
	assert_int_equal(store_put_file(s.store, fd, "partial/5", 0, len, 5, NULL, &b), 0);
	assert_int_equal(b.codec, BLOB_ZSTD);
	assert_int_equal(faccessat(s.dir, "partial/5", F_OK, 0), 0);
	close(fd);
	free(data);
	scratch_fini(&s);
}

static void test_what_does_not_compress_after_all_is_stored_plain(void **state)
{
	size_t len = 8 * MIB, part = 64 << 10;
	char *data = make_body(len, false, 9);
	struct scratch s;
	struct blob b;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	/* The places where samples are taken from promise too much. */
	for (int i = 0; i < 4; i++)
		memset(data + (i == 3 ? len - part : len / 3 * i), 'x', part);
	put(&s, data, len, 5, NULL, &b);
	assert_int_equal(b.codec, BLOB_PLAIN);
	assert_stored(s.store, &b, data, len);
	assert_true(scratch_du(&s) <= space_used(&s.space) + (int64_t)len + 8192);
	free(data);
	scratch_fini(&s);
}

static void test_plain_bytes_can_be_spliced_once_verified(void **state)
{
	size_t len = 2 * MIB;
	char *data = make_body(len, false, 9), *back = malloc(len), path[128];
	int64_t pos = -1;
	struct scratch s;
	struct blob b;
	int fd, file;

	(void)state;
	scratch_init(&s, 1 << 30, false);
	put(&s, data, len, 5, NULL, &b);
	fd = store_fd(s.store, &b, 5000, 300000, &pos);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, back, 300000, pos + 5000), 300000);
	assert_memory_equal(back, data + 5000, 300000);
	close(fd);
	/* A chunk that was not looked at yet is, before its bytes are given out. */
	blob_path(&s, &b, path, sizeof(path));
	file = open(path, O_RDWR);
	assert_int_equal(pwrite(file, "x", 1, MIB + 5), 1);
	assert_int_equal(store_fd(s.store, &b, MIB, 4096, &pos), -EBADMSG);
	assert_int_equal(store_read(s.store, &b, MIB, 4096, back), -EBADMSG);
	fd = store_fd(s.store, &b, 0, 4096, &pos);
	assert_true(fd >= 0);
	close(fd);
	close(file);
	free(back);
	free(data);
	scratch_fini(&s);
}

static void test_no_room_leaves_nothing_behind(void **state)
{
	size_t len = 2 * MIB;
	int64_t used;
	struct scratch s;
	struct blob b;

	(void)state;
	scratch_init(&s, MIB, true);
	for (int text = 0; text < 2; text++) {
		char *data = make_body(text ? 16 * len : len, text, 9);
		size_t n = text ? 16 * len : len;
		int fd = make_partial(&s, "5", data, n);
		struct stat st;

		used = space_used(&s.space);
		assert_int_equal(store_put_file(s.store, fd, NULL, 0, n, 5, NULL, &b), -ENOSPC);
		assert_in_range(space_used(&s.space), used, used + 8192);
		assert_int_equal(fstatat(s.dir, "blobs/05/5.tmp", &st, 0), -1);
		assert_int_equal(fstatat(s.dir, "blobs/05/5", &st, 0), -1);
		close(fd);
		free(data);
	}
	scratch_fini(&s);
}

/* The table that is appended to a file renamed into place needs room, too. */
static void test_no_room_for_the_sums_leaves_the_file_as_it_was(void **state)
{
	size_t len = 2 * MIB;
	char *data = make_body(len, false, 9);
	struct scratch s;
	struct stat st;
	struct blob b;
	int64_t used;
	int fd;

	(void)state;
	scratch_init(&s, 3 * MIB, true);
	fd = make_partial(&s, "5", data, len);
	assert_int_equal(space_reserve(&s.space, len), 0);
	assert_int_equal(space_reserve(&s.space, s.space.limit - space_used(&s.space) - 12288), 0);
	assert_int_equal(store_put_file(s.store, fd, NULL, 0, len, 6, "video/mp4", &b), -ENOSPC);
	assert_int_equal(space_reserve(&s.space, 4096), 0);
	used = space_used(&s.space);
	assert_int_equal(store_put_file(s.store, fd, "partial/5", len, len, 5, "video/mp4", &b),
			 -ENOSPC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, len);
	assert_int_equal(faccessat(s.dir, "partial/5", F_OK, 0), 0);
	assert_in_range(space_used(&s.space), used, used + 4096);
	close(fd);
	free(data);
	scratch_fini(&s);
}

static void test_a_damaged_row_is_an_error(void **state)
{
	size_t len = MIB;
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	for (int text = 0; text < 2; text++) {
		char *data = make_body(len, text, 9), buf[64];
		struct blob b, bad;

		put(&s, data, len, 5 + text, NULL, &b);
		for (int i = 0; i < 8; i++) {
			bad = b;
			switch (i) {
			case 0: bad.sum ^= 1; break;
			case 1: bad.stored -= 1; break;
			case 2: bad.stored = UINT64_MAX; break;
			case 3: bad.length += 1; break;
			case 4: bad.length = UINT64_MAX; break;
			case 5: bad.codec ^= 1; break;
			case 6: bad.codec = 77; break;
			case 7: bad.stored = 3; break;
			}
			assert_int_equal(store_read(s.store, &bad, 0, 64, buf), -EBADMSG);
			assert_int_equal(store_read(s.store, &b, 0, 64, buf), 0);
		}
		assert_int_equal(store_read(s.store, &b, len - 10, 11, buf), -EINVAL);
		assert_int_equal(store_read(s.store, &b, -1, 1, buf), -EINVAL);
		bad = b;
		bad.id = 999;
		assert_int_equal(store_read(s.store, &bad, 0, 64, buf), -ENOENT);
		free(data);
	}
	scratch_fini(&s);
}

/* A tail that its row vouches for is still not believed blindly. */
static void test_a_tail_of_nonsense_is_refused(void **state)
{
	size_t len = 300000;
	uint64_t seed = 5;
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	for (int i = 0; i < 1000; i++) {
		bool text = i % 2;
		size_t n = text ? 8 + 16 + 3 * 8 + 8 + 4 * 8 + 9 : 16 + 3 * 8;
		unsigned char tail[128], good[128];
		char path[128], *back = malloc(len);
		static char *data[2];
		static struct blob b[2];
		struct blob bad;
		int fd, r;

		if (i < 2) {
			data[i] = make_body(len, text, 9);
			put(&s, data[i], len, 5 + i, NULL, &b[i]);
		}
		blob_path(&s, &b[text], path, sizeof(path));
		fd = open(path, O_RDWR);
		assert_int_equal(pread(fd, good, n, b[text].stored - n), n);
		memcpy(tail, good, n);
		assert_int_equal(blob_sum(tail, n), b[text].sum);
		for (uint64_t k = scratch_random(&seed) % 4; k < 4; k++)
			tail[scratch_random(&seed) % n] = scratch_random(&seed) % 3 ?
				scratch_random(&seed) : 0xff;
		assert_int_equal(pwrite(fd, tail, n, b[text].stored - n), n);
		bad = b[text];
		bad.sum = blob_sum(tail, n);
		r = store_read(s.store, &bad, 0, len, back);
		assert_true(r == -EBADMSG || (r == 0 && memcmp(back, data[text], len) == 0));
		assert_int_equal(pwrite(fd, good, n, b[text].stored - n), n);
		close(fd);
		free(back);
		if (i >= 998)
			free(data[text]);
	}
	scratch_fini(&s);
}

static void test_more_files_than_are_kept_open(void **state)
{
	enum { N = 300, LEN = 20000 };
	struct blob blobs[N];
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	for (int i = 0; i < N; i++) {
		char *data = make_body(LEN, i % 2, i);

		put(&s, data, LEN, i + 1, NULL, &blobs[i]);
		free(data);
	}
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < N; i++) {
			char *data = make_body(LEN, i % 2, i);

			assert_stored(s.store, &blobs[i], data, LEN);
			free(data);
		}
	}
	scratch_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length_comes_back),
		cmocka_unit_test(test_zstd_restores_a_compressed_file),
		cmocka_unit_test(test_the_seek_table_is_the_standard_one),
		cmocka_unit_test(test_a_plain_partial_file_is_renamed_with_its_space),
		cmocka_unit_test(test_a_compressed_partial_file_stays_the_callers),
		cmocka_unit_test(test_what_does_not_compress_after_all_is_stored_plain),
		cmocka_unit_test(test_plain_bytes_can_be_spliced_once_verified),
		cmocka_unit_test(test_no_room_leaves_nothing_behind),
		cmocka_unit_test(test_no_room_for_the_sums_leaves_the_file_as_it_was),
		cmocka_unit_test(test_a_damaged_row_is_an_error),
		cmocka_unit_test(test_a_tail_of_nonsense_is_refused),
		cmocka_unit_test(test_more_files_than_are_kept_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
