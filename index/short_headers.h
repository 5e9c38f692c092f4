/* short_headers.h - how the header fields of a response are written to the index. Private
 * to index/.
 *
 * They are most of a row, and most of them are the same words in every row, or what the row
 * says in columns of its own. So a line that begins with a name (or is a line) that is in
 * the table begins with its code, a byte that no field can begin with (RFC 9110 5.6.2), and
 * a byte 1 stands for the value of the column. What nginx sends with a file takes 60 bytes
 * where it took 200, a row 254 where it took 394.
 *
 * Codes are part of the format of the index: they never change what they mean.
 *
 * Any thread. Errors: NULL is lack of memory. */
#ifndef INDEX_SHORT_HEADERS_H
#define INDEX_SHORT_HEADERS_H

#include "meta.h"

/* m->headers, short. The caller frees. */
char *short_headers_make(const struct meta *m);

/* What m->headers was, of its short form and the other members of m. The caller frees. */
char *short_headers_restore(const struct meta *m, const char *text);

#endif
