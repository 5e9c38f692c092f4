/* A date: it is invalid, or one that the C library writes the same way. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "../../fetch/http_date.h"

#define NOW INT64_C(1767225600)		/* 2026-01-01 00:00:00 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* From behind the day's name, which need not be the right one. */
static void check_same(const char *text, const char *want)
{
	text += strcspn(text, " ");
	want += strcspn(want, " ");
	/* Only up to where this ends: behind it is asctime()'s year. */
	assert(strncasecmp(text, want, strlen(want)) == 0);
}

/* The last digits of the year for each #. Not %Y, which leaves out leading zeros. */
static void fill_in_year(char *text, int year)
{
	char *digit;

	while ((digit = strrchr(text, '#'))) {
		*digit = (char)('0' + year % 10);
		year /= 10;
	}
}

static void check(const char *text, int64_t s)
{
	char want[64];
	time_t t = (time_t)s;
	struct tm tm;

	/* A leap second is the first one of the next minute. */
	if (strstr(text, ":60"))
		return;
	assert(gmtime_r(&t, &tm));
	if (!strchr(text, ',') && text[8] == '0') {
		strftime(want, sizeof(want), "%a %b %d %H:%M:%S ", &tm);
	} else if (!strchr(text, ',')) {
		strftime(want, sizeof(want), "%a %b %e %H:%M:%S ", &tm);
	} else if (strchr(text, '-')) {
		assert(s <= NOW + INT64_C(86400) * (366 * 13 + 365 * 37));
		strftime(want, sizeof(want), "%A, %d-%b-## %H:%M:%S GMT", &tm);
	} else {
		strftime(want, sizeof(want), "%a, %d %b #### %H:%M:%S GMT", &tm);
	}
	fill_in_year(want, tm.tm_year + 1900);
	check_same(text, want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);
	int64_t s = 42;
	int err;

	assert(text);
	memcpy(text, data, len);
	text[len] = '\0';
	err = http_date_parse(text, NOW, &s);
	assert(err == 0 || (err == -EBADMSG && s == 42));
	if (err == 0) {
		assert(s >= INT64_C(-62167219200) && s <= INT64_C(253402300800));
		check(text, s);
	}
	free(text);
	return 0;
}
