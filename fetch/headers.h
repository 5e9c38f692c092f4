/* headers.h - a header section, as received: fields in order, names compared
 * without case. Owned strings, no sharing; one thread at a time. */
#ifndef FETCH_HEADERS_H
#define FETCH_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/buf.h"

struct field {
	char *name, *value;	/* trimmed of OWS; value without CR, LF, NUL */
};

struct headers {
	struct field *fields;
	size_t n;
	size_t bytes;		/* of all lines together, as headers_render() writes them */
};

#define HEADERS_INIT { NULL, 0, 0 }
#define HEADERS_MAX_BYTES (256 * 1024)
#define HEADERS_MAX_FIELDS 1000

void headers_fini(struct headers *h);

/* One line as it came ("Name: value\r\n", or a folded continuation). 0; -EBADMSG:
 * not a field line (RFC 9112 5); -E2BIG: the section is too large; -ENOMEM. */
int headers_add_line(struct headers *h, const char *line, size_t len);
int headers_add(struct headers *h, const char *name, const char *value);

/* First value of that name, or NULL. */
const char *headers_get(const struct headers *h, const char *name);
/* All values of that name joined with ", " (RFC 9110 5.3), malloc()ed; NULL when
 * there is none or no memory. */
char *headers_get_joined(const struct headers *h, const char *name);
/* The i-th value of that name (0...), or NULL. */
const char *headers_get_nth(const struct headers *h, const char *name, size_t i);
/* Removes all fields of that name, which must not be the text of one of them. */
void headers_remove(struct headers *h, const char *name);
void headers_remove_n(struct headers *h, const char *name, size_t len);

/* "Name: value\n" lines, and back (as meta.headers holds them). */
void headers_render(const struct headers *h, struct buf *to);
int headers_parse(const char *text, struct headers *ret);	/* as headers_add_line */

/* RFC 9111 4.3.4 / 3.2: the stored fields, updated by those of a 304: fields of
 * `fresh` replace stored ones of the same name, but for Content-Length,
 * Content-Encoding, Content-Range, Transfer-Encoding, hop-by-hop fields and
 * those named by Connection. Age and Date go if `fresh` has none: what is judged
 * next is the age of the 304 (4.2.3). 0, or -E2BIG, -ENOMEM: then stored is as it was. */
int headers_update(struct headers *stored, const struct headers *fresh);
/* Removes what a cache does not store (RFC 9111 3.1). */
void headers_drop_hop_by_hop(struct headers *h);

#endif
