/* header_file.h - the lines of a header_file= (policy.h), as they are now.
 *
 * Any thread, but header_file_look() reads the disk: never on thread F. What was read
 * stays as it is for who holds it. */
#ifndef FETCH_HEADER_FILE_H
#define FETCH_HEADER_FILE_H

#include <stdatomic.h>
#include <stddef.h>

struct header_file;

struct header_lines {
	_Atomic int refs;
	char **lines;			/* "Name: value", NULL at the end */
	size_t n;
};

/* Reads it again if it is another file now, or has changed. What cannot be read leaves the
 * lines as they were, and is logged once. Does nothing while another thread is at it. h may
 * be NULL. */
void header_file_look(struct header_file *h);

/* A new reference; h NULL gives NULL. */
struct header_lines *header_file_lines(struct header_file *h);
void header_lines_unref(struct header_lines *l);
void header_lines_unrefp(struct header_lines **l);	/* for _cleanup_ */

#endif
