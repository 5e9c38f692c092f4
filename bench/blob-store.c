/* blob-store.c - what the body store costs: putting small bodies, reading large
 * ones in order and at random, for several sizes of chunk. In time of the CPU, as
 * machines are seldom idle; with DIR on a tmpfs that is all there is.
 *
 *   gcc -std=gnu11 -D_GNU_SOURCE -O2 -o /tmp/blob-store bench/blob-store.c \
 *       index/{store,space,disk,chunk_cache,segment,segment_table,sweep}.c \
 *       index/blob_{codec,sums,tail,reader,file}.c base/{log,clock}.c \
 *       -lzstd -lxxhash -lpthread
 *   /tmp/blob-store [DIR [MiB [level [FILE]]]]    /dev/shm; 256; 3; text made here
 *
 * FILE: text to be read over and over instead, at least 1 MiB.
 *
 * Uses the parts of the store, for the size of a chunk is no option of it. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../index/blob_file.h"
#include "../index/blob_reader.h"
#include "../index/store.h"

#define PUTS 20000
#define PUT_LEN 15000
#define RANDOM_READS 2000
#define RANDOM_LEN 65536
#define SEQUENTIAL_LEN (128 * 1024)

static char path[256];
static int level = 3;
static const char *text_file;

static void die(const char *what, int err)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-err));
	exit(1);
}

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static uint64_t next_random(void)
{
	static uint64_t seed = 88172645463325252u;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* A page of a catalogue: the same tags around names, prices and sentences. */
static void fill_text(char *to, size_t len)
{
	static const char *const words[] = {
		"garden", "chair", "wooden", "the", "of", "and", "with", "for", "light",
		"steel", "small", "classic", "table", "outdoor", "a", "set", "two", "new",
		"kitchen", "lamp", "is", "easy", "to", "clean", "made", "from", "oak",
	};
	const size_t n_words = sizeof(words) / sizeof(*words);
	char item[1024];
	size_t at = 0;

	while (at < len) {
		uint64_t r = next_random();
		size_t n = snprintf(item, sizeof(item),
			"  <li class=\"product-tile\"><a href=\"/catalogue/item-%u.html\">\n"
			"    <img src=\"/media/cache/%02x/%08x.jpg\" alt=\"%s %s\"></a>\n"
			"    <span class=\"price\">%u.%02u</span>\n    <p>",
			(unsigned)(r % 100000), (unsigned)(r >> 17 & 0xff), (unsigned)(r >> 25),
			words[r % n_words], words[(r >> 7) % n_words], (unsigned)(r >> 40) % 900,
			(unsigned)(r >> 50) % 100);

		for (unsigned i = 12 + r % 20; i > 0; i--)
			n += snprintf(item + n, sizeof(item) - n, "%s ",
				      words[next_random() % n_words]);
		n += snprintf(item + n, sizeof(item) - n, "</p>\n  </li>\n");
		if (n > len - at)
			n = len - at;
		memcpy(to + at, item, n);
		at += n;
	}
}

/* The next bytes of the file, or made up. */
static void next_text(char *to, size_t len)
{
	static FILE *f;

	if (!text_file) {
		fill_text(to, len);
		return;
	}
	if (!f && !(f = fopen(text_file, "r")))
		die(text_file, -errno);
	if (fread(to, 1, len, f) < len) {
		rewind(f);
		if (fread(to, 1, len, f) < len)
			die(text_file, -EINVAL);
	}
}

static int unlink_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static void bench_puts(int dir)
{
	struct store_config config = { .dir = dir, .compress = true, .level = level,
				       .pace = STORE_AT_ONCE };
	char *body = malloc(PUT_LEN * 64);
	uint64_t stored = 0;
	struct space space;
	struct store *st;
	int64_t start;
	int r;

	space_init(&space, INT64_MAX / 2, NULL, NULL);
	config.space = &space;
	r = store_open(&config, &st);
	if (r < 0)
		die("store_open", r);
	next_text(body, PUT_LEN * 64);
	start = cpu_ns();
	for (int i = 0; i < PUTS; i++) {
		struct blob b;

		r = store_put(st, body + i % 64 * PUT_LEN, PUT_LEN, NULL, "text/html", &b);
		if (r < 0)
			die("store_put", r);
		stored += b.stored;
	}
	printf("put of %d bytes: %.1f us, stored as %.1f %%\n\n", PUT_LEN,
	       (cpu_ns() - start) / 1e3 / PUTS, stored * 100.0 / PUTS / PUT_LEN);
	store_close(st);
	space_fini(&space);
	free(body);
}

