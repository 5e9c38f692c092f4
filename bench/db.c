/* db.c - what the table of versions costs: putting rows in batches, looking them
 * up, walking them as eviction does, opening it, and bytes on disk.
 *
 *   gcc -std=gnu11 -D_GNU_SOURCE -O2 -o /tmp/bench-db bench/db.c index/db*.c \
 *       index/meta.c base/{log,clock,buf}.c -lsqlite3 -lpthread
 *   /tmp/bench-db [DIR [ROWS]]		/tmp; 1000000
 *
 * Keys come in random order, as requests do; a row has the headers that a CDN
 * sends with an image, 270 to 330 bytes. Fixed seed. Takes 700 MB of DIR for a million rows. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../index/db.h"
#include "../index/db_private.h"

#define BATCH 256
#define LOOKUPS 200000
#define OPENS 20

static uint64_t seed = 88172645463325252;

static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void check(const char *what, int err)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-err));
	exit(1);
}

/* One to one with its number, in no order. */
static void make_key(char *key, size_t len, uint64_t i)
{
	snprintf(key, len, "https://image.example.org/t/p/w500/%02" PRIx64 "/%016" PRIx64 ".jpg",
		 i % 64, i * UINT64_C(0x9e3779b97f4a7c15));
}

static struct record make_record(uint64_t ino)
{
	struct record r = { .ino = ino, .current = true, .meta = meta_new() };
	char key[128], headers[512], etag[40];
	int64_t now = INT64_C(1790000000000) + (int64_t)ino;

	make_key(key, sizeof(key), ino);
	snprintf(etag, sizeof(etag), "\"%016" PRIx64 "\"", draw());
	snprintf(headers, sizeof(headers),
		 "Date: Tue, 22 Sep 2026 10:00:00 GMT\nContent-Type: image/jpeg\n"
		 "Content-Length: 18342\nLast-Modified: Mon, 21 Sep 2026 08:12:45 GMT\n"
		 "ETag: %s\nCache-Control: public, max-age=604800\nAccept-Ranges: bytes\n"
		 "Server: nginx\nX-Cache: HIT\nVia: 1.1 varnish\n%.*s", etag, (int)(draw() % 60),
		 "Vary: Accept-Encoding\nAge: 86400\nX-Served-By: cache-fra-1234\n");
	r.key = strdup(key);
	r.meta->status = 200;
	r.meta->flags = META_STORE | META_RANGES;
	r.meta->length = 18342;
	r.meta->mtime_s = now / 1000;
	r.meta->request_ms = now;
	r.meta->response_ms = now + 50;
	r.meta->fresh_until_ms = now + 604800000;
	r.meta->swr_until_ms = now + 604800000;
	r.meta->sie_until_ms = now + 604800000;
	r.meta->usable_until_ms = INT64_MAX;
	r.meta->etag = strdup(etag);
	r.meta->last_modified = strdup("Mon, 21 Sep 2026 08:12:45 GMT");
	r.meta->content_type = strdup("image/jpeg");
	free(r.meta->headers);
	r.meta->headers = strdup(headers);
	free(r.meta->reason);
	r.meta->reason = strdup("max-age=604800");
	r.blob = (struct blob){
		.kind = BLOB_SEGMENT, .id = ino / 3000, .offset = ino % 3000 * 18342,
		.stored = 18342, .length = 18342, .sum = draw(),
	};
	return r;
}

static double cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double since(int64_t start_ns)
{
	return (double)(clock_mono_ns() - start_ns) / 1e9;
}

/* Making the rows is not what is measured. */
static void put(struct db *db, uint64_t rows)
{
	struct record batch[BATCH];
	double wall = 0, busy = 0;

	for (uint64_t at = 0; at < rows; at += BATCH) {
		uint64_t n = rows - at < BATCH ? rows - at : BATCH;
		int64_t start;
		double before;

		for (uint64_t i = 0; i < n; i++)
			batch[i] = make_record(2 + at + i);
		before = cpu();
		start = clock_mono_ns();
		check("begin", db_begin(db));
		for (uint64_t i = 0; i < n; i++)
			check("put", db_put(db, &batch[i]));
		check("commit", db_commit(db));
		wall += since(start);
		busy += cpu() - before;
		for (uint64_t i = 0; i < n; i++)
			record_fini(&batch[i]);
	}
	printf("put in batches of %d: %.0f rows/s, %.1f us of CPU a row\n", BATCH,
	       (double)rows / wall, busy / (double)rows * 1e6);
}

