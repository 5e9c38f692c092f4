/* check_disk.h - does the cache directory take what is counted? Private to index/. */
#ifndef INDEX_CHECK_DISK_H
#define INDEX_CHECK_DISK_H

#include <stdbool.h>

struct index;

/* True: more than was counted, which may pass the limit; it is counted now. (Less is no
 * fault: bytes are reserved before they are written.) Any thread; walks all files. */
bool check_disk_use(struct index *ix);

#endif
