#include "address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

struct prefix4 {
	uint32_t net;		/* host order */
	int bits;
	enum address_class class;
};

#define IPV4(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

/* IANA IPv4 Special-Purpose Address Registry, and multicast. What it lists as
 * globally reachable within these is for protocols that are not HTTP (192.0.0.9,
 * 192.0.0.10) or is unicast that anyone may reach (AS112, AMT: not here). */
static const struct prefix4 prefixes4[] = {
	{ IPV4(255, 255, 255, 255), 32, ADDRESS_BROADCAST },
	{ IPV4(0, 0, 0, 0), 8, ADDRESS_UNSPECIFIED },
	{ IPV4(10, 0, 0, 0), 8, ADDRESS_PRIVATE },
	{ IPV4(100, 64, 0, 0), 10, ADDRESS_SHARED },
	{ IPV4(127, 0, 0, 0), 8, ADDRESS_LOOPBACK },
	{ IPV4(169, 254, 0, 0), 16, ADDRESS_LINK_LOCAL },
	{ IPV4(172, 16, 0, 0), 12, ADDRESS_PRIVATE },
	{ IPV4(192, 0, 0, 0), 24, ADDRESS_PROTOCOL },
	{ IPV4(192, 0, 2, 0), 24, ADDRESS_DOCUMENTATION },
	{ IPV4(192, 88, 99, 0), 24, ADDRESS_TUNNEL },
	{ IPV4(192, 168, 0, 0), 16, ADDRESS_PRIVATE },
	{ IPV4(198, 18, 0, 0), 15, ADDRESS_BENCHMARK },
	{ IPV4(198, 51, 100, 0), 24, ADDRESS_DOCUMENTATION },
	{ IPV4(203, 0, 113, 0), 24, ADDRESS_DOCUMENTATION },
	{ IPV4(224, 0, 0, 0), 4, ADDRESS_MULTICAST },
	{ IPV4(240, 0, 0, 0), 4, ADDRESS_RESERVED },
};

struct prefix6 {
	uint8_t net[16];
	int bits;
	enum address_class class;
	int embedded;		/* > 0: decided by the IPv4 address at this byte */
};

/* IANA IPv6 Special-Purpose Address Registry and address space; the first that
 * matches decides, so longer ones come first. */
static const struct prefix6 prefixes6[] = {
	{ { 0 }, 128, ADDRESS_UNSPECIFIED, 0 },
	{ { [15] = 1 }, 128, ADDRESS_LOOPBACK, 0 },
	{ { [10] = 0xff, 0xff }, 96, ADDRESS_UNKNOWN, 12 },		/* mapped */
	{ { [8] = 0xff, 0xff }, 96, ADDRESS_UNKNOWN, 12 },		/* translated, RFC 2765 */
	{ { 0 }, 96, ADDRESS_UNKNOWN, 12 },				/* compatible */
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, ADDRESS_UNKNOWN, 12 },	/* NAT64, RFC 6052 */
	{ { 0x00, 0x64, 0xff, 0x9b, 0, 1 }, 48, ADDRESS_TUNNEL, 0 },	/* RFC 8215 */
	{ { 0x01 }, 64, ADDRESS_DISCARD, 0 },				/* RFC 6666 */
	{ { 0x01, [7] = 1 }, 64, ADDRESS_DISCARD, 0 },			/* dummy, RFC 9780 */
	{ { 0x20, 0x01, 0, 0 }, 32, ADDRESS_TUNNEL, 0 },		/* Teredo */
	{ { 0x20, 0x01, 0, 2 }, 48, ADDRESS_BENCHMARK, 0 },
	{ { 0x20, 0x01, 0, 3 }, 32, ADDRESS_PUBLIC, 0 },		/* AMT */
	{ { 0x20, 0x01, 0, 4, 0x01, 0x12 }, 48, ADDRESS_PUBLIC, 0 },	/* AS112 */
	{ { 0x20, 0x01 }, 23, ADDRESS_PROTOCOL, 0 },			/* ORCHID, drones, ... */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, ADDRESS_DOCUMENTATION, 0 },
	{ { 0x20, 0x02 }, 16, ADDRESS_UNKNOWN, 2 },			/* 6to4 */
	{ { 0x3f, 0xff }, 20, ADDRESS_DOCUMENTATION, 0 },		/* RFC 9637 */
	{ { 0x5f, 0x00 }, 16, ADDRESS_PROTOCOL, 0 },			/* segments, RFC 9602 */
	{ { 0xfc }, 7, ADDRESS_PRIVATE, 0 },				/* unique local */
	{ { 0xfe, 0x80 }, 10, ADDRESS_LINK_LOCAL, 0 },
	{ { 0xfe, 0xc0 }, 10, ADDRESS_PRIVATE, 0 },			/* site-local */
	{ { 0xff }, 8, ADDRESS_MULTICAST, 0 },
	{ { 0x20 }, 3, ADDRESS_PUBLIC, 0 },				/* global unicast */
	{ { 0 }, 0, ADDRESS_RESERVED, 0 },
};

