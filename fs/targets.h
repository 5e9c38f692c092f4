/* targets.h - the lines written to .control/purge, as targets of a purge. Pure; any
 * thread.
 *
 *   https://host/a.jpg   that URL           all       everything
 *   a b.jpg  /docs/x     a path below the mount point, as ls shows it
 *   https://host/img*    all URLs, or paths, that begin so
 *   a*b  img-*.jpg        a '*' anywhere else: any number of bytes, also '/'
 *   a\*b                 a '*' that is part of the name
 *   host:NAME[:PORT]     all URLs of that host
 *   tag:NAME             what the origin gave that tag (meta_has_tag)
 *   stale                what is not fresh now
 *   dry-run TARGET       the same, only to be counted
 *
 * Blank lines are skipped. */
#ifndef FS_TARGETS_H
#define FS_TARGETS_H

#include <stddef.h>

#include "../index/index.h"

struct options;

/* All of text, or nothing: -EINVAL if a line is wrong, or some lines are dry runs and
 * others are not; -ENOMEM. The targets are the caller's: targets_free(). */
int targets_parse(const struct options *o, const char *text, size_t len, struct target **ret,
		  size_t *ret_n, bool *ret_dry_run);
void targets_free(struct target *targets, size_t n);

/* Whether a write can be all of a text. What was begun to be written in pieces by stdio
 * ends anywhere, and half a URL is another URL: a text of that size has to end with its
 * line. And it is text. */
bool targets_is_whole(const char *text, size_t len);

/* The key of a URL, or of a path below the mount point of o. text is cut up in place.
 * -EINVAL, -ENOMEM. The key is the caller's. */
int targets_key(const struct options *o, char *text, char **ret);

#endif
