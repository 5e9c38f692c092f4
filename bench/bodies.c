/* bodies.c - where small bodies could rest: as rows of SQLite, as a file each, and packed into
 * segments as index/segment.h does it, plain and compressed.
 *
 *   cc -std=gnu11 -D_GNU_SOURCE -O2 -o /tmp/bodies bench/bodies.c \
 *       BUILD/index/libindex.a BUILD/base/libbase.a -lsqlite3 -lzstd -lxxhash -lpthread
 *   /tmp/bodies [DIR [ROUNDS]]                    /var/tmp; 3
 *
 * 5,000 bodies of 1-30 kB of text are put, and each is read once, in another order, from the
 * page cache. Nothing is synced by each body: a cache may lose what is new. SQLite gets 64
 * bodies a transaction, a file its final name when it is whole. Disk: blocks, once all is
 * written, directories and the index of the places in the segments (a row each) included. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../index/store.h"

enum { BODIES = 5000, BATCH = 64, LEN_MAX = 30000, ROUNDS_MAX = 32 };

static char *bodies[BODIES];
static size_t lengths[BODIES];
static int order[BODIES];
static int64_t logical;
static char got[LEN_MAX];

struct way {
	const char *name;
	void (*open)(int dir);
	void (*put)(int i);
	void (*commit)(void);
	void (*get)(int i);
	void (*close)(void);
	double put_s[ROUNDS_MAX], get_s[ROUNDS_MAX], put_cpu_s[ROUNDS_MAX], disk[ROUNDS_MAX];
};

static void die(const char *what, int err)
{
	fprintf(stderr, "%s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* --- bodies --- */

static uint64_t next_random(void)
{
	static uint64_t seed = 88172645463325252u;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Like the answer of an API: the same names around words and numbers. */
static void fill_text(char *to, size_t len)
{
	static const char *const words[] = {
		"garden", "chair", "wooden", "the", "of", "and", "with", "for", "light", "steel",
		"small", "classic", "table", "outdoor", "a", "set", "two", "new", "kitchen", "lamp",
	};
	const size_t n_words = sizeof words / sizeof *words;
	char item[512];
	size_t at = 0;

	while (at < len) {
		uint64_t r = next_random();
		size_t n = (size_t)snprintf(item, sizeof item,
			"{\"id\": %u, \"hash\": \"%016" PRIx64 "\", \"price\": %u, \"title\": \"",
			(unsigned)(r % 1000000), next_random(), (unsigned)(r >> 40) % 90000);

		for (unsigned i = 6 + r % 10; i > 0; i--)
			n += (size_t)snprintf(item + n, sizeof item - n, "%s ",
					      words[next_random() % n_words]);
		n += (size_t)snprintf(item + n, sizeof item - n, "\"},\n");
		if (n > len - at)
			n = len - at;
		memcpy(to + at, item, n);
		at += n;
	}
}

static void make_bodies(void)
{
	for (int i = 0; i < BODIES; i++) {
		lengths[i] = 1000 + next_random() % (LEN_MAX - 1000);
		bodies[i] = malloc(lengths[i]);
		fill_text(bodies[i], lengths[i]);
		logical += (int64_t)lengths[i];
		order[i] = i;
	}
	for (int i = BODIES - 1; i > 0; i--) {
		int other = (int)(next_random() % (unsigned)(i + 1)), was = order[i];

		order[i] = order[other];
		order[other] = was;
	}
}

/* --- rows: of bodies, or of the places of bodies --- */

static sqlite3 *db;
static sqlite3_stmt *insert, *query;

static void sql(const char *text)
{
	char *message = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK)
		die(message, EIO);
}

static void open_db(const char *schema)
{
	sqlite3_open("index.db", &db);
	sql("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
	sql(schema);
	sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?, ?)", -1, &insert, NULL);
	sqlite3_prepare_v2(db, "SELECT value FROM t WHERE id = ?", -1, &query, NULL);
	sql("BEGIN");
}

static void put_row(int i, const void *data, size_t len)
{
	sqlite3_bind_int(insert, 1, i);
	sqlite3_bind_blob(insert, 2, data, (int)len, SQLITE_STATIC);
	if (sqlite3_step(insert) != SQLITE_DONE)
		die(sqlite3_errmsg(db), EIO);
	sqlite3_reset(insert);
}

static void get_row(int i, void *data, size_t len)
{
	sqlite3_bind_int(query, 1, i);
	if (sqlite3_step(query) != SQLITE_ROW || sqlite3_column_bytes(query, 0) != (int)len)
		die("row", EIO);
	memcpy(data, sqlite3_column_blob(query, 0), len);
	sqlite3_reset(query);
}

static void commit_rows(void)
{
	sql("COMMIT; BEGIN");
}

