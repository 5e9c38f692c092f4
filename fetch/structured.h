/* structured.h - Structured Fields: dictionaries (RFC 8941 3.2, 4.2.2), as
 * targeted cache control wants them (RFC 9213 2.1).
 *
 * Nothing is copied; parameters are checked and skipped. Any violation makes the
 * whole field invalid, and may come late: use nothing of a field before its end
 * was reached. Pure; any thread. */
#ifndef FETCH_STRUCTURED_H
#define FETCH_STRUCTURED_H

#include <stdbool.h>
#include <stdint.h>

#include "fields.h"

enum structured_type {
	STRUCTURED_INTEGER, STRUCTURED_DECIMAL, STRUCTURED_STRING, STRUCTURED_TOKEN,
	STRUCTURED_BYTES, STRUCTURED_BOOLEAN, STRUCTURED_INNER_LIST,
};

struct structured_member {
	struct span key;
	enum structured_type type;
	int64_t integer;	/* INTEGER: the value; BOOLEAN: 0 or 1 */
	struct span text;	/* STRING (without quotes, still escaped), TOKEN */
};

struct structured {
	struct span rest;	/* private */
	bool started;
};

struct structured structured_begin(struct span value);

/* 1: *ret is the next member; 0: that was all; -EBADMSG: the field is invalid.
 * A key may come again: its last member counts. */
int structured_next(struct structured *s, struct structured_member *ret);

#endif
