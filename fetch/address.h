/* address.h - what kind of place is that address? (IANA's special-purpose address
 * registries, RFC 6890 and its successors.) Pure; any thread.
 *
 * Asked about each address that a connection is going to be made to, after DNS,
 * so that neither a name, nor a redirect, nor a spelling leads to our own network. */
#ifndef FETCH_ADDRESS_H
#define FETCH_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

enum address_class {
	ADDRESS_PUBLIC,
	ADDRESS_UNSPECIFIED,	/* 0.0.0.0/8, :: - connects to this host */
	ADDRESS_LOOPBACK,
	ADDRESS_LINK_LOCAL,	/* cloud metadata services, too */
	ADDRESS_PRIVATE,	/* RFC 1918, unique local, site-local */
	ADDRESS_SHARED,		/* carrier-grade NAT, 100.64.0.0/10 */
	ADDRESS_MULTICAST,
	ADDRESS_BROADCAST,
	ADDRESS_BENCHMARK,
	ADDRESS_DOCUMENTATION,
	ADDRESS_PROTOCOL,	/* assigned to a protocol, not to a host */
	ADDRESS_TUNNEL,		/* Teredo, relays, local translation */
	ADDRESS_DISCARD,
	ADDRESS_RESERVED,	/* and IPv6 that nobody has been given */
	ADDRESS_UNKNOWN,	/* not an Internet address */
	ADDRESS_N
};

/* An IPv6 address that carries an IPv4 one (mapped, compatible, translated, NAT64,
 * 6to4) is of the class of that. */
enum address_class address_classify(const struct sockaddr *address);
bool address_is_public(const struct sockaddr *address);
const char *address_class_name(enum address_class c);	/* for people; static */

#endif
