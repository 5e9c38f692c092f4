#include "control_files.h"

int control_version_render(struct fs *fs, struct buf *to)
{
	(void)fs;
	buf_str_append(to, "webcachefs " WEBCACHEFS_VERSION "\n");
	return 0;
}
