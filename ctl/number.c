#include "ctl.h"

#include <stdio.h>
#include <string.h>

#define SLOTS 8

static char *slot(void)
{
	static char texts[SLOTS][32];
	static unsigned next;

	return texts[next++ % SLOTS];
}

const char *number_bytes(double bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	char *text = slot();
	size_t i = 0;

	while (bytes >= 999.5 && i + 1 < sizeof units / sizeof *units) {
		bytes /= 1024;
		i++;
	}
	snprintf(text, 32, i && bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes, units[i]);
	return text;
}

const char *number_count(double n)
{
	char digits[32], *text = slot(), *to = text;
	int len = snprintf(digits, sizeof digits, n > 0 && n < 9.95 && n != (double)(long)n ?
			   "%.1f" : "%.0f", n);

	if (strchr(digits, '.') || len > 20)
		len = 0;
	for (int i = 0; digits[i]; i++) {
		if (len && i && digits[i - 1] != '-' && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}

const char *number_time(double s)
{
	long t = (long)s;
	char *text = slot();

	if (s < 10)
		snprintf(text, 32, "%.1fs", s);
	else if (t < 60)
		snprintf(text, 32, "%lds", t);
	else if (t < 3600)
		snprintf(text, 32, "%ldm %02lds", t / 60, t % 60);
	else if (t < 86400)
		snprintf(text, 32, "%ldh %02ldm", t / 3600, t / 60 % 60);
	else
		snprintf(text, 32, "%ldd %02ldh", t / 86400, t / 3600 % 24);
	return text;
}

const char *number_ms(double ms)
{
	char *text;

	if (ms >= 999.5)
		return number_time(ms / 1000);
	text = slot();
	snprintf(text, 32, ms > 0 && ms < 9.95 ? "%.1fms" : "%.0fms", ms);
	return text;
}
