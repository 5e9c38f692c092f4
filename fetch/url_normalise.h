/* url_normalise.h - the one spelling of a path and of a query (RFC 3986 6.2.2).
 * Pure; any thread. Private to the url_*.c files. */
#ifndef FETCH_URL_NORMALISE_H
#define FETCH_URL_NORMALISE_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/buf.h"

/* What stands for itself besides pchar (RFC 3986 3.3). */
#define URL_KEEP_SEGMENT ""
#define URL_KEEP_PATH "/"
#define URL_KEEP_QUERY "/?"

/* Appends text with upper-case hex, unreserved bytes decoded, and what a URL
 * cannot hold encoded. A '%' that begins no escape becomes "%25". Doing it again
 * changes nothing. */
void url_normalise_encoding(struct buf *to, const char *text, size_t len, const char *keep);

/* Appends text with every byte meaning itself: '%' becomes "%25". */
void url_normalise_literal(struct buf *to, const char *text, size_t len, const char *keep);

/* Appends the bytes that text stands for; all that begins no escape is itself. */
void url_normalise_decode(struct buf *to, const char *text, size_t len);

/* Whether all bytes of a segment stand for themselves in whichever form: it has no escapes,
 * no query, and nothing that would have to be encoded. */
bool url_normalise_is_plain(const char *text);

/* Resolves "." and ".." in place (RFC 3986 5.2.4). path begins with '/'; its
 * encoding is normal, so "%2e" is a dot already. */
void url_normalise_dots(char *path);

#endif
