#include "url_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <idn2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "url_normalise.h"

#define HOST_MAX 253	/* RFC 1035 2.3.4, without the root's dot */
#define LABEL_MAX 63

/* --- IPv6 --- */

/* RFC 5952 4.2: the longest run of at least two zero groups, the first of equals. */
static void longest_zeroes(const uint16_t *groups, int *ret_start, int *ret_len)
{
	*ret_start = -1;
	*ret_len = 1;
	for (int i = 0, run = 0; i < 8; i++) {
		run = groups[i] ? 0 : run + 1;
		if (run > *ret_len) {
			*ret_len = run;
			*ret_start = i - run + 1;
		}
	}
}

/* Not inet_ntop(): libraries differ about which addresses end in a dotted quad. */
static void format_ipv6(const struct in6_addr *address, struct buf *to)
{
	const uint8_t *b = address->s6_addr;
	uint16_t groups[8];
	int start, len;

	if (IN6_IS_ADDR_V4MAPPED(address)) {
		buf_printf(to, "::ffff:%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
		return;
	}
	for (int i = 0; i < 8; i++)
		groups[i] = b[2 * i] << 8 | b[2 * i + 1];
	longest_zeroes(groups, &start, &len);
	for (int i = 0; i < 8; i++) {
		if (i == start) {
			buf_str_append(to, "::");
			i += len - 1;
			continue;
		}
		if (i && i != start + len)
			buf_char(to, ':');
		buf_printf(to, "%x", groups[i]);
	}
}

static int normalise_ipv6(const char *text, size_t len, struct buf *to,
			  const char **ret_reason)
{
	char literal[INET6_ADDRSTRLEN];
	struct in6_addr address;

	*ret_reason = "bad IPv6 address";
	if (len < 2 || text[len - 1] != ']' || len - 2 >= sizeof(literal))
		return -EINVAL;
	memcpy(literal, text + 1, len - 2);
	literal[len - 2] = '\0';
	if (inet_pton(AF_INET6, literal, &address) != 1)
		return -EINVAL;
	format_ipv6(&address, to);
	return 0;
}

/* --- IPv4 --- */

/* "0x7f", "0177", "127": false if it is no number, or too large to be any. */
static bool parse_part(const char *text, size_t len, uint64_t *ret)
{
	unsigned base = 10;
	uint64_t value = 0;

	if (len >= 2 && text[0] == '0') {
		base = text[1] == 'x' ? 16 : 8;
		text += base == 16 ? 2 : 1;
		len -= base == 16 ? 2 : 1;
	} else if (!len) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
							: 99;

		if (digit >= base)
			return false;
		value = value * base + digit;
		if (value > UINT32_MAX)
			value = UINT64_C(1) << 32;	/* no more than "too large" */
	}
	*ret = value;
	return true;
}

/* The WHATWG "ends in a number" check: what resolvers would not ask DNS for. */
static bool ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot ? dot + 1 : host;
	uint64_t ignored;

	return (*last && strspn(last, "0123456789") == strlen(last)) ||
	       (last[0] == '0' && parse_part(last, strlen(last), &ignored));
}

static int parse_ipv4(const char *host, uint32_t *ret)
{
	uint64_t address = 0;

	for (int parts = 0; parts < 4; parts++) {
		size_t len = strcspn(host, ".");
		uint64_t value;

		if (!parse_part(host, len, &value))
			return -EINVAL;
		if (!host[len]) {
			/* The last part fills what is left: 127.1 is 127.0.0.1. */
			if (value >> (8 * (4 - parts)))
				return -EINVAL;
			*ret = address | value;
			return 0;
		}
		if (value > 255)
			return -EINVAL;
		address |= value << (8 * (3 - parts));
		host += len + 1;
	}
	return -EINVAL;
}

/* --- names --- */

static bool is_ascii(const char *s)
{
	while (*s)
		if ((unsigned char)*s++ >= 0x80)
			return false;
	return true;
}

static int append_ascii(const char *name, struct buf *to, const char **ret_reason)
{
	char *ascii = NULL;
	int err;

	if (is_ascii(name)) {
		buf_str_append(to, name);
		return 0;
	}
	err = idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (err == IDN2_MALLOC)
		return -ENOMEM;
	if (err != IDN2_OK) {
		*ret_reason = "not an internationalised host name";
		return -EINVAL;
	}
	buf_str_append(to, ascii);
	idn2_free(ascii);
	return 0;
}

static int check_labels(const char *host, const char **ret_reason)
{
	*ret_reason = "host name too long";
	if (strlen(host) > HOST_MAX)
		return -EINVAL;
	for (const char *label = host;; label++) {
		size_t len = strcspn(label, ".");

		*ret_reason = label == host && !*label ? "no host" : "empty label in the host name";
		if (!len)
			return -EINVAL;
		*ret_reason = "label of the host name too long";
		if (len > LABEL_MAX)
			return -EINVAL;
		*ret_reason = "character that no host name has";
		if (strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") < len)
			return -EINVAL;
		label += len;
		if (!*label)
			return 0;
	}
}

static int normalise_name(const char *text, size_t len, struct buf *to,
			  const char **ret_reason)
{
	struct buf raw _cleanup_(buf_fini) = BUF_INIT;
	uint32_t v4;
	int err;

	url_normalise_decode(&raw, text, len);
	if (!buf_ok(&raw))
		return -ENOMEM;
	*ret_reason = "character that no host name has";
	if (strlen(buf_str(&raw)) != raw.len)
		return -EINVAL;
	err = append_ascii(buf_str(&raw), to, ret_reason);
	if (err < 0)
		return err;
	if (!buf_ok(to))
		return -ENOMEM;
	for (size_t i = 0; i < to->len; i++)
		if (to->data[i] >= 'A' && to->data[i] <= 'Z')
			to->data[i] |= 0x20;
	if (to->len && to->data[to->len - 1] == '.')
		to->data[--to->len] = '\0';
	err = check_labels(buf_str(to), ret_reason);
	if (err < 0 || !ends_in_number(to->data))
		return err;
	*ret_reason = "bad IPv4 address";
	if (parse_ipv4(to->data, &v4) < 0)
		return -EINVAL;
	buf_reset(to);
	buf_printf(to, "%u.%u.%u.%u", v4 >> 24, v4 >> 16 & 255, v4 >> 8 & 255, v4 & 255);
	return 0;
}

int url_host_normalise(const char *text, size_t len, char **ret, const char **ret_reason)
{
	struct buf host _cleanup_(buf_fini) = BUF_INIT;
	int err;

	if (len && text[0] == '[')
		err = normalise_ipv6(text, len, &host, ret_reason);
	else
		err = normalise_name(text, len, &host, ret_reason);
	if (err < 0)
		return err;
	*ret = buf_take(&host);
	return *ret ? 0 : -ENOMEM;
}