static enum address_class classify4(const uint8_t *bytes)
{
	uint32_t address = IPV4(bytes[0], bytes[1], bytes[2], bytes[3]);

	for (size_t i = 0; i < COUNT_OF(prefixes4); i++) {
		const struct prefix4 *p = &prefixes4[i];

		if (!((address ^ p->net) >> (32 - p->bits)))
			return p->class;
	}
	return ADDRESS_PUBLIC;
}

static bool matches6(const struct prefix6 *p, const uint8_t *bytes)
{
	int whole = p->bits / 8, rest = p->bits % 8;

	if (memcmp(p->net, bytes, whole))
		return false;
	return !rest || !((p->net[whole] ^ bytes[whole]) >> (8 - rest));
}

static enum address_class classify6(const uint8_t *bytes)
{
	for (size_t i = 0; i < COUNT_OF(prefixes6); i++) {
		const struct prefix6 *p = &prefixes6[i];

		if (matches6(p, bytes))
			return p->embedded ? classify4(bytes + p->embedded) : p->class;
	}
	return ADDRESS_RESERVED;
}

enum address_class address_classify(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	uint8_t bytes[4];

	/* Copied: what comes from elsewhere need not be aligned for its family. */
	switch (address->sa_family) {
	case AF_INET:
		memcpy(&v4, address, sizeof(v4));
		memcpy(bytes, &v4.sin_addr, sizeof(bytes));
		return classify4(bytes);
	case AF_INET6:
		memcpy(&v6, address, sizeof(v6));
		return classify6(v6.sin6_addr.s6_addr);
	default:
		return ADDRESS_UNKNOWN;
	}
}

bool address_is_public(const struct sockaddr *address)
{
	return address_classify(address) == ADDRESS_PUBLIC;
}

const char *address_class_name(enum address_class c)
{
	static const char *const names[ADDRESS_N] = {
		[ADDRESS_PUBLIC] = "public",
		[ADDRESS_UNSPECIFIED] = "unspecified",
		[ADDRESS_LOOPBACK] = "loopback",
		[ADDRESS_LINK_LOCAL] = "link-local",
		[ADDRESS_PRIVATE] = "private",
		[ADDRESS_SHARED] = "shared (carrier-grade NAT)",
		[ADDRESS_MULTICAST] = "multicast",
		[ADDRESS_BROADCAST] = "broadcast",
		[ADDRESS_BENCHMARK] = "benchmarking",
		[ADDRESS_DOCUMENTATION] = "documentation",
		[ADDRESS_PROTOCOL] = "protocol assignment",
		[ADDRESS_TUNNEL] = "tunnel",
		[ADDRESS_DISCARD] = "discard-only",
		[ADDRESS_RESERVED] = "reserved",
		[ADDRESS_UNKNOWN] = "not an Internet address",
	};

	return (unsigned)c < ADDRESS_N ? names[c] : "unknown";
}
