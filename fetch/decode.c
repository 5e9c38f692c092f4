#include "decode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "fields.h"

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_DEFLATE, CODING_UNKNOWN };

/*   START --first bytes--> INSIDE --its end--> BETWEEN
 *                            ^---next gzip member--' */
enum layer_state { LAYER_START, LAYER_INSIDE, LAYER_BETWEEN };

/* One coding of a chain: what it puts out goes into the next. */
struct layer {
	z_stream z;
	bool inited;			/* z has memory of its own */
	enum coding coding;
	enum layer_state state;
	unsigned char first;		/* of deflate, until the second byte is there */
	bool has_first;
	unsigned char out[DECODER_PIECE];
};

struct decoder {
	int err;			/* sticky */
	int64_t budget;			/* bytes from one layer to the next, of this push */
	size_t n;
	struct layer *layers[DECODER_CODINGS_MAX];	/* the outermost coding first */
	decoder_sink *sink;		/* only during a push */
	void *arg;
};

static enum coding find_coding(struct span name)
{
	if (fields_equal(name, "identity"))
		return CODING_IDENTITY;
	if (fields_equal(name, "gzip") || fields_equal(name, "x-gzip"))
		return CODING_GZIP;
	if (fields_equal(name, "deflate"))
		return CODING_DEFLATE;
	return CODING_UNKNOWN;
}

/* The codings in the order in which they were applied, without identity. Their
 * number, or -EPROTONOSUPPORT. */
static int parse_codings(const char *value, enum coding *codings)
{
	struct span rest = fields_span(value ? value : "");
	struct span name;
	int n = 0;

	while (fields_next(&rest, ',', &name)) {
		enum coding coding = find_coding(name);

		if (coding == CODING_IDENTITY)
			continue;
		if (coding == CODING_UNKNOWN || n == DECODER_CODINGS_MAX)
			return -EPROTONOSUPPORT;
		codings[n++] = coding;
	}
	return n;
}

static int init_inflate(struct layer *l, int window_bits)
{
	if (inflateInit2(&l->z, window_bits) != Z_OK)
		return -ENOMEM;
	l->inited = true;
	l->state = LAYER_INSIDE;
	return 0;
}

static struct layer *new_layer(enum coding coding)
{
	struct layer *l = calloc(1, sizeof(*l));

	if (l)
		l->coding = coding;
	return l;
}

int decoder_new(const char *content_encoding, struct decoder **ret)
{
	enum coding codings[DECODER_CODINGS_MAX];
	struct decoder *d;
	int n = parse_codings(content_encoding, codings);

	if (n <= 0) {
		if (!n)
			*ret = NULL;
		return n;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	while (n > 0) {
		struct layer *l = new_layer(codings[--n]);

		if (!l) {
			decoder_free(d);
			return -ENOMEM;
		}
		d->layers[d->n++] = l;
	}
	*ret = d;
	return 0;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++) {
		if (d->layers[i]->inited)
			inflateEnd(&d->layers[i]->z);
		free(d->layers[i]);
	}
	free(d);
}

void decoder_freep(struct decoder **d)
{
	decoder_free(*d);
}

static int push_layer(struct decoder *d, size_t i, const unsigned char *data, size_t len);

/* Runs inflate() over the input of z until it is used up or the stream ends. */
static int inflate_input(struct decoder *d, size_t i)
{
	struct layer *l = d->layers[i];
	int z_err;

	do {
		int err;

		l->z.next_out = l->out;
		l->z.avail_out = sizeof(l->out);
		z_err = inflate(&l->z, Z_NO_FLUSH);
		if (z_err == Z_MEM_ERROR)
			return -ENOMEM;
		if (z_err != Z_OK && z_err != Z_STREAM_END && z_err != Z_BUF_ERROR)
			return -EBADMSG;
		if (i + 1 < d->n)
			d->budget -= (int64_t)(sizeof(l->out) - l->z.avail_out);
		if (d->budget < 0)
			return -EBADMSG;
		err = push_layer(d, i + 1, l->out, sizeof(l->out) - l->z.avail_out);
		if (err)
			return err;
		/* A full piece means that there may be more without more input. */
	} while (z_err == Z_OK && (l->z.avail_in || !l->z.avail_out));
	if (z_err == Z_STREAM_END)
		l->state = LAYER_BETWEEN;
	return 0;
}

/* Before the first byte goes in. "deflate" should be zlib's format, but is the bare
 * one with some servers: the first two bytes tell (RFC 1950 2.2: the method is 8,
 * and they are a multiple of 31; a bare stream with 8 in the low bits would begin
 * with a stored block and stray bits). Takes what it needs off the input. */
static int start_layer(struct decoder *d, size_t i, const unsigned char **data, size_t *len)
{
	struct layer *l = d->layers[i];
	unsigned char second;
	bool zlib;
	int err;

	if (l->coding == CODING_GZIP)
		return init_inflate(l, 15 + 16);
	if (!l->has_first) {
		l->first = *(*data)++;
		l->has_first = true;
		if (!--*len)
			return 0;
	}
	second = **data;
	zlib = (l->first & 15) == Z_DEFLATED && (l->first << 8 | second) % 31 == 0;
	err = init_inflate(l, zlib ? 15 : -15);
	if (err < 0)
		return err;
	l->z.next_in = &l->first;
	l->z.avail_in = 1;
	return inflate_input(d, i);
}

/* Behind the end: gzip may go on with another member (RFC 1952 2.2). */
static int restart_layer(struct layer *l)
{
	if (l->coding != CODING_GZIP)
		return -EBADMSG;
	if (inflateReset(&l->z) != Z_OK)
		return -EBADMSG;
	l->state = LAYER_INSIDE;
	return 0;
}

static int push_layer(struct decoder *d, size_t i, const unsigned char *data, size_t len)
{
	struct layer *l;
	int err = 0;

	if (i == d->n)
		return len ? d->sink(d->arg, data, len) : 0;
	l = d->layers[i];
	while (len && !err) {
		uInt piece;

		if (l->state == LAYER_START) {
			err = start_layer(d, i, &data, &len);
			continue;
		}
		if (l->state == LAYER_BETWEEN) {
			err = restart_layer(l);
			continue;
		}
		piece = len < UINT32_MAX ? len : UINT32_MAX;
		l->z.next_in = (unsigned char *)data;	/* zlib does not write to it */
		l->z.avail_in = piece;
		err = inflate_input(d, i);
		data += piece - l->z.avail_in;
		len -= piece - l->z.avail_in;
	}
	return err;
}

int decoder_push(struct decoder *d, const void *data, size_t len,
		 decoder_sink *sink, void *arg)
{
	if (d->err)
		return d->err;
	d->sink = sink;
	d->arg = arg;
	d->budget = DECODER_BETWEEN_MAX;
	d->err = push_layer(d, 0, data, len);
	d->sink = NULL;
	return d->err;
}

int decoder_end(struct decoder *d)
{
	for (size_t i = 0; i < d->n && !d->err; i++) {
		const struct layer *l = d->layers[i];

		if (l->state == LAYER_INSIDE || (l->state == LAYER_START && l->has_first))
			d->err = -EBADMSG;
	}
	return d->err;
}
