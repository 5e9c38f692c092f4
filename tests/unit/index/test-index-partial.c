/* Bodies of which a part is there: over restarts, and when pieces are damaged. */
#include "index-tools.h"

#include <dirent.h>
#include <fcntl.h>

static void a_partial_body_is_taken_up_after_a_restart(void **state)
{
	struct index *ix = open_index(1 << 30);
	struct meta *m = meta_of(3000000, "\"strong\"");
	char *body = body_of(3000000, 5);
	struct version *v;
	struct bytes bytes;

	(void)state;
	assert_int_equal(version_begin(ix, "http://a/part", m, false, &v), 0);
	assert_int_equal(version_write(v, 0, body, 1000000), 0);
	record(v);
	version_pause(v);
	index_drain(ix);
	version_unref(v);
	index_close(ix);
	ix = open_index(1 << 30);
	assert_int_equal(index_find(ix, "http://a/part", &v), 0);
	assert_int_equal(version_missing(v, 0), 1000000);
	assert_int_equal(version_read(v, 999000, 1000, NULL, &bytes), 0);
	bytes_fini(&bytes);
	assert_int_equal(version_read(v, 1000000, 1000, NULL, &bytes), -EAGAIN);
	assert_int_equal(version_write(v, 1000000, body + 1000000, 2000000), 0);
	version_complete(v);
	index_drain(ix);
	check(v, 3000000, 5);
	version_unref(v);
	index_close(ix);
	ix = open_index(1 << 30);
	assert_int_equal(index_find(ix, "http://a/part", &v), 0);
	check(v, 3000000, 5);
	version_unref(v);
	meta_unref(m);
	free(body);
	index_close(ix);
}

/* Flips a bit of the one file in partial/. */
static void damage_partial(int64_t at)
{
	char path[512];
	DIR *d;
	struct dirent *entry;
	int fd = -1;
	char byte;

	snprintf(path, sizeof path, "%s/partial", dir);
	d = opendir(path);
	assert_non_null(d);
	while (fd < 0 && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			fd = openat(dirfd(d), entry->d_name, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 4;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
	closedir(d);
}

/* [0, 1000000) and [2000000, 2500000) of 3000000 bytes, saved by a former run. */
static struct index *with_partial(const char *body, struct version **ret)
{
	struct index *ix = open_index(1 << 30);
	struct meta *m = meta_of(3000000, "\"strong\"");
	struct version *v;

	assert_int_equal(version_begin(ix, "http://a/part", m, false, &v), 0);
	assert_int_equal(version_write(v, 0, body, 900000), 0);
	record(v);
	version_pause(v);
	index_drain(ix);
	/* What was saved is saved again, and more. */
	assert_int_equal(version_write(v, 900000, body + 900000, 100000), 0);
	assert_int_equal(version_write(v, 2000000, body + 2000000, 500000), 0);
	version_pause(v);
	index_drain(ix);
	version_unref(v);
	meta_unref(m);
	index_close(ix);
	damage_partial(300000);
	ix = open_index(1 << 30);
	assert_int_equal(index_find(ix, "http://a/part", ret), 0);
	assert_int_equal(version_missing(*ret, 0), 1000000);
	return ix;
}

static void read_right(struct version *v, const char *body, int64_t off, size_t len)
{
	struct bytes bytes;
	char got[100000];

	assert_int_equal(version_read(v, off, len, NULL, &bytes), 0);
	assert_int_equal(bytes.len, len);
	if (bytes.fd >= 0)
		assert_int_equal(pread(bytes.fd, got, len, bytes.pos), len);
	assert_memory_equal(bytes.fd >= 0 ? got : bytes.data, body + off, len);
	bytes_fini(&bytes);
}

static void a_damaged_piece_of_a_partial_body_is_missing(void **state)
{
	char *body = body_of(3000000, 5);
	struct bytes bytes;
	struct version *v;
	struct index *ix = with_partial(body, &v);

	(void)state;
	read_right(v, body, 0, 1000);
	read_right(v, body, 950000, 50000);
	read_right(v, body, 2000000, 1000);
	assert_int_equal(version_read(v, 290000, 1000, NULL, &bytes), -EAGAIN);
	assert_int_equal(version_missing(v, 0), 262144);
	assert_int_equal(version_hole_end(v, 262144), 2 * 262144);
	assert_int_equal(version_write(v, 262144, body + 262144, 262144), 0);
	read_right(v, body, 290000, 100000);
	version_unref(v);
	free(body);
	index_close(ix);
}

/* Nobody reads the damaged piece before the rest has come. */
static void a_damaged_piece_is_not_stored(void **state)
{
	char *body = body_of(3000000, 5);
	struct bytes bytes;
	struct version *v;
	struct index *ix = with_partial(body, &v);

	(void)state;
	assert_int_equal(version_write(v, 1000000, body + 1000000, 1000000), 0);
	version_pause(v);
	assert_int_equal(version_write(v, 2500000, body + 2500000, 500000), 0);
	version_complete(v);
	index_drain(ix);
	read_right(v, body, 0, 1000);
	assert_int_equal(version_read(v, 290000, 1000, NULL, &bytes), -EAGAIN);
	assert_int_equal(version_write(v, 262144, body + 262144, 262144), 0);
	version_complete(v);
	index_drain(ix);
	check(v, 3000000, 5);
	version_unref(v);
	index_close(ix);
	ix = open_index(1 << 30);
	assert_int_equal(index_find(ix, "http://a/part", &v), 0);
	check(v, 3000000, 5);
	version_unref(v);
	free(body);
	index_close(ix);
}

/* The damaged piece is the last one of its range, which goes on growing. */
static void a_damaged_piece_that_grows_gets_no_right_sum(void **state)
{
	char *body = body_of(3000000, 5);
	struct version *v;
	struct index *ix = with_partial(body, &v);

	(void)state;
	version_unref(v);
	index_close(ix);
	damage_partial(300000);
	damage_partial(990000);
	ix = open_index(1 << 30);
	assert_int_equal(index_find(ix, "http://a/part", &v), 0);
	assert_int_equal(version_write(v, 1000000, body + 1000000, 30000), 0);
	version_pause(v);
	index_drain(ix);
	version_unref(v);
	index_close(ix);
	ix = open_index(1 << 30);
	assert_int_equal(index_find(ix, "http://a/part", &v), 0);
	assert_int_equal(version_missing(v, 0), 3 * 262144);
	read_right(v, body, 290000, 100000);
	version_unref(v);
	free(body);
	index_close(ix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_partial_body_is_taken_up_after_a_restart),
		TEST(a_damaged_piece_of_a_partial_body_is_missing),
		TEST(a_damaged_piece_is_not_stored),
		TEST(a_damaged_piece_that_grows_gets_no_right_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
