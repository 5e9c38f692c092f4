#include "kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "values.h"

#define FIELD(type, o, option) ((type *)((char *)(o) + (option)->offset))
#define CONST_FIELD(type, o, option) ((const type *)((const char *)(o) + (option)->offset))

/* --- flags --- */

/* 0, 1 or -EINVAL. */
static int read_flag(const char *value)
{
	static const char *const words[] = { "no", "yes", "0", "1", "off", "on", "false", "true" };

	if (!value)
		return 1;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(value, words[i]) == 0)
			return i % 2;
	return -EINVAL;
}

static int parse_flag(struct options *o, const struct setting *option, const char *value,
		      const char **ret_reason)
{
	int flag = read_flag(value);

	(void)ret_reason;
	if (flag < 0)
		return flag;
	*FIELD(bool, o, option) = flag;
	return 0;
}

static void print_flag(const struct options *o, const struct setting *option, struct buf *to)
{
	buf_str_append(to, *CONST_FIELD(bool, o, option) ? "yes" : "no");
}

const struct kind kind_flag = { parse_flag, print_flag, "yes or no", true };

static int parse_flag_or_auto(struct options *o, const struct setting *option,
			      const char *value, const char **ret_reason)
{
	int flag = read_flag(value);

	(void)ret_reason;
	if (flag < 0)
		return flag;
	*FIELD(int, o, option) = flag;
	return 0;
}

static void print_flag_or_auto(const struct options *o, const struct setting *option,
			       struct buf *to)
{
	buf_str_append(to, *CONST_FIELD(int, o, option) > 0 ? "yes" : "no");
}

const struct kind kind_flag_or_auto = { parse_flag_or_auto, print_flag_or_auto, "yes or no",
					true };

/* --- text --- */

static int parse_string(struct options *o, const struct setting *option, const char *value,
			const char **ret_reason)
{
	char *copy;

	(void)ret_reason;
	if (!*value)
		return -EINVAL;
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	free(*FIELD(char *, o, option));
	*FIELD(char *, o, option) = copy;
	return 0;
}

static void print_string(const struct options *o, const struct setting *option, struct buf *to)
{
	const char *text = *CONST_FIELD(char *, o, option);

	buf_str_append(to, text ? text : "");
}

/* "none" is an empty list, to have none of the default's. */
static int parse_names(struct options *o, const struct setting *option, const char *value,
		       const char **ret_reason)
{
	int err = parse_string(o, option, value, ret_reason);

	if (err == 0 && strcmp(value, "none") == 0)
		**FIELD(char *, o, option) = '\0';
	return err;
}

static void print_names(const struct options *o, const struct setting *option, struct buf *to)
{
	const char *text = *CONST_FIELD(char *, o, option);

	buf_str_append(to, text && *text ? text : "none");
}

/* A proxy's URL may hold a password. */
static void print_proxy(const struct options *o, const struct setting *option, struct buf *to)
{
	const char *text = *CONST_FIELD(char *, o, option);
	const char *at = text ? strrchr(text, '@') : NULL;
	const char *scheme = text ? strstr(text, "://") : NULL;

	if (!at)
		return print_string(o, option, to);
	if (scheme && scheme < at)
		buf_append(to, text, (size_t)(scheme + 3 - text));
	buf_str_append(to, "***");
	buf_str_append(to, at);
}

const struct kind kind_names = { parse_names, print_names, "names separated by ':', or none",
				 false };
const struct kind kind_string = { parse_string, print_string, "text", false };
const struct kind kind_proxy = { parse_string, print_proxy, "a proxy's URL", false };

/* --- time --- */

#define EXPECTS_DURATION "a duration such as 500ms, 10m or 7d"

static int parse_duration(struct options *o, const struct setting *option, const char *value,
			  const char **ret_reason)
{
	(void)ret_reason;
	return value_duration_ms(value, FIELD(int64_t, o, option));
}

static int parse_time_limit(struct options *o, const struct setting *option, const char *value,
			    const char **ret_reason)
{
	int64_t ms;

	(void)ret_reason;
	if (value_duration_ms(value, &ms) < 0 || ms == 0)
		return -EINVAL;
	*FIELD(int64_t, o, option) = ms;
	return 0;
}

/* The words stand for -1. */
static int parse_duration_or(struct options *o, const struct setting *option, const char *value,
			     const char *word)
{
	if (strcmp(value, word) == 0) {
		*FIELD(int64_t, o, option) = -1;
		return 0;
	}
	return value_duration_ms(value, FIELD(int64_t, o, option));
}

