/* cache_dir.h - where the cache of a mount is when nobody says. Main thread. */
#ifndef FS_CACHE_DIR_H
#define FS_CACHE_DIR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The directory's name for a base URL: readable, legal, and no two URLs share
 * one. "https://a.example/b_c/" is "https_a.example_b%5Fc". malloc()ed. */
char *cache_dir_name(const char *base_url);

/* /var/cache/webcachefs/NAME for root, else below the user's cache directory
 * (XDG Base Directory Specification). malloc()ed; 0, -ENOMEM, or -ENOENT: no
 * home directory. */
int cache_dir_default(const char *base_url, uid_t who, char **ret);

/* Absolute, with the links of what exists resolved, whether or not all of it
 * exists. malloc()ed. */
int cache_dir_resolve(const char *path, char **ret);

/* Whether path is dir or below it; both resolved. */
bool cache_dir_is_below(const char *path, const char *dir);

/* The disk that path is on, or will be. Bytes. */
int cache_dir_disk(const char *path, int64_t *ret_total, int64_t *ret_free);

#endif
