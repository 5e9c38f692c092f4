/* ini.h - the lines of a configuration file.
 *
 *   [section]
 *   name = value            up to the end of the line
 *   name = "value"          with the blanks at its ends
 *   # or ; comment          on a line of its own: a value may hold either
 *
 * Nothing is cut at a length, and what is none of these is an error: of libinih, Debian's
 * build cuts sections at 49 bytes and values at 197 without a word. Pure but for the
 * reading. */
#ifndef FS_INI_H
#define FS_INI_H

#include <stdio.h>

/* Once for each section (name NULL), then for each line in it. Strings are borrowed. 0, or
 * -errno with *ret_reason (static, or the callee's). */
typedef int ini_each(void *arg, const char *section, const char *name, const char *value, int line,
		     const char **ret_reason);

/* 0, or the first error: -EINVAL with *ret_reason and *ret_line; -EIO, -ENOMEM; or what
 * each returned. */
int ini_read(FILE *file, ini_each *each, void *arg, const char **ret_reason, int *ret_line);

#endif
