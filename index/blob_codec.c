/* blob_codec.c - see blob_codec.h. */
#include "blob_codec.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>
#include <zstd.h>

#include "../base/cleanup.h"
#include "dictionary.h"

#define IDLE_MAX 8		/* contexts that are kept */
#define ROOM_KEPT (1 << 20)	/* bytes of a buffer that are kept with one */
#define TINY 128		/* bytes; not worth a header */
#define TYPES 256
#define SURE 3			/* outcomes in a row that settle a type */
#define SCORE_MAX 6
#define DOUBT 16		/* of so many bodies of a settled type one is looked at */

/* What came of the bodies of a content type. Types that share a place only make
 * guesses worse. */
struct outcome {
	_Atomic int score;		/* positive: compresses */
	_Atomic unsigned seen;
};

struct codec_pool {
	bool compress;			/* constant */
	int level;			/* constant */
	struct dictionaries *dictionaries;	/* borrowed */
	struct outcome outcomes[TYPES];
	pthread_mutex_t lock;
	struct list idle;		/* guarded by lock */
	int n_idle;			/* guarded by lock */
};

int codec_pool_new(bool compress, int level, struct dictionaries *ds, struct codec_pool **ret)
{
	struct codec_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->compress = compress;
	pool->level = level;
	pool->dictionaries = ds;
	pthread_mutex_init(&pool->lock, NULL);
	list_init(&pool->idle);
	*ret = pool;
	return 0;
}

static void free_codec(struct codec *c)
{
	ZSTD_freeCCtx(c->cctx);
	ZSTD_freeDCtx(c->dctx);
	free(c->raw);
	free(c->packed);
	free(c);
}

