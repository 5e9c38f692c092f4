#include <errno.h>
#include <string.h>

#include "../base/log.h"
#include "control_files.h"
#include "fs.h"

int control_offline_render(struct fs *fs, struct buf *to)
{
	buf_str_append(to, fetch_is_offline(fs->fetch) ? "1\n" : "0\n");
	return 0;
}

int control_offline_act(struct fs *fs, const struct control_writer *by, const char *text,
			size_t len)
{
	bool offline;

	(void)by;
	if (len == 2 && text[1] == '\n')
		len--;
	if (len != 1 || (text[0] != '0' && text[0] != '1'))
		return -EINVAL;
	offline = text[0] == '1';
	if (offline != fetch_is_offline(fs->fetch))
		log_info("%s, as .control/offline says", offline ? "offline" : "online again");
	fetch_set_offline(fs->fetch, offline);
	warm_poke(&fs->warm);
	return 0;
}
