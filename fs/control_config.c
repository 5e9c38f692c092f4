#include "control_files.h"
#include "fs.h"
#include "options.h"

int control_config_render(struct fs *fs, struct buf *to)
{
	options_render(fs->options, to);
	return 0;
}
