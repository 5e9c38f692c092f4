/* fields.h - reading field values: comma-separated lists, parameters, quoted
 * strings (RFC 9110 5.6).
 *
 * Nothing is copied: a span points into the value it came from and lives as long
 * as that. Pure; any thread. */
#ifndef FETCH_FIELDS_H
#define FETCH_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char *at;		/* not terminated; NULL only when absent */
	size_t len;
};

/* One `name[=argument]`: a Cache-Control directive, or a parameter. */
struct directive {
	struct span name;	/* the leading token; len 0: there is none */
	struct span value;	/* as it stands, without its quotes; at NULL: none */
	bool quoted;		/* the argument was a quoted string */
	bool malformed;		/* more or less than the grammar allows */
};

bool fields_is_token_char(unsigned char c);
/* A token (RFC 9110 5.6.2): at least one character, all of them token chars. */
bool fields_is_token(struct span s);
struct span fields_span(const char *s);
struct span fields_trim(struct span s);			/* of OWS */
bool fields_equal(struct span s, const char *word);	/* without case */

/* Takes the next element off *rest, trimmed of OWS: elements are separated by
 * `separator` (',' for lists, ';' for parameters) outside quoted strings; empty
 * ones are skipped (5.6.1.2). False: there is none. A quoted string that is not
 * closed goes on to the end. */
bool fields_next(struct span *rest, char separator, struct span *ret);

/* Splits an element into its leading token and what follows "=". Never fails:
 * whatever else is there ("max-age =5", "no-store; a") is only marked, so that
 * the caller can still tell which directive was meant. */
struct directive fields_directive(struct span element);

/* Whether one of the list's elements is this token. */
bool fields_list_has(const char *value, const char *token);

#endif
