/* freshness-tools.h - what freshness.c says of the headers of a response. For its tests.
 *
 * In the header sections, @N is the HTTP date N seconds after the response. */
#ifndef TESTS_FRESHNESS_TOOLS_H
#define TESTS_FRESHNESS_TOOLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../../fetch/freshness.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW_S INT64_C(1767225600)	/* 2026-01-01 00:00:00 */
#define DAY 86400

enum who { PRIVATE, SHARED, AUTHORIZED_PRIVATE, AUTHORIZED_SHARED, TARGETED };

static inline void append_date(struct buf *to, int64_t s)
{
	time_t t = (time_t)s;
	char text[40];
	struct tm tm;

	assert_non_null(gmtime_r(&t, &tm));
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	buf_str_append(to, text);
}

static inline void parse_section(const char *text, struct headers *ret)
{
	struct buf full = BUF_INIT;

	while (*text) {
		if (*text == '@') {
			char *end;

			append_date(&full, NOW_S + strtoll(text + 1, &end, 10));
			text = end;
		} else {
			buf_char(&full, *text++);
		}
	}
	assert_true(buf_ok(&full));
	assert_int_equal(headers_parse(buf_str(&full), ret), 0);
	buf_fini(&full);
}

static inline struct freshness_policy policy_of(enum who who)
{
	return (struct freshness_policy){
		.shared = who == SHARED || who == AUTHORIZED_SHARED || who == TARGETED,
		.authorized = who == AUTHORIZED_PRIVATE || who == AUTHORIZED_SHARED,
		.ttl_ms = -1,
		.max_ttl_ms = -1,
		.negative_ttl_ms = 10 * 1000,
		.targeted = who == TARGETED ? "CDN-Cache-Control" : NULL,
	};
}

static inline void judge(const struct freshness_policy *policy, int status, const char *section,
		  struct freshness_verdict *ret)
{
	struct freshness_input in = {
		.status = status,
		.request_ms = NOW_S * 1000,
		.response_ms = NOW_S * 1000,
	};
	struct headers h;

	parse_section(section, &h);
	in.headers = &h;
	freshness_verdict(policy, &in, ret);
	headers_fini(&h);
	assert_non_null(ret->reason);
	assert_true(ret->lifetime_ms >= 0 && ret->age_ms >= 0);
	assert_true(ret->swr_ms >= 0 && ret->sie_ms >= 0);
	assert_true(ret->store || (!ret->lifetime_ms && !ret->swr_ms && !ret->sie_ms &&
				   !ret->age_ms));
}

#endif
