#include "control_files.h"
#include "fs.h"

int control_history_render(struct fs *fs, struct buf *to)
{
	history_render(&fs->history, to);
	return 0;
}
