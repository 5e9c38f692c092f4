/* store-tools.h - a scratch cache directory, and bodies of several kinds. For
 * the tests of the body store. */
#ifndef TESTS_STORE_TOOLS_H
#define TESTS_STORE_TOOLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../index/store.h"

struct scratch {
	char path[64];
	int dir;
	struct space space;
	struct store *store;
	bool put_off;		/* set, and reopened: packing may be put off */
};

static inline int scratch_unlink(const char *path, const struct stat *st, int type,
				 struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void scratch_open_store(struct scratch *s, bool compress)
{
	struct store_config config = { .dir = s->dir, .space = &s->space,
				       .compress = compress, .level = 3,
				       .pace = s->put_off ? STORE_AS_TIME_ALLOWS
							   : STORE_AT_ONCE };

	assert_int_equal(store_open(&config, &s->store), 0);
}

static inline void scratch_init(struct scratch *s, int64_t limit, bool compress)
{
	*s = (struct scratch){ .path = "/tmp/test-store.XXXXXX" };
	assert_non_null(mkdtemp(s->path));
	s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(s->dir >= 0);
	space_init(&s->space, limit, NULL, NULL);
	scratch_open_store(s, compress);
}

/* As if the daemon was started again. */
static inline void scratch_reopen(struct scratch *s, bool compress)
{
	store_close(s->store);
	int64_t limit = s->space.limit;

	space_fini(&s->space);
	space_init(&s->space, limit, NULL, NULL);
	scratch_open_store(s, compress);
}

static inline void scratch_fini(struct scratch *s)
{
	store_close(s->store);
	space_fini(&s->space);
	close(s->dir);
	nftw(s->path, scratch_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static int64_t scratch_sum;

static inline int scratch_add(const char *path, const struct stat *st, int type,
			      struct FTW *ftw)
{
	(void)path;
	(void)type;
	if (ftw->level > 0)
		scratch_sum += (int64_t)st->st_blocks * 512;
	return 0;
}

/* As du counts, without the directory itself. */
static inline int64_t scratch_du(const struct scratch *s)
{
	scratch_sum = 0;
	nftw(s->path, scratch_add, 16, FTW_PHYS);
	return scratch_sum;
}

static inline uint64_t scratch_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static inline void fill_noise(char *to, size_t len, uint64_t seed)
{
	seed = seed * 2654435761u + 88172645463325252u;
	for (size_t i = 0; i < len; i++)
		to[i] = scratch_random(&seed) >> 32;
}

/* Words between tags: compresses to about a fifth. */
static inline void fill_text(char *to, size_t len, uint64_t seed)
{
	static const char *const words[] = {
		"the ", "cache ", "<div class=\"row\">", "</div>\n", "<a href=\"/item/",
		"\">", "</a> ", "image ", "price: ", "description ", "of ", "and ",
		"<span>", "</span>", "review ", "origin ", "title=\"", "\" ", "river ",
		"mountain ", "<p>", "</p>\n", "number ", "seven ", "quick ", "brown ",
	};
	size_t at = 0;

	seed = seed * 2654435761u + 88172645463325252u;
	while (at < len) {
		uint64_t r = scratch_random(&seed);
		char number[24];
		const char *word = words[(r >> 8) % (sizeof(words) / sizeof(*words))];
		size_t n;

		if (r % 4 == 0) {
			snprintf(number, sizeof(number), "%" PRIx64 " ", (r >> 16) % 100000);
			word = number;
		}
		n = strlen(word);
		if (n > len - at)
			n = len - at;
		memcpy(to + at, word, n);
		at += n;
	}
}

static inline char *make_body(size_t len, bool text, uint64_t seed)
{
	char *data = malloc(len + 1);

	assert_non_null(data);
	if (text)
		fill_text(data, len, seed);
	else
		fill_noise(data, len, seed);
	return data;
}

/* The body in a file partial/NAME, open to read and write. */
static inline int make_partial(struct scratch *s, const char *name, const char *data,
			       size_t len)
{
	char path[128];
	int fd;

	mkdirat(s->dir, "partial", 0700);
	snprintf(path, sizeof(path), "partial/%s", name);
	fd = openat(s->dir, path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, 0), (ssize_t)len);
	return fd;
}

/* Whether the store gives these bytes, whole and in pieces. */
static inline void assert_stored(struct store *st, const struct blob *b, const char *data,
				 size_t len)
{
	char *back = malloc(len + 1);

	assert_non_null(back);
	assert_int_equal(b->length, len);
	assert_int_equal(store_read(st, b, 0, len, back), 0);
	assert_memory_equal(back, data, len);
	for (size_t off = 0; off < len; off += len / 7 + 1) {
		size_t part = len - off < 5000 ? len - off : 5000;

		memset(back, 0xee, part);
		assert_int_equal(store_read(st, b, off, part, back), 0);
		assert_memory_equal(back, data + off, part);
	}
	free(back);
}

/* As bodies come: small ones, and in files. */
static inline void scratch_put(struct scratch *s, size_t len, bool text, uint64_t seed,
			       struct blob *ret)
{
	char *data = make_body(len, text, seed);

	assert_int_equal(store_put(s->store, data, len, NULL, text ? "text/html" : NULL, ret), 0);
	free(data);
}

static inline void scratch_put_file(struct scratch *s, size_t len, bool text, uint64_t ino,
				    struct blob *ret)
{
	char *data = make_body(len, text, ino);
	int fd = make_partial(s, "1", data, len);

	assert_int_equal(store_put_file(s->store, fd, NULL, 0, len, ino, NULL, ret), 0);
	close(fd);
	free(data);
	assert_int_equal(unlinkat(s->dir, "partial/1", 0), 0);
}

static inline void scratch_check(struct scratch *s, const struct blob *b, size_t len, bool text,
				 uint64_t seed)
{
	char *data = make_body(len, text, seed);

	assert_stored(s->store, b, data, len);
	assert_int_equal(store_check(s->store, b), 0);
	free(data);
}

/* A body at rest, and what its bytes are. */
struct victim {
	struct blob blob;
	size_t len;
	bool text;
	char *data;
};

/* A read somewhere: right, or an error that says what is wrong. */
static inline bool victim_is_honest(struct store *st, const struct victim *v, uint64_t *seed,
				    char *back)
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

#endif
