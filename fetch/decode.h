/* decode.h - takes the Content-Encoding off a body, as it streams by
 * (RFC 9110 8.4.1; gzip RFC 1952, zlib RFC 1950, deflate RFC 1951).
 *
 * Memory is bounded and small, whatever the body expands to: the sink gets it in
 * pieces of at most DECODER_PIECE bytes and stops it when it has enough. A decoder
 * is used by one thread at a time. */
#ifndef FETCH_DECODE_H
#define FETCH_DECODE_H

#include <stddef.h>

struct decoder;

#define DECODER_PIECE 65536
#define DECODER_CODINGS_MAX 3
#define DECODER_BETWEEN_MAX (64 << 20)	/* bytes from one coding to the next, for each push: the
					 * sink, which would stop it, may never see any */

/* Gets a piece, borrowed for the call. 0 or -errno, which stops decoding. */
typedef int decoder_sink(void *arg, const void *data, size_t len);

/* content_encoding: the joined value of the field; NULL: there was none. 0 with
 * *ret NULL: identity, nothing to take off. -EPROTONOSUPPORT: a coding that is not
 * known here, or too many; -ENOMEM. */
int decoder_new(const char *content_encoding, struct decoder **ret);
void decoder_free(struct decoder *d);
void decoder_freep(struct decoder **d);		/* for _cleanup_ */

/* 0; -EBADMSG: not encoded as said, or bytes behind the end; -ENOMEM; what the
 * sink returned. After an error all later calls return the same. */
int decoder_push(struct decoder *d, const void *data, size_t len,
		 decoder_sink *sink, void *arg);

/* The body has ended. 0; -EBADMSG: amid the encoded stream. No byte at all is an
 * empty body: responses to HEAD and some servers' empty files are like that. */
int decoder_end(struct decoder *d);

#endif
