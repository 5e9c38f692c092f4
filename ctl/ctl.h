/* ctl.h - what the commands of webcachectl share: the mount they are about, and its files.
 * One thread; what fails ends the program with a sentence. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stddef.h>

__attribute__((noreturn, format(printf, 2, 3))) void ctl_die(int status, const char *fmt, ...);

/* The mount point: that of -m, or the one that is found. */
const char *ctl_mount(void);

/* Text of .control/NAME; the caller frees. */
char *ctl_read(const char *name);
/* One order. 0 or -errno. */
int ctl_write(const char *name, const char *text, size_t len);

/* check.c: webcachectl check [--json] [CACHE_DIR]. The exit status. */
int ctl_check(char **args);

#endif
