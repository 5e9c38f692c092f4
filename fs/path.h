/* path.h - name <-> key, and what a name looks like. Pure; any thread.
 *
 * A directory has a key that ends in '/': names below it are appended. The root of
 * `web` has the key "", and below it are "http://" and "https://", whose names are
 * hosts. Further down a directory named so is the scheme of a URL within the path, and
 * has the key "...https://". */
#ifndef FS_PATH_H
#define FS_PATH_H

#include <stdbool.h>

/* HTTP does not say what is a directory, so the name has to. */
enum path_guess {
	PATH_DIR,		/* only ever a directory: a scheme, a host of `web`, a rule */
	PATH_FILE,		/* has a query, or an extension as files do */
	PATH_EITHER,		/* nothing to go by */
};

struct path {
	enum path_guess guess;
	char *file;		/* key of the name as a file; NULL: cannot be one */
	char *dir;		/* and as a directory; NULL: cannot be one */
	char *url;		/* what is asked for the file; NULL: its key (origins.h) */
};

/* -ENOENT: no such name can be there; -ENAMETOOLONG, -ENOMEM. */
int path_child(const char *dir_key, const char *name, struct path *ret);
void path_fini(struct path *p);

/* "docs?page=2", "a.jpg", "x.tar.gz"; but not "v1.2", "well-known" or "a.". */
bool path_is_file_name(const char *name);

/* The name by which the document at a directory's own URL, with its '/', is reached when
 * the origin has no file of that name. */
#define PATH_INDEX "index.html"

/* The key that a directory has as a page: without the '/' at its end. NULL: it cannot
 * be one (a root, a host), or no memory. */
char *path_page_key(const char *dir_key);

/* "http://" or "https://": a directory of hosts, in `web`. */
bool path_is_scheme(const char *dir_key);

/* Content types that are never a page with something below. */
bool path_is_leaf_type(const char *content_type);

#endif