static double read_in_order(struct blob_readers *rs, struct blob_reader *rd, int64_t len)
{
	int64_t start = cpu_ns();
	char *buf = malloc(SEQUENTIAL_LEN);

	for (int64_t off = 0; off < len; off += SEQUENTIAL_LEN) {
		int r = blob_reader_read(rs, rd, off, SEQUENTIAL_LEN, buf);

		if (r < 0)
			die("read", r);
	}
	free(buf);
	return len * 1e3 / (cpu_ns() - start);
}

static double read_at_random(struct blob_readers *rs, struct blob_reader *rd, int64_t len)
{
	int64_t start = cpu_ns();
	char *buf = malloc(RANDOM_LEN);

	for (int i = 0; i < RANDOM_READS; i++) {
		int64_t off = next_random() % (len / RANDOM_LEN) * RANDOM_LEN;
		int r = blob_reader_read(rs, rd, off, RANDOM_LEN, buf);

		if (r < 0)
			die("read", r);
	}
	free(buf);
	return (cpu_ns() - start) / 1e3 / RANDOM_READS;
}

static void bench_chunk(int dir, int source, int64_t len, uint32_t chunk)
{
	struct chunk_cache *chunks = chunk_cache_new(16 << 20);
	struct dictionaries *dictionaries;
	struct codec_pool *codecs;
	struct blob_readers *rs;
	struct blob_reader *rd;
	struct blob_files files;
	struct space space;
	int64_t start;
	double put_mb_s, in_order;
	struct blob b;
	int r;

	space_init(&space, INT64_MAX / 2, NULL, NULL);
	dictionaries_new(level, NULL, NULL, &dictionaries);
	codec_pool_new(true, level, dictionaries, &codecs);
	blob_files_init(&files, dir, dir, &space, codecs);
	blob_readers_new(dir, codecs, chunks, &rs);
	files.chunk = chunk;
	start = cpu_ns();
	r = blob_file_put(&files, source, NULL, 0, len, chunk, "text/html", &b);
	if (r < 0)
		die("blob_file_put", r);
	put_mb_s = len * 1e3 / (cpu_ns() - start);
	r = blob_reader_get(rs, &b, &rd);
	if (r < 0)
		die("blob_reader_get", r);
	in_order = read_in_order(rs, rd, len);
	printf("%7u  %8.1f  %8.0f  %12.0f  %14.0f\n", chunk / 1024,
	       b.stored * 100.0 / b.length, put_mb_s, in_order, read_at_random(rs, rd, len));
	blob_reader_put(rs, rd);
	blob_file_delete(&files, &b);
	blob_readers_free(rs);
	blob_files_fini(&files);
	codec_pool_free(codecs);
	dictionaries_free(dictionaries);
	chunk_cache_free(chunks);
	space_fini(&space);
}

int main(int argc, char **argv)
{
	static const uint32_t sizes[] = { 64 << 10, 128 << 10, 256 << 10, 1 << 20 };
	int64_t len = (int64_t)(argc > 2 ? atoi(argv[2]) : 256) << 20;
	char *part = malloc(1 << 20);
	int dir, source;

	level = argc > 3 ? atoi(argv[3]) : 3;
	text_file = argc > 4 ? argv[4] : NULL;
	snprintf(path, sizeof(path), "%s/bench-blob-store.XXXXXX", argc > 1 ? argv[1] : "/dev/shm");
	if (!mkdtemp(path))
		die(path, -errno);
	dir = open(path, O_RDONLY | O_DIRECTORY);
	source = openat(dir, "source", O_RDWR | O_CREAT, 0600);
	for (int64_t off = 0; off < len; off += 1 << 20) {
		next_text(part, 1 << 20);
		if (pwrite(source, part, 1 << 20, off) != 1 << 20)
			die("write", -errno);
	}
	printf("level %d\n", level);
	bench_puts(dir);
	printf("  chunk    stored       put   read 128 KiB   random 64 KiB\n"
	       "    KiB         %%      MB/s           MB/s              us\n");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		bench_chunk(dir, source, len, sizes[i]);
	close(source);
	close(dir);
	nftw(path, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	free(part);
	return 0;
}