static int parse_duration_or_none(struct options *o, const struct setting *option,
				  const char *value, const char **ret_reason)
{
	(void)ret_reason;
	return parse_duration_or(o, option, value, "none");
}

static int parse_duration_or_auto(struct options *o, const struct setting *option,
				  const char *value, const char **ret_reason)
{
	(void)ret_reason;
	return parse_duration_or(o, option, value, "auto");
}

static void print_duration_or(int64_t ms, const char *word, struct buf *to)
{
	if (ms < 0)
		buf_str_append(to, word);
	else
		value_print_duration(to, ms);
}

static void print_duration(const struct options *o, const struct setting *option, struct buf *to)
{
	print_duration_or(*CONST_FIELD(int64_t, o, option), "none", to);
}

static void print_duration_or_auto(const struct options *o, const struct setting *option,
				   struct buf *to)
{
	print_duration_or(*CONST_FIELD(int64_t, o, option), "auto", to);
}

const struct kind kind_duration = { parse_duration, print_duration, EXPECTS_DURATION, false };
const struct kind kind_time_limit = { parse_time_limit, print_duration,
				      EXPECTS_DURATION " above 0", false };
const struct kind kind_duration_or_none = { parse_duration_or_none, print_duration,
					    EXPECTS_DURATION ", or none", false };
const struct kind kind_duration_or_auto = { parse_duration_or_auto, print_duration_or_auto,
					    EXPECTS_DURATION ", or auto", false };

/* --- size --- */

static int parse_size_or_none(struct options *o, const struct setting *option, const char *value,
			      const char **ret_reason)
{
	(void)ret_reason;
	if (strcmp(value, "none") == 0) {
		*FIELD(int64_t, o, option) = -1;
		return 0;
	}
	return value_size(value, FIELD(int64_t, o, option));
}

static void print_size(const struct options *o, const struct setting *option, struct buf *to)
{
	int64_t bytes = *CONST_FIELD(int64_t, o, option);

	if (bytes < 0)
		buf_str_append(to, "none");
	else
		value_print_size(to, bytes);
}

static int parse_rate(struct options *o, const struct setting *option, const char *value,
		      const char **ret_reason)
{
	int64_t rate = -1;

	(void)ret_reason;
	if (strcmp(value, "none") != 0 && (value_size(value, &rate) < 0 || rate < 1024))
		return -EINVAL;
	*FIELD(int64_t, o, option) = rate;
	return 0;
}

static int parse_quantity(struct options *o, const struct setting *option, const char *value,
			  const char **ret_reason)
{
	struct quantity quantity = { -1, 0 };

	(void)ret_reason;
	if (value_percent(value, &quantity.percent) < 0 &&
	    value_size(value, &quantity.bytes) < 0)
		return -EINVAL;
	*FIELD(struct quantity, o, option) = quantity;
	return 0;
}

/* options_complete() turned shares into bytes: those are in force. */
static void print_quantity(const struct options *o, const struct setting *option, struct buf *to)
{
	const struct quantity *quantity = CONST_FIELD(struct quantity, o, option);

	if (quantity->bytes >= 0)
		value_print_size(to, quantity->bytes);
	else if (quantity->percent)
		buf_printf(to, "%d%%", quantity->percent);
}

const struct kind kind_size_or_none = { parse_size_or_none, print_size,
					"a size such as 64K, 10M or 20G, or none", false };
const struct kind kind_rate = { parse_rate, print_size,
				"a size of at least 1K, such as 500K or 10M, or none", false };
const struct kind kind_quantity = { parse_quantity, print_quantity,
				    "a size such as 500M or 20G, or a share of the disk such as 10%",
				    false };

/* --- numbers --- */

static int parse_number(struct options *o, const struct setting *option, const char *value,
			const char **ret_reason)
{
	int64_t n;

	(void)ret_reason;
	if (value_number(value, option->min, option->max, &n) < 0)
		return -EINVAL;
	*FIELD(int, o, option) = (int)n;
	return 0;
}

static void print_number(const struct options *o, const struct setting *option, struct buf *to)
{
	buf_printf(to, "%d", *CONST_FIELD(int, o, option));
}

static int parse_percent(struct options *o, const struct setting *option, const char *value,
			 const char **ret_reason)
{
	size_t n = strlen(value);
	char digits[8];

	if (n > 0 && value[n - 1] == '%')
		n--;
	if (n >= sizeof digits)
		return -EINVAL;
	memcpy(digits, value, n);
	digits[n] = '\0';
	return parse_number(o, option, digits, ret_reason);
}

static void print_percent(const struct options *o, const struct setting *option, struct buf *to)
{
	print_number(o, option, to);
	buf_char(to, '%');
}