void codec_pool_free(struct codec_pool *pool)
{
	struct list *l;

	if (!pool)
		return;
	while ((l = list_pop(&pool->idle)))
		free_codec(list_entry(l, struct codec, link));
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

struct codec *codec_take(struct codec_pool *pool)
{
	struct list *l = NULL;
	struct codec *c;

	WITH_LOCK(&pool->lock) {
		l = list_pop(&pool->idle);
		pool->n_idle -= l != NULL;
	}
	if (l)
		return list_entry(l, struct codec, link);
	c = calloc(1, sizeof(*c));
	if (c)
		list_init(&c->link);
	return c;
}

void codec_give(struct codec_pool *pool, struct codec *c)
{
	bool kept = false;

	if (!c)
		return;
	if (c->raw_cap <= ROOM_KEPT && c->packed_cap <= ROOM_KEPT) {
		WITH_LOCK(&pool->lock) {
			kept = pool->n_idle < IDLE_MAX;
			if (kept) {
				list_prepend(&pool->idle, &c->link);
				pool->n_idle++;
			}
		}
	}
	if (!kept)
		free_codec(c);
}

static int make_room(char **buf, size_t *cap, size_t len)
{
	if (len <= *cap)
		return 0;
	free(*buf);
	*buf = malloc(len);
	*cap = *buf ? len : 0;
	return *buf ? 0 : -ENOMEM;
}

int codec_raw_room(struct codec *c, size_t len)
{
	return make_room(&c->raw, &c->raw_cap, len);
}

int codec_packed_room(struct codec *c, size_t len)
{
	return make_room(&c->packed, &c->packed_cap, len);
}

size_t codec_bound(size_t len)
{
	return ZSTD_compressBound(len);
}

static int need_cctx(struct codec *c)
{
	if (!c->cctx)
		c->cctx = ZSTD_createCCtx();
	return c->cctx ? 0 : -ENOMEM;
}

static int need_dctx(struct codec *c)
{
	if (!c->dctx)
		c->dctx = ZSTD_createDCtx();
	return c->dctx ? 0 : -ENOMEM;
}

static int pack_at(struct codec *c, int level, const void *src, size_t len, void *dst,
		   size_t cap, size_t *ret_len)
{
	size_t n;

	if (need_cctx(c) < 0)
		return -ENOMEM;
	n = ZSTD_compressCCtx(c->cctx, dst, cap, src, len, level);
	if (ZSTD_isError(n))
		return -ENOMEM;		/* dst is large enough: nothing else can fail */
	*ret_len = n;
	return 0;
}

int codec_pack(struct codec_pool *pool, struct codec *c, const void *src, size_t len,
	       void *dst, size_t cap, size_t *ret_len)
{
	return pack_at(c, pool->level, src, len, dst, cap, ret_len);
}

int codec_unpack(struct codec *c, const void *src, size_t src_len, void *dst, size_t len)
{
	size_t n;

	if (need_dctx(c) < 0)
		return -ENOMEM;
	n = ZSTD_decompressDCtx(c->dctx, dst, len, src, src_len);
	return ZSTD_isError(n) || n != len ? -EBADMSG : 0;
}

int codec_unpack_small(struct codec_pool *pool, struct codec *c, const void *src,
		       size_t src_len, void *dst, size_t len)
{
	if (need_dctx(c) < 0)
		return -ENOMEM;
	return dictionaries_unpack(pool->dictionaries, c->dctx, src, src_len, dst, len);
}

/* Length of "type/subtype" in a Content-Type (RFC 9110 8.3.1). */
static size_t bare_len(const char *type)
{
	return strcspn(type, "; \t");
}

static uint64_t hash_of_type(const char *type)
{
	char bare[64];
	size_t len = type ? bare_len(type) : 0;

	if (len > sizeof(bare))
		len = sizeof(bare);
	for (size_t i = 0; i < len; i++)
		bare[i] = type[i] >= 'A' && type[i] <= 'Z' ? type[i] | 0x20 : type[i];
	return XXH3_64bits(bare, len);
}

static struct outcome *outcome_of(struct codec_pool *pool, const char *type)
{
	return &pool->outcomes[hash_of_type(type) % TYPES];
}

uint64_t codec_group(const char *key, const char *type)
{
	const char *host = key ? strstr(key, "://") : NULL;
	size_t len = host ? (size_t)(host + 3 - key) + strcspn(host + 3, "/") : 0;

	return XXH3_64bits_withSeed(len ? key : "", len, hash_of_type(type));
}

/* Types whose formats compress by themselves, by prefix; '-' marks exceptions,
 * which come first. */
static bool is_packed_type(const char *type)
{
	static const char *const prefixes[] = {
		"-image/svg", "-image/bmp", "-image/x-ms-bmp", "-image/tiff",
		"-image/vnd.microsoft.icon", "-image/x-icon", "-image/x-portable",
		"-audio/wav", "-audio/x-wav", "-audio/midi", "-audio/basic",
		"image/", "video/", "audio/", "font/woff",
		"application/zip", "application/gzip", "application/x-gzip",
		"application/x-bzip", "application/x-xz", "application/zstd",
		"application/x-7z", "application/x-rar", "application/vnd.rar",
		"application/java-archive", "application/epub+zip",
		"application/vnd.openxmlformats", "application/vnd.oasis",
		"application/x-debian-package", "application/vnd.debian.binary-package",
		"application/x-rpm", "application/vnd.android.package-archive",
	};

	for (size_t i = 0; type && i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		bool except = prefixes[i][0] == '-';
		const char *prefix = prefixes[i] + except;

		if (strncasecmp(type, prefix, strlen(prefix)) == 0)
			return !except;
	}
	return false;
}

enum codec_guess codec_guess(struct codec_pool *pool, const char *type, int64_t len)
{
	struct outcome *o = outcome_of(pool, type);
	int score = o->score;
	bool look;

	if (!pool->compress || len < TINY)
		return CODEC_LEAVE;
	look = o->seen++ % DOUBT == 0;
	if (score <= -SURE)
		return look ? CODEC_SAMPLE : CODEC_LEAVE;
	if (is_packed_type(type))
		return CODEC_SAMPLE;
	/* Compressing all of it costs no more than the sample would. */
	if (score >= SURE || len <= 2 * BLOB_SAMPLE)
		return CODEC_TRY;
	return CODEC_SAMPLE;
}

bool codec_may_pack(struct codec_pool *pool, const char *type, int64_t len)
{
	if (!pool->compress || len < TINY)
		return false;
	return outcome_of(pool, type)->score > -SURE && !is_packed_type(type);
}

bool codec_pays(int64_t len, int64_t packed)
{
	return packed < len - len / 10;
}

bool codec_sample(struct codec_pool *pool, struct codec *c, const void *sample, size_t len)
{
	int level = pool->level < 1 ? pool->level : 1;
	char packed[ZSTD_COMPRESSBOUND(BLOB_SAMPLE)];
	size_t n = 0;

	if (len > BLOB_SAMPLE)
		len = BLOB_SAMPLE;
	return pack_at(c, level, sample, len, packed, sizeof(packed), &n) == 0 &&
	       codec_pays(len, n);
}

void codec_learn(struct codec_pool *pool, const char *type, bool paid)
{
	struct outcome *o = outcome_of(pool, type);
	int score = o->score;

	/* Two threads at once may lose one of their outcomes: it is a guess. */
	if (paid && score < SCORE_MAX)
		o->score = score + 1;
	else if (!paid && score > -SCORE_MAX)
		o->score = score - 1;
}

static int pack_frames(struct codec_pool *pool, struct codec *c, const char *data,
		       size_t len, uint64_t group, size_t *ret_len)
{
	const struct dictionary *d =
		len <= DICTIONARY_BODY ? dictionaries_of(pool->dictionaries, group) : NULL;
	size_t at = 0;

	if (d && need_cctx(c) == 0)
		return dictionary_pack(d, c->cctx, data, len, c->packed, c->packed_cap, ret_len);

	for (size_t off = 0; off < len; off += BLOB_CHUNK) {
		size_t part = len - off < BLOB_CHUNK ? len - off : BLOB_CHUNK, n = 0;
		int r = codec_pack(pool, c, data + off, part, c->packed + at,
				   c->packed_cap - at, &n);

		if (r < 0)
			return r;
		at += n;
	}
	*ret_len = at;
	return 0;
}

int codec_pack_small(struct codec_pool *pool, struct codec *c, const void *data,
		     size_t len, uint64_t group, const char *type, size_t *ret_len)
{
	enum codec_guess guess = codec_guess(pool, type, len);
	size_t frames = (len + BLOB_CHUNK - 1) / BLOB_CHUNK, n = 0;
	const char *middle = data;
	bool pays;
	int r;

	if (guess == CODEC_LEAVE)
		return 0;
	if (len > BLOB_SAMPLE)
		middle += (len - BLOB_SAMPLE) / 2;
	if (guess == CODEC_SAMPLE && !codec_sample(pool, c, middle, len)) {
		codec_learn(pool, type, false);
		return 0;
	}
	r = codec_packed_room(c, frames * codec_bound(BLOB_CHUNK));
	if (r == 0)
		r = pack_frames(pool, c, data, len, group, &n);
	if (r < 0)
		return r;
	pays = codec_pays(len, n);
	codec_learn(pool, type, pays);
	*ret_len = n;
	return pays;
}

void codec_learn_small(struct codec_pool *pool, uint64_t group, const void *data, size_t len)
{
	if (len <= DICTIONARY_BODY && !dictionaries_of(pool->dictionaries, group))
		dictionaries_learn(pool->dictionaries, group, data, len);
}
