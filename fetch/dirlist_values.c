/* dirlist_values.c - sizes and times as listings for people write them. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "dirlist.h"

/* "123" is exact; "1.2K", "120.5K", "4 MiB" are not. */
void dirlist_value_size(const char *text, struct dirlist_entry *e, bool *ret_exact)
{
	static const char units[] = "KMGTPE";
	const char *unit;
	double size;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return;
	errno = 0;
	if (text[strspn(text, "0123456789")] == '\0') {
		long long n = strtoll(text, NULL, 10);

		if (errno || n > INT64_MAX / 2)
			return;
		e->size = n;
		*ret_exact = true;
		return;
	}
	size = strtod(text, &end);
	end += *end == ' ';
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	for (ptrdiff_t i = unit ? unit - units : -1; i >= 0; i--)
		size *= 1024;
	if (size >= 0 && size < 1e18)
		e->size = (int64_t)size;
	*ret_exact = false;
}

/* --- times --- */

static const char *const months[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

/* Exactly n digits. */
static bool number(const char **p, int n, int *ret)
{
	int value = 0;

	for (int i = 0; i < n; i++, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return false;
		value = value * 10 + (**p - '0');
	}
	*ret = value;
	return true;
}

static bool literal(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* "09" or "Sep"; *ret from 0 on. */
static bool month(const char **p, int *ret)
{
	if (number(p, 2, ret)) {
		(*ret)--;
		return true;
	}
	for (int i = 0; i < 12; i++)
		if (strncasecmp(*p, months[i], 3) == 0) {
			*ret = i;
			*p += 3;
			return true;
		}
	return false;
}

static bool seconds(const struct tm *tm, int64_t *ret)
{
	struct tm t = *tm;
	time_t s;

	if (tm->tm_mon < 0 || tm->tm_mon > 11 || tm->tm_mday < 1 || tm->tm_mday > 31 ||
	    tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60)
		return false;
	s = timegm(&t);
	if (s < 0)
		return false;
	*ret = s;
	return true;
}

static bool date(const char **p, struct tm *tm)
{
	const char *start = *p;

	/* 2020-09-13, 2020-Sep-13 */
	if (number(p, 4, &tm->tm_year) && literal(p, '-') && month(p, &tm->tm_mon) &&
	    literal(p, '-') && number(p, 2, &tm->tm_mday)) {
		tm->tm_year -= 1900;
		return true;
	}
	/* 13-Sep-2020 */
	*p = start;
	if (number(p, 2, &tm->tm_mday) && literal(p, '-') && month(p, &tm->tm_mon) &&
	    literal(p, '-') && number(p, 4, &tm->tm_year)) {
		tm->tm_year -= 1900;
		return true;
	}
	return false;
}

static bool time_of_day(const char **p, struct tm *tm)
{
	if (!number(p, 2, &tm->tm_hour) || !literal(p, ':') || !number(p, 2, &tm->tm_min))
		return false;
	return !literal(p, ':') || number(p, 2, &tm->tm_sec);
}

/* None of these says in which time zone, so even one with seconds is not exact. */
void dirlist_value_date(const char *text, struct dirlist_entry *e, bool *ret_exact)
{
	struct tm tm = { 0 };

	if (!date(&text, &tm) || !literal(&text, ' ') || !time_of_day(&text, &tm) ||
	    !seconds(&tm, &e->mtime_s))
		return;
	*ret_exact = false;
}

bool dirlist_value_iso(const char *text, int64_t *ret_s)
{
	struct tm tm = { 0 };
	int hour = 0, minute = 0, sign = 0;

	text += strspn(text, " ");
	if (!date(&text, &tm) || !literal(&text, 'T') || !time_of_day(&text, &tm))
		return false;
	if (literal(&text, '.'))
		text += strspn(text, "0123456789");
	if (literal(&text, '+'))
		sign = -1;
	else if (literal(&text, '-'))
		sign = 1;
	else if (!literal(&text, 'Z') && !literal(&text, 'z'))
		return false;
	if (sign && (!number(&text, 2, &hour) || !literal(&text, ':') ||
		     !number(&text, 2, &minute)))
		return false;
	if (!seconds(&tm, ret_s))
		return false;
	*ret_s += sign * (hour * 3600 + minute * 60);
	return true;
}