/* Both times: the machine may have other things to do. */
static void report(const char *what, int64_t start_ns, double start_cpu)
{
	printf("%s: %.1f us, %.1f of CPU\n", what, since(start_ns) / LOOKUPS * 1e6,
	       (cpu() - start_cpu) / LOOKUPS * 1e6);
}

static void look_up(struct db *db, uint64_t rows)
{
	struct record r;
	char key[128];
	int64_t start = clock_mono_ns();
	double before = cpu();

	for (int i = 0; i < LOOKUPS; i++) {
		make_key(key, sizeof(key), 2 + draw() % rows);
		check(key, db_find_key(db, key, &r));
		record_fini(&r);
	}
	report("look up by key", start, before);
	start = clock_mono_ns();
	before = cpu();
	for (int i = 0; i < LOOKUPS; i++) {
		check("ino", db_find_ino(db, 2 + draw() % rows, &r));
		record_fini(&r);
	}
	report("look up by inode number", start, before);
	start = clock_mono_ns();
	before = cpu();
	for (int i = 0; i < LOOKUPS; i++)
		if (db_find_key(db, "https://image.example.org/none.jpg", &r) != -ENOENT)
			exit(1);
	report("look up a key that is not there", start, before);
}

static bool count_row(void *arg, const struct record *r)
{
	(void)r;
	++*(uint64_t *)arg;
	return true;
}

static bool count_name(void *arg, const struct db_name *name)
{
	(void)name;
	++*(uint64_t *)arg;
	return true;
}

static void count_segment(void *arg, uint64_t segment, uint64_t bytes)
{
	(void)segment;
	(void)bytes;
	++*(uint64_t *)arg;
}

static void walk(struct db *db)
{
	struct db_view *view;
	int64_t start = clock_mono_ns();
	uint64_t n = 0;

	check("each", db_each_from(db, 0, count_row, &n));
	printf("walk all rows: %.2f us a row\n", since(start) / (double)n * 1e6);
	n = 0;
	start = clock_mono_ns();
	check("view", db_view_open(db, &view));
	check("segments", db_segments(view, count_segment, &n));
	db_view_close(db, view);
	printf("bytes of %" PRIu64 " segments: %.0f ms\n", n, since(start) * 1e3);
	n = 0;
	start = clock_mono_ns();
	check("list", db_list(db, "https://image.example.org/t/p/w500/", "", count_name, &n));
	printf("list %" PRIu64 " directories: %.2f ms\n", n, since(start) * 1e3);
	n = 0;
	start = clock_mono_ns();
	check("list", db_list(db, "https://image.example.org/t/p/w500/07/", "", count_name, &n));
	printf("list %" PRIu64 " files: %.2f ms\n", n, since(start) * 1e3);
}

static void reopen(const char *dir)
{
	double worst = 0, sum = 0;

	for (int i = 0; i < OPENS; i++) {
		int64_t start = clock_mono_ns();
		struct db *db;
		double ms;

		check("open", db_open(dir, &db));
		ms = since(start) * 1e3;
		db_close(db);
		worst = ms > worst ? ms : worst;
		sum += ms;
	}
	printf("open: %.2f ms, at most %.2f ms\n", sum / OPENS, worst);
}

static void sizes(struct db *db, uint64_t rows)
{
	static const char sql[] = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name"
				  " ORDER BY 2 DESC";
	sqlite3_stmt *s;

	check("checkpoint", db_checkpoint(db));
	printf("bytes a row: %.1f\n", (double)db_disk_bytes(db) / (double)rows);
	if (sqlite3_prepare_v2(db->writer->sqlite, sql, -1, &s, NULL))
		return;		/* SQLite was built without dbstat */
	while (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int64(s, 1) > (int64_t)rows)
		printf("  %s: %.1f\n", (const char *)sqlite3_column_text(s, 0),
		       sqlite3_column_double(s, 1) / (double)rows);
	sqlite3_finalize(s);
}

int main(int argc, char **argv)
{
	uint64_t rows = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	char dir[4000], command[4100];
	struct db *db;

	snprintf(dir, sizeof(dir), "%s/bench-db-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	if (!rows || !mkdtemp(dir)) {
		perror(dir);
		return 1;
	}
	check("open", db_open(dir, &db));
	put(db, rows);
	sizes(db, rows);
	look_up(db, rows);
	walk(db);
	db_close(db);
	reopen(dir);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command) != 0;
}
