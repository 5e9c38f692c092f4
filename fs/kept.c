#include "kept.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "../base/cleanup.h"

#define XATTR_NAME_LARGEST 255		/* XATTR_NAME_MAX of the kernel */

struct field {
	const char *name, *value;
	size_t name_len, value_len;
};

/* Of "Name: value\n" lines (meta.h). False: no more. */
static bool next_field(const char **at, struct field *ret)
{
	size_t len = strcspn(*at, "\n"), name = strcspn(*at, ":\n");

	if (!**at)
		return false;
	*ret = (struct field){ *at, *at + name, name, len - name };
	while (ret->value_len && strchr(": ", *ret->value)) {
		ret->value++;
		ret->value_len--;
	}
	*at += len + ((*at)[len] == '\n');
	return true;
}

static bool is_field(const struct field *f, const char *name)
{
	return strlen(name) == f->name_len && strncasecmp(f->name, name, f->name_len) == 0;
}

void kept_value(const struct meta *m, const char *attribute, struct buf *to)
{
	size_t prefix = strlen(KEPT_PREFIX);
	const char *at = m->headers;
	struct field f;

	if (strncmp(attribute, KEPT_PREFIX, prefix) != 0)
		return;
	while (next_field(&at, &f))
		if (is_field(&f, attribute + prefix) && f.value_len) {
			buf_str_append(to, to->len ? ", " : "");
			buf_append(to, f.value, f.value_len);
		}
}

void kept_names(const struct meta *m, struct buf *to)
{
	const char *at = m->headers;
	struct field f;

	while (next_field(&at, &f)) {
		_cleanup_(buf_fini) struct buf name = BUF_INIT;
		const char *seen = buf_str(to), *end = seen + to->len;

		buf_str_append(&name, KEPT_PREFIX);
		for (size_t i = 0; i < f.name_len; i++)
			buf_char(&name, (char)tolower((unsigned char)f.name[i]));
		while (seen < end && strcmp(seen, buf_str(&name)) != 0)
			seen += strlen(seen) + 1;
		if (seen == end && f.value_len && name.len <= XATTR_NAME_LARGEST)
			buf_append(to, buf_str(&name), name.len + 1);
	}
}

void kept_tags(const struct meta *m, struct buf *to)
{
	const char *at = m->headers;
	struct field f;

	while (next_field(&at, &f)) {
		const char *between = is_field(&f, "Surrogate-Key") ? " \t" :
				      is_field(&f, "Cache-Tag")	    ? ", \t" : NULL;

		for (size_t i = 0; between && i < f.value_len; i++) {
			bool gap = strchr(between, f.value[i]) != NULL;
			bool first = i == 0 || strchr(between, f.value[i - 1]);

			if (!gap && first && to->len)
				buf_char(to, ' ');
			if (!gap)
				buf_char(to, f.value[i]);
		}
	}
}
