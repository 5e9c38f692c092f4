#include "content_range.h"

#include <errno.h>
#include <stdbool.h>
#include <strings.h>

/* 1*DIGIT, moving *at behind it. Less than INT64_MAX, so that one more fits. */
static bool take_number(const char **at, int64_t *ret)
{
	const char *begin = *at;
	int64_t value = 0;

	for (; **at >= '0' && **at <= '9'; ++*at)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, **at - '0', &value))
			return false;
	*ret = value;
	return *at > begin && value < INT64_MAX;
}

static bool take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

static bool take_range(const char **at, struct content_range *range)
{
	int64_t last;

	if (!take_number(at, &range->off) || !take_char(at, '-') || !take_number(at, &last))
		return false;
	range->end = last + 1;
	return range->off < range->end;
}

int content_range_parse(const char *value, struct content_range *ret)
{
	struct content_range range = { -1, -1, -1 };
	bool satisfied;

	/* Names of range units have no case (RFC 9110 14.1). */
	if (strncasecmp(value, "bytes ", 6))
		return -EBADMSG;
	value += 6;
	satisfied = !take_char(&value, '*');
	if ((satisfied && !take_range(&value, &range)) || !take_char(&value, '/'))
		return -EBADMSG;
	if (!(satisfied && take_char(&value, '*')) && !take_number(&value, &range.length))
		return -EBADMSG;
	if (*value || (range.length >= 0 && range.end > range.length))
		return -EBADMSG;
	*ret = range;
	return 0;
}
