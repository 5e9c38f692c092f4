/* index-tools.h - an index in a directory of its own, and bodies to put into it. For the
 * tests of index.h.
 *
 * TEST(f) is f with an empty directory, which goes with its end. */
#ifndef TESTS_INDEX_TOOLS_H
#define TESTS_INDEX_TOOLS_H

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../../base/buf.h"
#include "../../../base/cleanup.h"
#include "../../../base/clock.h"
#include "../../../index/index.h"

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

static char dir[64];

static inline struct index *open_index(int64_t size)
{
	const struct index_config config = { .dir = dir, .size = size, .compress = true,
					     .level = 3 };
	struct index *ix = NULL;
	char reason[256] = "";

	if (index_open(&config, &ix, reason, sizeof reason) != 0 || index_start(ix) != 0)
		fail_msg("%s", reason);
	return ix;
}

static inline int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/test-index-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static inline int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static inline struct meta *meta_of(int64_t length, const char *etag)
{
	struct meta *m = meta_new();

	m->status = 200;
	m->flags = META_STORE | META_RANGES;
	m->length = length;
	m->response_ms = clock_wall_ms();
	m->fresh_until_ms = m->response_ms + 3600000;
	m->usable_until_ms = INT64_MAX;
	m->content_type = strdup("text/plain");
	if (etag)
		m->etag = strdup(etag);
	return m;
}

/* --- waiting for thread I --- */

struct record_wait {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done;
};

static inline void record_done(void *arg, int err)
{
	struct record_wait *w = arg;

	(void)err;
	WITH_LOCK(&w->lock) {
		w->done = true;
		pthread_cond_signal(&w->cond);
	}
}

static inline void record(struct version *v)
{
	struct record_wait w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };

	version_record(v, record_done, &w);
	WITH_LOCK(&w.lock)
		while (!w.done)
			pthread_cond_wait(&w.cond, &w.lock);
}

/* A body that compresses, different for each seed. */
static inline char *body_of(size_t len, unsigned seed)
{
	char *body = malloc(len + 32);

	for (size_t i = 0; i < len; i += 16)
		snprintf(body + i, 32, "%08x %06zx\n", seed, i & 0xffffff);
	return body;
}

static inline struct version *put(struct index *ix, const char *key, size_t len, unsigned seed)
{
	struct meta *m = meta_of((int64_t)len, "\"strong\"");
	char *body = body_of(len, seed);
	struct version *v;

	assert_int_equal(version_begin(ix, key, m, false, &v), 0);
	for (size_t off = 0; off < len;) {
		size_t n = len - off < 100000 ? len - off : 100000;
		int err = version_write(v, (int64_t)off, body + off, n);

		if (err == -ENOBUFS) {
			index_drain(ix);	/* lets it evict */
			version_on_room(v, NULL, NULL);
			continue;
		}
		assert_int_equal(err, 0);
		off += n;
	}
	if (len)
		version_complete(v);
	record(v);
	meta_unref(m);
	free(body);
	return v;
}

static inline void check(struct version *v, size_t len, unsigned seed)
{
	char *body = body_of(len, seed);

	for (size_t off = 0; off < len; off += 65536) {
		struct bytes b;
		size_t n = len - off < 65536 ? len - off : 65536;
		_cleanup_(cleanup_free) char *copy = malloc(n);

		assert_int_equal(version_read(v, (int64_t)off, 65536, NULL, &b), 0);
		assert_int_equal(b.len, n);
		if (b.data)
			memcpy(copy, b.data, n);
		else
			assert_int_equal(pread(b.fd, copy, n, b.pos), n);
		assert_memory_equal(copy, body + off, n);
		bytes_fini(&b);
	}
	free(body);
}

#endif