static int parse_mode(struct options *o, const struct setting *option, const char *value,
		      const char **ret_reason)
{
	(void)ret_reason;
	return value_octal(value, FIELD(mode_t, o, option));
}

static int parse_umask(struct options *o, const struct setting *option, const char *value,
		       const char **ret_reason)
{
	(void)ret_reason;
	if (value_octal(value, FIELD(mode_t, o, option)) < 0)
		return -EINVAL;
	o->umask_set = true;
	return 0;
}

static void print_mode(const struct options *o, const struct setting *option, struct buf *to)
{
	buf_printf(to, "%04o", (unsigned)*CONST_FIELD(mode_t, o, option));
}

static int parse_user(struct options *o, const struct setting *option, const char *value,
		      const char **ret_reason)
{
	int err = value_user(value, FIELD(uid_t, o, option));

	if (err == -ENOENT)
		*ret_reason = "no such user";
	o->uid_set = err == 0;
	return err;
}

static int parse_group(struct options *o, const struct setting *option, const char *value,
		       const char **ret_reason)
{
	int err = value_group(value, FIELD(gid_t, o, option));

	if (err == -ENOENT)
		*ret_reason = "no such group";
	o->gid_set = err == 0;
	return err;
}

static void print_id(const struct options *o, const struct setting *option, struct buf *to)
{
	buf_printf(to, "%u", (unsigned)*CONST_FIELD(uid_t, o, option));
}

const struct kind kind_number = { parse_number, print_number, "a number in range", false };
const struct kind kind_percent = { parse_percent, print_percent, "a part such as 80%", false };
const struct kind kind_mode = { parse_mode, print_mode, "an octal mode such as 0700", false };
const struct kind kind_umask = { parse_umask, print_mode, "an octal mode such as 022", false };
const struct kind kind_user = { parse_user, print_id, "a user's name or number", false };
const struct kind kind_group = { parse_group, print_id, "a group's name or number", false };

/* --- compression --- */

static int parse_compress(struct options *o, const struct setting *option, const char *value,
			  const char **ret_reason)
{
	int64_t level = o->index.level;

	(void)option;
	(void)ret_reason;
	if (strcmp(value, "none") == 0) {
		o->index.compress = false;
		return 0;
	}
	if (strncmp(value, "zstd", 4) != 0)
		return -EINVAL;
	if (value[4] && (value[4] != ':' || value_number(value + 5, 1, 19, &level) < 0))
		return -EINVAL;
	o->index.compress = true;
	o->index.level = (int)level;
	return 0;
}

static void print_compress(const struct options *o, const struct setting *option, struct buf *to)
{
	(void)option;
	if (o->index.compress)
		buf_printf(to, "zstd:%d", o->index.level);
	else
		buf_str_append(to, "none");
}

const struct kind kind_compress = { parse_compress, print_compress,
				    "zstd, zstd:1 to zstd:19, or none", false };

/* --- misses --- */

static int parse_miss(struct options *o, const struct setting *option, const char *value,
		      const char **ret_reason)
{
	(void)option;
	(void)ret_reason;
	if (strcmp(value, "wait") != 0 && strcmp(value, "background") != 0)
		return -EINVAL;
	o->miss_background = value[0] == 'b';
	return 0;
}

static void print_miss(const struct options *o, const struct setting *option, struct buf *to)
{
	(void)option;
	buf_str_append(to, o->miss_background ? "background" : "wait");
}

const struct kind kind_miss = { parse_miss, print_miss, "wait or background", false };

/* --- request headers --- */

int options_add_header(struct options *o, const char *line, const char **ret_reason)
{
	char **headers;
	int err = policy_check_header(line, ret_reason);

	if (err < 0)
		return err;
	headers = realloc(o->headers, (o->n_headers + 2) * sizeof *headers);
	if (!headers)
		return -ENOMEM;
	o->headers = headers;
	headers[o->n_headers] = strdup(line);
	if (!headers[o->n_headers])
		return -ENOMEM;
	headers[++o->n_headers] = NULL;
	return 0;
}

static int parse_header(struct options *o, const struct setting *option, const char *value,
			const char **ret_reason)
{
	(void)option;
	return options_add_header(o, value, ret_reason);
}

/* The names alone: any value may be a secret. */
static void print_header(const struct options *o, const struct setting *option, struct buf *to)
{
	(void)option;
	for (size_t i = 0; i < o->n_headers; i++)
		buf_printf(to, "%s%.*s: ***", i ? ", " : "", (int)strcspn(o->headers[i], ":"),
			   o->headers[i]);
}

const struct kind kind_header = { parse_header, print_header, "a header line", false };
