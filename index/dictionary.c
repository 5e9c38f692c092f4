/* dictionary.c - see dictionary.h. */
#include "dictionary.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zdict.h>
#include <zstd.h>

#include "../base/cleanup.h"
#include "../base/log.h"

enum {
	SIZE = 16 * 1024,		/* of a dictionary */
	SAMPLES = 96, FEWEST = 32,	/* bodies to train on and to try it with */
	SAMPLE_BODY = 16 * 1024,	/* bytes that are looked at of each */
	SAMPLE_BYTES = 1024 * 1024,	/* of all together */
	SEEN = 16,			/* bodies of a group before samples are taken */
	PATIENCE = 2000,		/* bodies of others until it is their turn */
	GROUPS = 256,
};

/* As it is kept: in the byte order of the machine, as all of the index. */
struct value {
	uint64_t sum;			/* XXH3 of what follows */
	uint64_t group;
	char data[];
};

struct dictionary {
	uint32_t id;			/* constant, as all here; zstd's, never 0 */
	ZSTD_CDict *cdict;
	ZSTD_DDict *ddict;
	size_t len;			/* of value */
	struct value *value;
};

/* Groups that share a place only learn later. */
struct group {
	uint64_t group;
	unsigned seen;
	bool settled;			/* it has one, or gains nothing by one */
};

struct samples {
	uint64_t group;
	char *data;			/* NULL: none are taken now */
	size_t bytes, n;
	size_t len[SAMPLES];
	unsigned others;		/* bodies of other groups meanwhile */
};

struct dictionaries {
	int level;			/* constant */
	dictionary_keep *keep;		/* constant */
	void *arg;			/* constant */

	pthread_mutex_t lock;		/* leaf; guards all below */
	struct dictionary *all[DICTIONARIES];
	size_t n;
	struct group groups[GROUPS];
	struct samples samples;		/* being taken */
	struct samples due;		/* enough to train on */
	bool training;			/* or about to: no more are taken */
};

int dictionaries_new(int level, dictionary_keep *keep, void *arg, struct dictionaries **ret)
{
	struct dictionaries *ds = calloc(1, sizeof(*ds));

	if (!ds)
		return -ENOMEM;
	ds->level = level;
	ds->keep = keep;
	ds->arg = arg;
	pthread_mutex_init(&ds->lock, NULL);
	*ret = ds;
	return 0;
}

static void free_dictionary(struct dictionary *d)
{
	if (!d)
		return;
	ZSTD_freeCDict(d->cdict);
	ZSTD_freeDDict(d->ddict);
	free(d->value);
	free(d);
}

void dictionaries_free(struct dictionaries *ds)
{
	if (!ds)
		return;
	for (size_t i = 0; i < ds->n; i++)
		free_dictionary(ds->all[i]);
	free(ds->samples.data);
	free(ds->due.data);
	pthread_mutex_destroy(&ds->lock);
	free(ds);
}

static uint64_t sum_of(const struct value *v, size_t len)
{
	return XXH3_64bits(&v->group, len - sizeof(v->sum));
}

/* Takes over value, also when it fails. */
static int make(int level, struct value *value, size_t len, struct dictionary **ret)
{
	struct dictionary *d = calloc(1, sizeof(*d));
	size_t n = len - sizeof(*value);

	if (!d) {
		free(value);
		return -ENOMEM;
	}
	d->value = value;
	d->len = len;
	d->id = ZDICT_getDictID(value->data, n);
	d->cdict = ZSTD_createCDict(value->data, n, level);
	d->ddict = ZSTD_createDDict(value->data, n);
	if (!d->id || !d->cdict || !d->ddict) {
		int err = d->id ? -ENOMEM : -EBADMSG;

		free_dictionary(d);
		return err;
	}
	*ret = d;
	return 0;
}

