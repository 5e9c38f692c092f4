/* known.h - what the index knows of a name, without asking anybody. */
#ifndef FS_KNOWN_H
#define FS_KNOWN_H

#include <stdbool.h>

struct fs;
struct inode;

/* Whether something was seen below a directory, or it was declared. */
bool known_below(struct fs *fs, const char *dir_key);

/* Whether a name is known below it, whatever the directory itself is. */
bool known_not_empty(struct fs *fs, const char *dir_key);

/* Whether the options say that i is never anything else. */
bool known_dir_by_rule(struct fs *fs, const struct inode *i);

enum known_page {
	KNOWN_NONE,		/* no response with content is known */
	KNOWN_PAGE,		/* one that may have names below it */
	KNOWN_LEAF,		/* one of a type that has not: an image, a video, ... */
};
enum known_page known_page(struct fs *fs, const char *key);

#endif
