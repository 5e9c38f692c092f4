/* fill-index.c - makes a cache directory of many small objects, without fetching them.
 *
 *   fill-index DIR BASE_URL OBJECTS
 *
 * Keys are BASE_URL + "dNN/NNNNNNN.txt", a hundred directories; each body says its number
 * and is fresh for a year. Linked with the index library: see bench/million. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../index/db.h"
#include "../index/space.h"
#include "../index/store.h"

enum { BATCH = 4096 };

static void check(const char *what, int err)
{
	if (!err)
		return;
	fprintf(stderr, "fill-index: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void put(struct db *db, struct store *store, uint64_t ino, const char *base, uint64_t i)
{
	const int64_t year_ms = INT64_C(365) * 86400 * 1000, now = clock_wall_ms();
	struct record r = { .ino = ino, .current = true, .meta = meta_new() };
	char body[200], etag[40], headers[256];
	int len = snprintf(body, sizeof body, "object %07" PRIu64 "\n%*s\n", i,
			   (int)(i % 150), "");

	if (asprintf(&r.key, "%sd%02" PRIu64 "/%07" PRIu64 ".txt", base, i % 100, i) < 0)
		check("key", -ENOMEM);
	snprintf(etag, sizeof etag, "\"%016" PRIx64 "\"", i * UINT64_C(0x9e3779b97f4a7c15));
	snprintf(headers, sizeof headers, "Content-Type: text/plain\nETag: %s\n"
		 "Cache-Control: public, max-age=31536000\nServer: nginx\n"
		 "Accept-Ranges: bytes\n", etag);
	r.meta->status = 200;
	r.meta->flags = META_STORE | META_RANGES;
	r.meta->length = len;
	r.meta->mtime_s = now / 1000;
	r.meta->request_ms = r.meta->response_ms = now;
	r.meta->fresh_until_ms = r.meta->swr_until_ms = r.meta->sie_until_ms = now + year_ms;
	r.meta->usable_until_ms = INT64_MAX;
	r.meta->etag = strdup(etag);
	r.meta->content_type = strdup("text/plain");
	free(r.meta->headers);
	r.meta->headers = strdup(headers);
	check("body", store_put(store, body, (size_t)len, r.key, "text/plain", &r.blob));
	check("row", db_put(db, &r));
	record_fini(&r);
}

int main(int argc, char **argv)
{
	uint64_t objects = argc == 4 ? strtoull(argv[3], NULL, 10) : 0, first;
	struct store_config config = { .compress = true, .level = 1, .pace = STORE_AT_ONCE };
	struct space space;
	struct store *store;
	struct db *db;

	if (!objects) {
		fputs("usage: fill-index DIR BASE_URL OBJECTS\n", stderr);
		return 2;
	}
	if (mkdir(argv[1], 0700) < 0 && errno != EEXIST)
		check(argv[1], -errno);
	space_init(&space, INT64_MAX / 4, NULL, NULL);
	config.space = &space;
	config.dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check("index", db_open(argv[1], &db));
	check("store", store_open(&config, &store));
	check("numbers", db_take_inos(db, (uint32_t)objects, &first));
	for (uint64_t i = 0; i < objects; i++) {
		if (i % BATCH == 0)
			check("begin", db_begin(db));
		put(db, store, first + i, argv[2], i);
		if (i % BATCH == BATCH - 1 || i == objects - 1)
			check("commit", db_commit(db));
	}
	check("checkpoint", db_checkpoint(db));
	store_close(store);
	db_close(db);
	space_fini(&space);
	return 0;
}