/* Lock held. */
static const struct dictionary *find(const struct dictionaries *ds, uint32_t id)
{
	for (size_t i = 0; i < ds->n; i++)
		if (ds->all[i]->id == id)
			return ds->all[i];
	return NULL;
}

/* False: there are too many, or one of that number. */
static bool add(struct dictionaries *ds, struct dictionary *d)
{
	bool added = false;

	WITH_LOCK(&ds->lock) {
		added = ds->n < DICTIONARIES && !find(ds, d->id);
		if (added)
			ds->all[ds->n++] = d;
	}
	return added;
}

int dictionaries_load(struct dictionaries *ds, const void *value, size_t len)
{
	struct value *copy = len > sizeof(*copy) ? malloc(len) : NULL;
	struct dictionary *d;
	int err;

	if (!copy)
		return len > sizeof(*copy) ? -ENOMEM : -EBADMSG;
	memcpy(copy, value, len);
	if (sum_of(copy, len) != copy->sum) {
		free(copy);
		return -EBADMSG;
	}
	err = make(ds->level, copy, len, &d);
	if (err)
		return err;
	if (!add(ds, d)) {
		free_dictionary(d);
		return -EEXIST;
	}
	return 0;
}

int dictionaries_each(struct dictionaries *ds, dictionary_keep *each, void *arg)
{
	const struct dictionary *all[DICTIONARIES];
	size_t n = 0;
	int err = 0;

	WITH_LOCK(&ds->lock) {
		n = ds->n;
		memcpy(all, ds->all, n * sizeof(all[0]));
	}
	for (size_t i = 0; i < n && !err; i++)
		err = each(arg, all[i]->id, all[i]->value, all[i]->len);
	return err;
}

const struct dictionary *dictionaries_of(struct dictionaries *ds, uint64_t group)
{
	const struct dictionary *found = NULL;

	WITH_LOCK(&ds->lock)
		for (size_t i = 0; i < ds->n && !found; i++)
			if (ds->all[i]->value->group == group)
				found = ds->all[i];
	return found;
}

int dictionary_pack(const struct dictionary *d, ZSTD_CCtx *cctx, const void *src, size_t len,
		    void *dst, size_t cap, size_t *ret_len)
{
	size_t n = ZSTD_compress_usingCDict(cctx, dst, cap, src, len, d->cdict);

	if (ZSTD_isError(n))
		return -ENOMEM;		/* dst is large enough: nothing else can fail */
	*ret_len = n;
	return 0;
}

int dictionaries_unpack(struct dictionaries *ds, ZSTD_DCtx *dctx, const void *src,
			size_t src_len, void *dst, size_t len)
{
	unsigned id = ZSTD_getDictID_fromFrame(src, src_len);
	const struct dictionary *d = NULL;
	size_t n;

	if (id) {
		WITH_LOCK(&ds->lock)
			d = find(ds, id);
		if (!d)
			return -EBADMSG;
		n = ZSTD_decompress_usingDDict(dctx, dst, len, src, src_len, d->ddict);
	} else {
		n = ZSTD_decompressDCtx(dctx, dst, len, src, src_len);
	}
	return ZSTD_isError(n) || n != len ? -EBADMSG : 0;
}

/* --- training --- */

/* Bytes of samples from `first` on, by d or (NULL) without. 0: no memory. */
static size_t packed_bytes(int level, const struct samples *s, size_t first,
			   const struct dictionary *d)
{
	char packed[ZSTD_COMPRESSBOUND(SAMPLE_BODY)];
	ZSTD_CCtx *cctx = ZSTD_createCCtx();
	const char *at = s->data;
	size_t total = 0;

	for (size_t i = 0; i < s->n && cctx; at += s->len[i++]) {
		size_t n;

		if (i < first)
			continue;
		n = d ? ZSTD_compress_usingCDict(cctx, packed, sizeof(packed), at, s->len[i],
						 d->cdict)
		      : ZSTD_compressCCtx(cctx, packed, sizeof(packed), at, s->len[i], level);
		total += ZSTD_isError(n) ? s->len[i] : n;
	}
	ZSTD_freeCCtx(cctx);
	return total;
}

