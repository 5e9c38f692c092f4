/* libraries.h - which libraries are linked, for --version. Each folder names those that
 * it alone knows, in a file libraries.c of its own. Any thread. */
#ifndef BASE_LIBRARIES_H
#define BASE_LIBRARIES_H

#include "buf.h"

/* Each appends a "name version" line for every library. */
void index_libraries(struct buf *to);
void fetch_libraries(struct buf *to);

#endif
