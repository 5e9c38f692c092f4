/* origins.h - origins with names: on a `web` mount each is a directory at the top, which shows
 * what is below its URL under the very keys that https:/HOST/PATH has. W; pure. */
#ifndef FS_ORIGINS_H
#define FS_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>

struct options;
struct path;

/* As path_child() (path.h). What is to be stored by another key than a file's own URL has
 * that key in ret->file, and the URL in ret->url. */
int origins_child(const struct options *o, const char *dir_key, const char *name,
		  struct path *ret);

/* The i-th name that the top has, or NULL. */
const char *origins_name(const struct options *o, size_t i);

/* Whether a directory of a host may be walked: allow names the host, or an origin is there. */
bool origins_may_walk(const struct options *o, const char *dir_key);

#endif