/* Trained on three of four samples, tried on the others: does it save a twentieth? */
static struct dictionary *train(int level, const struct samples *s)
{
	size_t n_train = s->n - s->n / 4, len, without;
	struct value *value = malloc(sizeof(*value) + SIZE);
	struct dictionary *d;

	if (!value)
		return NULL;
	len = ZDICT_trainFromBuffer(value->data, SIZE, s->data, s->len, (unsigned)n_train);
	if (ZDICT_isError(len)) {
		free(value);
		return NULL;
	}
	value->group = s->group;
	len += sizeof(*value);
	value->sum = sum_of(value, len);
	if (make(level, value, len, &d) < 0)
		return NULL;
	without = packed_bytes(level, s, n_train, NULL);
	if (packed_bytes(level, s, n_train, d) * 20 < without * 19)
		return d;
	free_dictionary(d);
	return NULL;
}

static struct group *group_of(struct dictionaries *ds, uint64_t group)
{
	struct group *g = &ds->groups[group % GROUPS];

	if (g->group != group)
		*g = (struct group){ .group = group };
	return g;
}

/* Lock held: whether this body is a sample. Begins with samples of its group if it is
 * its turn. */
static bool is_sample(struct dictionaries *ds, uint64_t group)
{
	struct samples *s = &ds->samples;
	struct group *g = group_of(ds, group);

	if (g->settled || ds->training || ds->n == DICTIONARIES)
		return false;
	if (s->data && s->group == group)
		return true;
	if (++g->seen < SEEN || (s->data && ++s->others < PATIENCE))
		return false;
	if (!s->data)
		s->data = malloc(SAMPLE_BYTES);
	s->group = group;
	s->bytes = s->n = 0;
	s->others = 0;
	return s->data;
}

/* Lock held. True: that is enough. */
static bool add_sample(struct samples *s, const void *data, size_t len)
{
	if (len > SAMPLE_BODY)
		len = SAMPLE_BODY;
	if (s->n < SAMPLES && len <= SAMPLE_BYTES - s->bytes) {
		memcpy(s->data + s->bytes, data, len);
		s->bytes += len;
		s->len[s->n++] = len;
	}
	return s->n == SAMPLES || (s->n >= FEWEST && SAMPLE_BYTES - s->bytes < SAMPLE_BODY);
}

/* The value first: a frame must never outlive what it needs. */
static void adopt(struct dictionaries *ds, struct dictionary *d)
{
	int err = ds->keep ? ds->keep(ds->arg, d->id, d->value, d->len) : 0;

	if (err || !add(ds, d)) {
		free_dictionary(d);
		return;
	}
	log_debug("dictionary %u: for bodies like those that came", d->id);
}

void dictionaries_learn(struct dictionaries *ds, uint64_t group, const void *data, size_t len)
{
	WITH_LOCK(&ds->lock)
		if (is_sample(ds, group) && add_sample(&ds->samples, data, len)) {
			ds->due = ds->samples;
			ds->samples = (struct samples){ 0 };
			ds->training = true;
		}
}

bool dictionaries_due(struct dictionaries *ds)
{
	bool due = false;

	WITH_LOCK(&ds->lock)
		due = ds->due.data;
	return due;
}

bool dictionaries_train(struct dictionaries *ds)
{
	struct dictionary *d;
	struct samples s = { 0 };

	WITH_LOCK(&ds->lock) {
		s = ds->due;
		ds->due = (struct samples){ 0 };
	}
	if (!s.data)
		return false;
	d = train(ds->level, &s);
	free(s.data);
	if (d)
		adopt(ds, d);
	WITH_LOCK(&ds->lock) {
		/* Also when it could not be written: then the disk has other worries. */
		group_of(ds, s.group)->settled = true;
		ds->training = false;
	}
	return true;
}
