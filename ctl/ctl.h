/* ctl.h - what the commands of webcachectl share. One thread; what fails ends the program
 * with a line on standard error.
 *
 * A command is a file: it has a `struct command` here and a line in webcachectl.c. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

enum {
	CTL_DONE = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
};

struct command {
	const char *name;
	const char *arguments;		/* of the usage line; "" for none */
	const char *summary;		/* a line of --help */
	const char *help;		/* the rest of its own --help; ends in a newline, or "" */
	bool no_mount;			/* finds its way without a mount */
	/* argv[0] is the command's name; argv[argc] is NULL. Its exit status. */
	int (*run)(int argc, char **argv);
};

extern const struct command command_check, command_explain, command_health, command_purge, command_refresh,
	command_stats, command_top, command_transfers, command_warm;

__attribute__((noreturn, format(printf, 2, 3))) void die(int status, const char *fmt, ...);
__attribute__((noreturn)) void die_usage(const struct command *c);

/* --- mount.c --- */

/* The mount point; "" until one of these was called. */
const char *mount_dir(void);
void mount_set(const char *dir);
void mount_find(void);			/* the only one, or the one we are in */

/* text without the mount point before it, if it is a path in there. */
const char *mount_relative(const char *text);

/* --- control.c: the files of .control --- */

char *control_read(const char *name);			/* the caller's; "" if empty */
bool control_has(const char *name);
/* 0, or -errno of write(2): what else fails ends the program. */
int control_write(const char *name, const char *text, size_t len);

/* --- number.c: for people; the text is the caller's until the next call but seven --- */

const char *number_bytes(double bytes);			/* "1.5 GiB" */
const char *number_count(double n);			/* "12,345" */
const char *number_time(double s);			/* "3h 12m", "12s" */
const char *number_ms(double ms);			/* "1.5ms", "340ms", then as number_time() */

#endif
