#include "values.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>

struct unit {
	const char *name;
	int64_t factor;
};

/* Printed with the first that divides it, so the units behind the smallest one are
 * only read: nobody who wrote 7d expects 1w. */
static const struct unit durations[] = {
	{ "d", 86400000 }, { "h", 3600000 },	    { "m", 60000 },
	{ "s", 1000 },	   { "ms", 1 },		    { "min", 60000 },
	{ "", 1000 },	   { "w", 7 * 86400000LL }, { NULL, 0 },
};

static const struct unit sizes[] = {
	{ "P", 1LL << 50 }, { "T", 1LL << 40 }, { "G", 1LL << 30 },
	{ "M", 1LL << 20 }, { "K", 1LL << 10 }, { "", 1 },
	{ "B", 1 },	    { NULL, 0 },
};

/* Digits into *n: false when there is none or too many. */
static bool take_digits(const char **at, int64_t *n)
{
	const char *p = *at;

	for (*n = 0; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(*n, 10, n) ||
		    __builtin_add_overflow(*n, *p - '0', n))
			return false;
	if (p == *at)
		return false;
	*at = p;
	return true;
}

/* Six digits of a fraction, in millionths; more of them change nothing that
 * could be seen. */
static bool take_fraction(const char **at, int64_t *millionths)
{
	int64_t scale = 100000;

	*millionths = 0;
	if (**at != '.')
		return true;
	if (!isdigit((unsigned char)*++*at))
		return false;
	for (; isdigit((unsigned char)**at); ++*at, scale /= 10)
		*millionths += (**at - '0') * scale;
	return true;
}

static int scaled(int64_t whole, int64_t millionths, int64_t factor, int64_t *ret)
{
	int64_t n, more;

	if (__builtin_mul_overflow(whole, factor, &n))
		return -EINVAL;
	more = (int64_t)((__int128)millionths * factor / 1000000);
	if (__builtin_add_overflow(n, more, &n))
		return -EINVAL;
	*ret = n;
	return 0;
}

int value_duration_ms(const char *text, int64_t *ret)
{
	int64_t whole, millionths;

	if (!take_digits(&text, &whole) || !take_fraction(&text, &millionths))
		return -EINVAL;
	for (const struct unit *u = durations; u->name; u++)
		if (strcmp(text, u->name) == 0)
			return scaled(whole, millionths, u->factor, ret);
	return -EINVAL;
}

int value_size(const char *text, int64_t *ret)
{
	int64_t whole, millionths;
	char unit[2] = "";

	if (!take_digits(&text, &whole) || !take_fraction(&text, &millionths))
		return -EINVAL;
	if (*text)
		unit[0] = (char)toupper((unsigned char)*text++);
	if (*text && strcmp(text, "iB") != 0 && strcmp(text, "B") != 0)
		return -EINVAL;
	if (*text && strchr("B", unit[0]))
		return -EINVAL;
	for (const struct unit *u = sizes; u->name; u++)
		if (strcmp(unit, u->name) == 0)
			return scaled(whole, millionths, u->factor, ret);
	return -EINVAL;
}

int value_percent(const char *text, int *ret)
{
	int64_t n;

	if (!take_digits(&text, &n) || strcmp(text, "%") != 0 || n < 1 || n > 100)
		return -EINVAL;
	*ret = (int)n;
	return 0;
}

int value_number(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	int64_t n;

	if (!take_digits(&text, &n) || *text || n < min || n > max)
		return -EINVAL;
	*ret = n;
	return 0;
}

int value_octal(const char *text, mode_t *ret)
{
	mode_t mode = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '7')
			return -EINVAL;
		mode = mode * 8 + (mode_t)(*text - '0');
		if (mode > 0777)
			return -EINVAL;
	}
	*ret = mode;
	return 0;
}

int value_user(const char *text, uid_t *ret)
{
	int64_t n;
	struct passwd *user;

	if (value_number(text, 0, (uid_t)-2, &n) == 0) {
		*ret = (uid_t)n;
		return 0;
	}
	user = getpwnam(text);
	if (!user)
		return -ENOENT;
	*ret = user->pw_uid;
	return 0;
}

int value_group(const char *text, gid_t *ret)
{
	int64_t n;
	struct group *group;

	if (value_number(text, 0, (gid_t)-2, &n) == 0) {
		*ret = (gid_t)n;
		return 0;
	}
	group = getgrnam(text);
	if (!group)
		return -ENOENT;
	*ret = group->gr_gid;
	return 0;
}

static void print_unit(struct buf *to, int64_t n, const struct unit *u)
{
	for (; u->factor > 1; u++)
		if (n && n % u->factor == 0)
			break;
	buf_printf(to, "%lld%s", (long long)(n / u->factor), u->name);
}

void value_print_duration(struct buf *to, int64_t ms)
{
	if (ms == 0)
		buf_str_append(to, "0s");
	else
		print_unit(to, ms, durations);
}

void value_print_size(struct buf *to, int64_t bytes)
{
	print_unit(to, bytes, sizes);
}
