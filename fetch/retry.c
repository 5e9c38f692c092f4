#include "retry.h"

#include <stddef.h>
#include <string.h>

#include "http_date.h"

int64_t retry_delay_ms(int attempt, int64_t retry_after_ms, uint32_t random)
{
	int64_t window = RETRY_BASE_MS;
	int64_t delay;

	if (retry_after_ms > RETRY_AFTER_MAX_MS)
		return -1;
	while (attempt-- > 0 && window < RETRY_CAP_MS)
		window *= 2;
	if (window > RETRY_CAP_MS)
		window = RETRY_CAP_MS;
	delay = (window * random) >> 32;
	return delay > retry_after_ms ? delay : retry_after_ms;
}

static int64_t parse_seconds(const char *digits)
{
	int64_t value = 0;

	for (; *digits; digits++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *digits - '0', &value))
			return INT64_MAX;
	return __builtin_mul_overflow(value, 1000, &value) ? INT64_MAX : value;
}

int64_t retry_after_parse(const char *value, int64_t now_ms)
{
	int64_t date_s, delay;

	if (!value || !*value)
		return -1;
	if (value[strspn(value, "0123456789")] == '\0')
		return parse_seconds(value);
	if (http_date_parse(value, now_ms / 1000, &date_s) < 0)
		return -1;
	if (__builtin_mul_overflow(date_s, 1000, &delay) ||
	    __builtin_sub_overflow(delay, now_ms, &delay))
		return date_s < 0 ? 0 : INT64_MAX;
	return delay > 0 ? delay : 0;
}
