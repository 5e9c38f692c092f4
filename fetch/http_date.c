#include "http_date.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct moment {
	int year, month, day, hour, minute, second;	/* month 0..11, day 1..31 */
};

static const char *const short_days[] = {
	"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat",
};
static const char *const long_days[] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
};
static const char *const months[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

/* The readers below move *s behind what they took and say whether it was there. */

static bool take_text(const char **s, const char *text)
{
	size_t len = strlen(text);

	if (strncasecmp(*s, text, len) != 0)
		return false;
	*s += len;
	return true;
}

static bool take_name(const char **s, const char *const *names, int n, int *ret)
{
	int i;

	for (i = 0; i < n; i++) {
		if (take_text(s, names[i])) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool take_digits(const char **s, int n, int *ret)
{
	int value = 0, i;

	for (i = 0; i < n; i++) {
		if ((*s)[i] < '0' || (*s)[i] > '9')
			return false;
		value = value * 10 + ((*s)[i] - '0');
	}
	*s += n;
	*ret = value;
	return true;
}

static bool take_time(const char **s, struct moment *m)
{
	return take_digits(s, 2, &m->hour) && take_text(s, ":") &&
	       take_digits(s, 2, &m->minute) && take_text(s, ":") &&
	       take_digits(s, 2, &m->second);
}

static bool parse_fixdate(const char *s, struct moment *m)
{
	int day_name;

	return take_name(&s, short_days, 7, &day_name) && take_text(&s, ", ") &&
	       take_digits(&s, 2, &m->day) && take_text(&s, " ") &&
	       take_name(&s, months, 12, &m->month) && take_text(&s, " ") &&
	       take_digits(&s, 4, &m->year) && take_text(&s, " ") &&
	       take_time(&s, m) && take_text(&s, " GMT") && !*s;
}

/* Leaves the year as two digits. */
static bool parse_rfc850(const char *s, struct moment *m)
{
	int day_name;

	return take_name(&s, long_days, 7, &day_name) && take_text(&s, ", ") &&
	       take_digits(&s, 2, &m->day) && take_text(&s, "-") &&
	       take_name(&s, months, 12, &m->month) && take_text(&s, "-") &&
	       take_digits(&s, 2, &m->year) && take_text(&s, " ") &&
	       take_time(&s, m) && take_text(&s, " GMT") && !*s;
}

static bool parse_asctime(const char *s, struct moment *m)
{
	int day_name;

	return take_name(&s, short_days, 7, &day_name) && take_text(&s, " ") &&
	       take_name(&s, months, 12, &m->month) && take_text(&s, " ") &&
	       (take_text(&s, " ") ? take_digits(&s, 1, &m->day) :
				     take_digits(&s, 2, &m->day)) &&
	       take_text(&s, " ") && take_time(&s, m) && take_text(&s, " ") &&
	       take_digits(&s, 4, &m->year) && !*s;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool is_real(const struct moment *m)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int length = lengths[m->month] + (m->month == 1 && is_leap(m->year));

	return m->day >= 1 && m->day <= length && m->hour <= 23 && m->minute <= 59 &&
	       m->second <= 60;		/* 60: a leap second */
}

/* Days of the proleptic Gregorian calendar before the year's first of January,
 * counted from 1970. Not timegm(): its struct tm takes what is not a date. */
static int64_t days_before_year(int year)
{
	int64_t y = (int64_t)year - 1;

	/* The 400 years added keep the divisions away from negative numbers. */
	y += 400;
	return y * 365 + y / 4 - y / 100 + y / 400 - (719162 + 146097);
}

static int64_t to_seconds(const struct moment *m)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int64_t days = days_before_year(m->year) + before[m->month] + m->day - 1;

	if (m->month > 1 && is_leap(m->year))
		days++;
	return days * 86400 + m->hour * 3600 + m->minute * 60 + m->second;
}

static int year_of(int64_t seconds)
{
	const int64_t last = INT64_C(253402300799);	/* 9999-12-31 23:59:59 */
	int year;

	if (seconds < 0)
		seconds = 0;
	if (seconds > last)
		seconds = last;
	year = 1970 + (int)(seconds / 31556952);	/* a mean year; off by one at most */
	while (days_before_year(year + 1) * 86400 <= seconds)
		year++;
	while (days_before_year(year) * 86400 > seconds)
		year--;
	return year;
}

/* The latest year with these two digits that is not more than 50 years ahead. */
static void place_year(struct moment *m, int64_t now_s)
{
	struct moment limit = *m;
	int now_year = year_of(now_s), digits = m->year;

	m->year = now_year - now_year % 100 + 100 + digits;
	while (m->year > now_year + 50)
		m->year -= 100;
	if (m->year < now_year + 50)
		return;
	/* The same year: to the second. */
	limit.year = now_year;
	if (to_seconds(&limit) > now_s)
		m->year -= 100;
}

int http_date_parse(const char *text, int64_t now_s, int64_t *ret_s)
{
	struct moment m = { 0 };

	if (parse_rfc850(text, &m))
		place_year(&m, now_s);
	else if (!parse_fixdate(text, &m) && !parse_asctime(text, &m))
		return -EBADMSG;
	if (!is_real(&m))
		return -EBADMSG;
	*ret_s = to_seconds(&m);
	return 0;
}
