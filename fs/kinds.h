/* kinds.h - the kinds of values an option can have: how each is read and
 * printed. Private to the options. */
#ifndef FS_KINDS_H
#define FS_KINDS_H

#include "options.h"

struct setting;

struct kind {
	/* Into *o at option->offset. 0; -EINVAL: not `expects`; another -errno
	 * with its own words in *ret_reason (static). value is NULL only for
	 * kinds that are flags. */
	int (*parse)(struct options *o, const struct setting *option, const char *value,
		     const char **ret_reason);
	/* The value as parse would read it back, secrets masked. */
	void (*print)(const struct options *o, const struct setting *option, struct buf *to);
	const char *expects;	/* "a duration such as ..." */
	bool flag;		/* may stand without a value */
};

struct setting {
	const char *name;
	const struct kind *kind;
	size_t offset;
	const char *hint;	/* the value's name in --help; "" for flags */
	const char *help;
	int64_t min, max;	/* kind_number alone */
};

extern const struct kind kind_percent;
extern const struct kind kind_flag, kind_flag_or_auto, kind_string, kind_proxy, kind_duration,
	kind_time_limit, kind_duration_or_none, kind_duration_or_auto,
	kind_size_or_none, kind_quantity, kind_number, kind_mode, kind_umask, kind_user,
	kind_group, kind_compress, kind_header,
	kind_globs, kind_listing, kind_miss, kind_names, kind_rate;

/* Appends a copy of "Name: value" to o->headers once it is a header line that
 * may be added to requests. 0, -ENOMEM, or -EINVAL with *ret_reason (static). */
int options_add_header(struct options *o, const char *line, const char **ret_reason);

#endif
