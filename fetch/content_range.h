/* content_range.h - the Content-Range field (RFC 9110 14.4). Pure; any thread. */
#ifndef FETCH_CONTENT_RANGE_H
#define FETCH_CONTENT_RANGE_H

#include <stdint.h>

struct content_range {
	int64_t off, end;	/* bytes [off, end); -1, -1: unsatisfiable */
	int64_t length;		/* of the whole representation; -1: "*" */
};

/* One value, trimmed of OWS: "bytes 0-499/1234", and with a star for a length that
 * is not known, or for the range of a 416.
 *
 * 0, or -EBADMSG: not exactly that, more than an int64_t holds, or a range that ends
 * before it begins or behind the length. A guess about any of these would put
 * bytes where they do not belong. */
int content_range_parse(const char *value, struct content_range *ret);

#endif
