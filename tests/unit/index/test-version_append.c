/* Bytes that are kept back are there for nobody, and then all of them are. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../../base/clock.h"
#include "../../../index/index.h"

enum { LENGTH = 3000000, PIECE = 16384, GATHERED = 262144 };

static char dir[64];
static char body[LENGTH];
static struct index *ix;
static struct version *v;

static void begin(int64_t size)
{
	const struct index_config config = { .dir = dir, .size = size };
	struct meta *m = meta_new();
	char reason[256] = "";

	if (index_open(&config, &ix, reason, sizeof reason) != 0 || index_start(ix) != 0)
		fail_msg("%s", reason);
	m->status = 200;
	m->flags = META_STORE | META_RANGES;
	m->length = LENGTH;
	m->response_ms = clock_wall_ms();
	m->fresh_until_ms = m->usable_until_ms = INT64_MAX;
	m->etag = strdup("\"strong\"");
	assert_int_equal(version_begin(ix, "http://a/large", m, false, &v), 0);
	meta_unref(m);
}

static int make(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH; i++)
		body[i] = (char)(i * 2654435761u >> 13);
	snprintf(dir, sizeof dir, "/tmp/test-append-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	version_unref(v);
	index_close(ix);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static int append(int64_t off, size_t len)
{
	return version_append(v, off, body + off, len);
}

static void check(int64_t off, size_t len)
{
	char *copy = malloc(len);
	struct bytes b;

	assert_int_equal(version_read(v, off, len, NULL, &b), 0);
	assert_int_equal(b.len, len);
	if (b.data)
		memcpy(copy, b.data, len);
	else
		assert_int_equal(pread(b.fd, copy, len, b.pos), len);
	assert_memory_equal(copy, body + off, len);
	bytes_fini(&b);
	free(copy);
}

static void what_is_kept_back_comes_with_the_flush(void **state)
{
	(void)state;
	begin(1 << 30);
	/* The first one makes the file; a piece is never held up by that. */
	assert_int_equal(append(0, 1000), 0);
	assert_int_equal(version_missing(v, 0), 1000);
	assert_int_equal(append(1000, PIECE), 0);
	assert_int_equal(append(1000 + PIECE, PIECE), 0);
	assert_int_equal(version_missing(v, 0), 1000);
	version_flush(ix);
	assert_int_equal(version_missing(v, 0), 1000 + 2 * PIECE);
	version_flush(ix);
	check(0, 1000 + 2 * PIECE);
}

static void a_write_elsewhere_comes_behind_it(void **state)
{
	(void)state;
	begin(1 << 30);
	assert_int_equal(append(0, PIECE), 0);
	assert_int_equal(append(PIECE, PIECE), 0);
	assert_int_equal(append(2000000, PIECE), 0);
	assert_int_equal(version_missing(v, 0), 2 * PIECE);
	version_flush(ix);
	check(0, 2 * PIECE);
	check(2000000, PIECE);
}

static void all_of_it_arrives_whole(void **state)
{
	size_t n;

	(void)state;
	begin(1 << 30);
	for (int64_t off = 0; off < LENGTH; off += (int64_t)n) {
		n = LENGTH - off < PIECE ? (size_t)(LENGTH - off) : PIECE;
		assert_int_equal(append(off, n), 0);
		assert_true(version_missing(v, 0) + GATHERED > off);
	}
	assert_int_equal(append(LENGTH, 1), -EFBIG);
	version_flush(ix);
	assert_int_equal(version_missing(v, 0), LENGTH);
	version_complete(v);
	check(0, LENGTH);
	version_record(v, NULL, NULL);
	index_drain(ix);
	check(0, LENGTH);
}

static void without_room_it_is_said_before_bytes_are_taken(void **state)
{
	int64_t off = 0;
	int err = 0;

	(void)state;
	begin(2 << 20);
	while (!err && off + PIECE <= LENGTH) {
		err = append(off, PIECE);
		off += err ? 0 : PIECE;
	}
	assert_int_equal(err, -ENOBUFS);
	version_flush(ix);
	assert_int_equal(version_missing(v, 0), off);
	check(0, (size_t)off);
}

static void of_what_failed_nothing_comes(void **state)
{
	(void)state;
	begin(1 << 30);
	assert_int_equal(append(0, PIECE), 0);
	assert_int_equal(append(PIECE, PIECE), 0);
	version_fail(v, -EIO);
	assert_int_equal(append(2 * PIECE, PIECE), -ESTALE);
	version_flush(ix);
	assert_int_equal(version_state(v), VERSION_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_kept_back_comes_with_the_flush, make, end),
		cmocka_unit_test_setup_teardown(a_write_elsewhere_comes_behind_it, make, end),
		cmocka_unit_test_setup_teardown(all_of_it_arrives_whole, make, end),
		cmocka_unit_test_setup_teardown(without_room_it_is_said_before_bytes_are_taken, make,
						end),
		cmocka_unit_test_setup_teardown(of_what_failed_nothing_comes, make, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
