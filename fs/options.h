/* options.h - what the command line and -o say.
 *
 * One table (options.c) names every option, how its value is read, where it
 * goes and what --help says of it. options_parse() is pure: it looks at nothing
 * but its arguments. options_complete() then fills in what depends on the
 * machine: files named by options, the URL, the disk, who we are.
 *
 * Main thread, before other threads; constant after. Errors: -EINVAL (usage) or
 * another -errno, with one line for people in reason. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../fetch/fetch.h"
#include "../fetch/policy.h"
#include "../index/index.h"

#define OPTIONS_REASON 512	/* bytes that a reason takes at most */

/* Bytes, or a share of the disk that holds the cache. */
struct quantity {
	int64_t bytes;		/* -1: not given */
	int percent;		/* of the disk; 0: bytes counts */
};

/* One option as it was typed; value NULL: none. */
struct assignment {
	char *name, *value;
	int line;		/* of the configuration file; 0: of the command line */
};

struct assignments {
	struct assignment *items;
	size_t n;
};

/* What libfuse is told, in order; fsname and subtype have defaults, so they are
 * kept apart until all options were seen. */
struct passed {
	struct buf list;
	char *fsname, *subtype;
	bool sloppy;		/* as mount -s: options behind it may be unknown */
};

enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION };

struct options {
	enum options_action action;

	char *source;		/* as typed, but for a password; what mount(8) shows */
	char *base_url;		/* key of the root directory, ends in '/'; "" for `web`; options_complete */
	char *mountpoint;	/* as typed; absolute after options_complete */
	char *mount_options;	/* for libfuse: a -o list, escaped; not NULL after options_parse */

	uid_t uid;		/* owner of the files shown */
	gid_t gid;
	mode_t umask;
	bool umask_set;
	bool allow_other;
	bool read_only;		/* ro: for what .control and rm would do as well */
	mode_t control_mode;	/* of .control */
	int64_t kernel_ttl_ms;	/* -1: automatic */
	int64_t read_ahead;	/* bytes; -1: the kernel's own */
	bool count_opens;
	char *warm_file;		/* absolute once complete; NULL: none */
	int64_t warm_interval_ms;	/* 0: at the start only */
	bool miss_background;		/* what is not stored is ENOENT, and fetched behind */
	char *only_cached_for;		/* "NAME:NAME"; never NULL after options_parse */
	int takeover;			/* -1: unless in the foreground; 0 or 1 once complete */
	bool foreground, debug;

	struct fetch_config fetch;	/* but index; strings are owned below */
	struct policy policy;		/* of the mount; complete in policies.general */
	struct policies policies;	/* once complete; arrays are config's */
	struct index_config index;	/* but stale_names, arg */

	/* Owned; fetch and index point into them. */
	char *cache_dir;
	char *credentials;		/* "user:password" of the URL as it stood; NULL: none */
	char *user_agent, *cacert, *proxy, *targeted, *allow;
	struct hosts *allowed;		/* allow, once complete; NULL: not given */
	char *header_file;
	char *access_log;		/* absolute after options_complete; NULL: none */
	struct globs files, dirs;	/* rules.h */
	char *keep, *ignore_query;
	char **headers;			/* "Name: value", NULL at the end */
	size_t n_headers;
	char *config_file;
	struct config *config;		/* what stands in it; NULL: no file */
	struct assignments typed;	/* on the command line */
	struct passed passed;

	struct quantity size, min_free;
	bool uid_set, gid_set;
};

/* Fills *o (whatever was in it); options_fini() it also after an error. */
int options_parse(int argc, char *const *argv, struct options *o, char *reason,
		  size_t reason_len);

/* Reads header_file, checks the URL, makes paths absolute, chooses cache_dir
 * and size. Makes nothing on disk. */
int options_complete(struct options *o, char *reason, size_t reason_len);

void options_fini(struct options *o);

/* A fresh *o has the defaults; one option is set to what was typed, or stands in a file.
 * -ENOENT: there is no such option. */
void options_set_defaults(struct options *o);
int options_set(struct options *o, const char *name, const char *value, char *reason,
		size_t reason_len);
/* mount_options, of all that was set. 0 or -ENOMEM. */
int options_make_mount_options(struct options *o);
/* Prints the value of one option as .control/config has it. */
void options_print(const struct options *o, const char *name, struct buf *to);
bool options_is_repeated(const char *name);	/* more than one value counts */

/* What --help prints. */
void options_help(FILE *to, const char *program);

/* What is in force, a `name=value` line each; secrets are masked. */
void options_render(const struct options *o, struct buf *to);

#endif