static void close_db(void)
{
	sql("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
	sqlite3_finalize(insert);
	sqlite3_finalize(query);
	sqlite3_close(db);
}

/* --- SQLite --- */

static void sqlite_open(int dir)
{
	(void)dir;
	open_db("CREATE TABLE t (id INTEGER PRIMARY KEY, value BLOB)");
}

static void sqlite_put(int i)
{
	put_row(i, bodies[i], lengths[i]);
}

static void sqlite_get(int i)
{
	get_row(i, got, lengths[i]);
}

/* --- a file each --- */

static int files_dir;

static void files_open(int dir)
{
	char name[8];

	files_dir = dir;
	for (unsigned i = 0; i < 256; i++) {
		snprintf(name, sizeof name, "%02x", i);
		if (mkdirat(dir, name, 0700) < 0)
			die("mkdir", errno);
	}
}

static void file_name(int i, char name[32])
{
	snprintf(name, 32, "%02x/%d", (unsigned)i % 256, i);
}

static void files_put(int i)
{
	char name[32], aside[40];
	int fd;

	file_name(i, name);
	snprintf(aside, sizeof aside, "%s.tmp", name);
	fd = openat(files_dir, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bodies[i], lengths[i]) != (ssize_t)lengths[i])
		die("write", errno);
	close(fd);
	if (renameat(files_dir, aside, files_dir, name) < 0)
		die("rename", errno);
}

static void files_get(int i)
{
	char name[32];
	int fd;

	file_name(i, name);
	fd = openat(files_dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, got, lengths[i]) != (ssize_t)lengths[i])
		die("read", errno);
	close(fd);
}

static void nothing(void)
{
}

/* --- segments --- */

static struct space space;
static struct store *store;

static void open_store(int dir, bool compress)
{
	struct store_config config = { .dir = dir, .space = &space, .compress = compress,
				       .level = 3, .pace = STORE_AT_ONCE };
	int r;

	space_init(&space, INT64_MAX / 2, NULL, NULL);
	r = store_open(&config, &store);
	if (r < 0)
		die("store_open", r);
	open_db("CREATE TABLE t (id INTEGER PRIMARY KEY, value BLOB)");
}

static void plain_open(int dir)
{
	open_store(dir, false);
}

static void packed_open(int dir)
{
	open_store(dir, true);
}

static void store_put_one(int i)
{
	struct blob b;
	int r = store_put(store, bodies[i], lengths[i], "http://a/", "application/json", &b);

	if (r < 0)
		die("store_put", r);
	put_row(i, &b, sizeof b);
	if (store_may_train(store))
		store_train(store);
}

static void store_get_one(int i)
{
	struct blob b;
	int r;

	get_row(i, &b, sizeof b);
	r = store_read(store, &b, 0, lengths[i], got);
	if (r < 0)
		die("store_read", r);
}

static void store_end(void)
{
	store_close(store);
	space_fini(&space);
	close_db();
}

/* --- one round --- */

static int64_t blocks;

static int count_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)name;
	(void)type;
	(void)ftw;
	blocks += (int64_t)st->st_blocks * 512;
	return 0;
}

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static void run(struct way *w, const char *parent, int round)
{
	double start, cpu;
	char path[256];
	int dir;

	snprintf(path, sizeof path, "%s/bench-bodies.XXXXXX", parent);
	if (!mkdtemp(path) || chdir(path) < 0)
		die(path, errno);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->open(dir);
	start = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < BODIES; i++) {
		w->put(i);
		if (i % BATCH == BATCH - 1)
			w->commit();
	}
	w->commit();
	w->put_s[round] = seconds(CLOCK_MONOTONIC) - start;
	w->put_cpu_s[round] = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	start = seconds(CLOCK_MONOTONIC);
	for (int i = 0; i < BODIES; i++) {
		w->get(order[i]);
		if (memcmp(got, bodies[order[i]], lengths[order[i]]) != 0)
			die("other bytes", EIO);
	}
	w->get_s[round] = seconds(CLOCK_MONOTONIC) - start;
	w->close();
	syncfs(dir);
	close(dir);
	blocks = 0;
	nftw(path, count_one, 16, FTW_PHYS);
	w->disk[round] = (double)blocks / (double)logical;
	if (chdir("/") < 0 || nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0)
		die(path, errno);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof *values, by_value);
	return values[n / 2];
}

int main(int argc, char **argv)
{
	struct way ways[] = {
		{ .name = "rows of SQLite", .open = sqlite_open, .put = sqlite_put,
		  .commit = commit_rows, .get = sqlite_get, .close = close_db },
		{ .name = "a file each", .open = files_open, .put = files_put,
		  .commit = nothing, .get = files_get, .close = nothing },
		{ .name = "segments, plain", .open = plain_open, .put = store_put_one,
		  .commit = commit_rows, .get = store_get_one, .close = store_end },
		{ .name = "segments, packed", .open = packed_open, .put = store_put_one,
		  .commit = commit_rows, .get = store_get_one, .close = store_end },
	};
	const size_t n = sizeof ways / sizeof *ways;
	int rounds = argc > 2 ? atoi(argv[2]) : 3;

	if (rounds < 1 || rounds > ROUNDS_MAX)
		die("rounds", EINVAL);
	make_bodies();
	for (int round = 0; round < rounds; round++)
		for (size_t i = 0; i < n; i++)
			run(&ways[i], argc > 1 ? argv[1] : "/var/tmp", round);
	printf("%-16s %8s %10s %8s %15s\n", "", "puts/s", "CPU us/put", "gets/s", "disk / logical");
	for (size_t i = 0; i < n; i++)
		printf("%-16s %8.0f %10.0f %8.0f %15.3f\n", ways[i].name,
		       BODIES / median(ways[i].put_s, rounds),
		       median(ways[i].put_cpu_s, rounds) / BODIES * 1e6,
		       BODIES / median(ways[i].get_s, rounds), median(ways[i].disk, rounds));
	return 0;
}
