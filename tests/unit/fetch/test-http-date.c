/* The three date formats (RFC 9110 5.6.7), as strict as caches want them
 * (RFC 9111 4.2, 5.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "../../../fetch/http_date.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW INT64_C(1767225600)		/* 2026-01-01 00:00:00 */

static const struct valid_case {
	const char *rfc, *text;
	int64_t want_s;
} valid_cases[] = {
	{ "9110 5.6.7 IMF-fixdate", "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
	{ "9110 5.6.7 RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
	{ "9110 5.6.7 asctime", "Sun Nov  6 08:49:37 1994", 784111777 },
	{ "9110 5.6.7 asctime, two digits", "Wed Nov 16 08:49:37 1994", 784975777 },
	{ "9110 5.6.7 asctime, leading 0", "Sun Nov 06 08:49:37 1994", 784111777 },
	{ "the epoch", "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
	{ "before the epoch", "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
	{ "long before", "Mon, 01 Jan 0001 00:00:00 GMT", -62135596800 },
	{ "year 0", "Sat, 01 Jan 0000 00:00:00 GMT", -62167219200 },
	{ "leap day", "Tue, 29 Feb 2000 00:00:00 GMT", 951782400 },
	{ "leap day", "Thu, 29 Feb 2024 23:59:59 GMT", 1709251199 },
	{ "the day after", "Fri, 01 Mar 2024 00:00:00 GMT", 1709251200 },
	{ "no leap year", "Mon, 01 Mar 2100 00:00:00 GMT", 4107542400 },
	{ "9110 5.6.7 leap second", "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
	{ "more than 31 bits", "Tue, 19 Jan 2038 14:14:08 GMT", 2147523248 },
	{ "more than 32 bits", "Sun, 21 Nov 2286 04:46:39 GMT", 10000039599 },
	{ "the last", "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
	{ "9111 4.2 case of the day", "SUN, 06 Nov 1994 08:49:37 GMT", 784111777 },
	{ "9111 4.2 case of the month", "Sun, 06 NOV 1994 08:49:37 GMT", 784111777 },
	{ "9111 4.2 case of the zone", "Sun, 06 Nov 1994 08:49:37 gMT", 784111777 },
	{ "9111 4.2 case, RFC 850", "sunday, 06-nov-94 08:49:37 gmt", 784111777 },
	{ "another day's name", "Thu Aug  8 02:01:18 2050", 2543536878 },
	{ "another day's name", "Mon, 06 Nov 1994 08:49:37 GMT", 784111777 },
};

static void valid_dates_are_read(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(valid_cases); i++) {
		const struct valid_case *c = &valid_cases[i];
		int64_t got = INT64_MIN;

		if (http_date_parse(c->text, NOW, &got) != 0 || got != c->want_s)
			fail_msg("%s: '%s' gave %lld, not %lld", c->rfc, c->text,
				 (long long)got, (long long)c->want_s);
	}
}

static const struct invalid_case {
	const char *rfc, *text;
} invalid_cases[] = {
	{ "9111 5.3", "0" },
	{ "9111 5.3", "" },
	{ "9111 5.3", "-1" },
	{ "9111 5.3", "now" },
	{ "9111 4.2 zone", "Thu, 18 Aug 2050 02:01:18 UTC" },
	{ "9111 4.2 zone", "Thu, 18 Aug 2050 02:01:18 AEST" },
	{ "9111 4.2 zone", "Thu, 18 Aug 2050 02:01:18 +0000" },
	{ "9110 5.6.7 no zone", "Thu, 18 Aug 2050 02:01:18" },
	{ "9110 5.6.7 no zone", "Thu, 18 Aug 2050 02:01:18 " },
	{ "9110 5.6.7 asctime has no zone", "Thu Aug 18 02:01:18 2050 GMT" },
	{ "9110 5.6.7 two-digit year", "Thu, 18 Aug 50 02:01:18 GMT" },
	{ "9110 5.6.7 no comma", "Thu 18 Aug 2050 02:01:18 GMT" },
	{ "9110 5.6.7 spaces", "Thu, 18  Aug  2050 02:01:18 GMT" },
	{ "9110 5.6.7 spaces", "Thu,  18 Aug 2050 02:01:18 GMT" },
	{ "9110 5.6.7 no space", "Thu,18 Aug 2050 02:01:18 GMT" },
	{ "9110 5.6.7 spaces", " Thu, 18 Aug 2050 02:01:18 GMT" },
	{ "9110 5.6.7 tab", "Thu,\t18 Aug 2050 02:01:18 GMT" },
	{ "9110 5.6.7 dashes", "Thu, 18-Aug-2050 02:01:18 GMT" },
	{ "9110 5.6.7 dashes, short day", "Thu, 18-Aug-50 02:01:18 GMT" },
	{ "9110 5.6.7 long day", "Thursday, 18 Aug 2050 02:01:18 GMT" },
	{ "9110 5.6.7 RFC 850, year", "Thursday, 18-Aug-2050 02:01:18 GMT" },
	{ "9110 5.6.7 long month", "Thu, 18 August 2050 02:01:18 GMT" },
	{ "9110 5.6.7 periods", "Thu, 18 Aug 2050 02.01.18 GMT" },
	{ "9110 5.6.7 1-digit hour", "Thu, 18 Aug 2050 2:01:18 GMT" },
	{ "9110 5.6.7 1-digit day", "Thu, 8 Aug 2050 02:01:18 GMT" },
	{ "9110 5.6.7 asctime, 1-digit day", "Mon Aug 8 02:01:18 2050" },
	{ "9110 5.6.7 asctime, no year", "Mon Aug  8 02:01:18" },
	{ "9110 5.6.7 no seconds", "Thu, 18 Aug 2050 02:01 GMT" },
	{ "9110 5.6.7 no day", "18 Aug 2050 02:01:18 GMT" },
	{ "9110 5.6.7 unknown day", "Tho, 18 Aug 2050 02:01:18 GMT" },
	{ "9110 5.6.7 unknown month", "Thu, 18 Avg 2050 02:01:18 GMT" },
	{ "9110 5.6.7 more behind it", "Thu, 18 Aug 2050 02:01:18 GMT;" },
	{ "9110 5.6.7 a list", "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:19 GMT" },
	{ "9110 5.6.7 hour", "Thu, 18 Aug 2050 24:00:00 GMT" },
	{ "9110 5.6.7 minute", "Thu, 18 Aug 2050 02:60:18 GMT" },
	{ "9110 5.6.7 second", "Thu, 18 Aug 2050 02:01:61 GMT" },
	{ "9110 5.6.7 sign", "Thu, 18 Aug 2050 -2:01:18 GMT" },
	{ "9110 5.6.7 day 0", "Thu, 00 Aug 2050 02:01:18 GMT" },
	{ "9110 5.6.7 day 32", "Thu, 32 Aug 2050 02:01:18 GMT" },
	{ "9110 5.6.7 31 June", "Thu, 31 Jun 2050 02:01:18 GMT" },
	{ "9110 5.6.7 no leap year", "Thu, 29 Feb 2025 02:01:18 GMT" },
	{ "9110 5.6.7 no leap year", "Thu, 29 Feb 2100 02:01:18 GMT" },
	{ "9110 5.6.7 no leap year", "Thursday, 29-Feb-25 02:01:18 GMT" },
	{ "ISO 8601", "2050-08-18T02:01:18Z" },
	{ "seconds", "2543536878" },
};

static void everything_else_is_invalid_and_leaves_the_result_alone(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(invalid_cases); i++) {
		int64_t got = 42;

		if (http_date_parse(invalid_cases[i].text, NOW, &got) != -EBADMSG || got != 42)
			fail_msg("%s: '%s' was taken for %lld", invalid_cases[i].rfc,
				 invalid_cases[i].text, (long long)got);
	}
}

static const struct year_case {
	const char *now, *text, *same;	/* now and same as IMF-fixdate */
} year_cases[] = {
	{ "Thu, 01 Jan 2026 00:00:00 GMT", "Thursday, 18-Aug-50 02:01:18 GMT",
	  "Thu, 18 Aug 2050 02:01:18 GMT" },
	{ "Thu, 01 Jan 2026 00:00:00 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
	  "Sun, 06 Nov 1994 08:49:37 GMT" },
	{ "Thu, 01 Jan 2026 00:00:00 GMT", "Thursday, 01-Jan-26 00:00:00 GMT",
	  "Thu, 01 Jan 2026 00:00:00 GMT" },
	{ "Thu, 01 Jan 2026 00:00:00 GMT", "Friday, 31-Dec-99 00:00:00 GMT",
	  "Fri, 31 Dec 1999 00:00:00 GMT" },
	/* 50 years ahead to the second, and one second more */
	{ "Mon, 15 Jun 2026 12:00:00 GMT", "Monday, 15-Jun-76 12:00:00 GMT",
	  "Mon, 15 Jun 2076 12:00:00 GMT" },
	{ "Mon, 15 Jun 2026 12:00:00 GMT", "Tuesday, 15-Jun-76 12:00:01 GMT",
	  "Tue, 15 Jun 1976 12:00:01 GMT" },
	{ "Mon, 15 Jun 2026 12:00:00 GMT", "Tuesday, 01-Jan-77 00:00:00 GMT",
	  "Sat, 01 Jan 1977 00:00:00 GMT" },
	/* across the turn of a century */
	{ "Fri, 31 Dec 1999 23:59:59 GMT", "Saturday, 01-Jan-00 00:00:00 GMT",
	  "Sat, 01 Jan 2000 00:00:00 GMT" },
	{ "Sun, 01 Jan 2080 00:00:00 GMT", "Friday, 01-Jan-10 00:00:00 GMT",
	  "Wed, 01 Jan 2110 00:00:00 GMT" },
	{ "Sun, 01 Jan 2080 00:00:00 GMT", "Friday, 01-Jan-31 00:00:00 GMT",
	  "Wed, 01 Jan 2031 00:00:00 GMT" },
};

static void two_digit_years_are_at_most_50_years_ahead(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(year_cases); i++) {
		const struct year_case *c = &year_cases[i];
		int64_t now, got, want;

		assert_int_equal(http_date_parse(c->now, NOW, &now), 0);
		assert_int_equal(http_date_parse(c->same, NOW, &want), 0);
		assert_int_equal(http_date_parse(c->text, now, &got), 0);
		if (got != want)
			fail_msg("%s at %s gave %lld, not %lld", c->text, c->now,
				 (long long)got, (long long)want);
	}
}

/* Every day of 800 years, against the C library. */
static void all_days_agree_with_the_c_library(void **state)
{
	int64_t s;

	(void)state;
	for (s = -INT64_C(86400) * 365 * 300; s < INT64_C(86400) * 365 * 500; s += 86400 - 7) {
		time_t t = (time_t)s;
		struct tm tm;
		char text[40];
		int64_t got;

		assert_non_null(gmtime_r(&t, &tm));
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		assert_int_equal(http_date_parse(text, NOW, &got), 0);
		assert_int_equal(got, s);
		strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm);
		assert_int_equal(http_date_parse(text, NOW, &got), 0);
		assert_int_equal(got, s);
	}
}

static void a_senseless_clock_does_no_harm(void **state)
{
	static const int64_t clocks[] = { INT64_MIN, -1, 0, INT64_MAX };
	int64_t got;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(clocks); i++)
		assert_int_equal(http_date_parse("Sunday, 06-Nov-94 08:49:37 GMT", clocks[i],
						 &got), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_dates_are_read),
		cmocka_unit_test(everything_else_is_invalid_and_leaves_the_result_alone),
		cmocka_unit_test(two_digit_years_are_at_most_50_years_ahead),
		cmocka_unit_test(all_days_agree_with_the_c_library),
		cmocka_unit_test(a_senseless_clock_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
