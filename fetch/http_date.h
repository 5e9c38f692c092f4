/* http_date.h - timestamps of HTTP fields (RFC 9110 5.6.7). Pure; any thread. */
#ifndef FETCH_HTTP_DATE_H
#define FETCH_HTTP_DATE_H

#include <stdint.h>

/* Seconds since 1970 (negative before). 0, or -EBADMSG: not one of
 *
 *   Sun, 06 Nov 1994 08:49:37 GMT		IMF-fixdate
 *   Sunday, 06-Nov-94 08:49:37 GMT		RFC 850
 *   Sun Nov  6 08:49:37 1994			asctime()
 *
 * Exactly these, but for case (RFC 9111 4.2) and for a name of a day that is not
 * the day's. Not robust against anything else: an Expires that is invalid has to
 * count as expired (RFC 9111 5.3). now_s places years of two digits: never more
 * than 50 years ahead. */
int http_date_parse(const char *text, int64_t now_s, int64_t *ret_s);

#endif
