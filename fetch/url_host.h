/* url_host.h - the one spelling of a host. Pure; any thread. Private to url.c.
 *
 * All that a resolver or an address parser would take for an IPv4 address
 * becomes a dotted quad (as the WHATWG URL standard does), so that a rule about
 * 127.0.0.1 also meets 0x7f.1, 2130706433 and 0177.0.0.1. IPv6 literals are
 * written as RFC 5952 says. Other names become lower-case ASCII (IDNA 2008,
 * UTS 46 non-transitional) without the dot at the end. */
#ifndef FETCH_URL_HOST_H
#define FETCH_URL_HOST_H

#include <stddef.h>

/* text: as in a URL, an IPv6 address in its brackets. *ret (malloc()ed) has none.
 * 0; -EINVAL: *ret_reason (static) says why; -ENOMEM. */
int url_host_normalise(const char *text, size_t len, char **ret, const char **ret_reason);

#endif
