#include "../base/libraries.h"

#include <sqlite3.h>
#include <zstd.h>

void index_libraries(struct buf *to)
{
	buf_printf(to, "SQLite %s\n", sqlite3_libversion());
	buf_printf(to, "zstd %s\n", ZSTD_versionString());
}
