/* reopen.h - the cache directory was deleted and made again, or another one took its
 * place: it is used from now on. Private to index/; thread I. */
#ifndef INDEX_REOPEN_H
#define INDEX_REOPEN_H

#include <stdbool.h>

struct index;

/* The directory that was opened has been deleted. */
bool reopen_is_gone(struct index *ix);

/* One of that name is there again: it is locked, and all descriptors are of it. What was
 * stored is not there any more: the caller begins the index anew. 0; -ENOENT: there is none
 * yet; -EBUSY: another daemon has it; other -errno. On an error all is as before. */
int reopen_dir(struct index *ix);

#endif
