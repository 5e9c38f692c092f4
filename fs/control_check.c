/* control_check.c - .control/check: "start" checks the whole cache while it is used; what
 * is read says how far that is, or how it ended. */
#include <errno.h>
#include <string.h>

#include "../index/check.h"
#include "control_files.h"
#include "fs.h"

int control_check_render(struct fs *fs, struct buf *to)
{
	struct check_status status;

	index_check_status(fs->index, &status);
	check_render(&status, to);
	return 0;
}

int control_check_act(struct fs *fs, const struct control_writer *by, const char *text, size_t len)
{
	static const char order[] = "start";
	size_t n = sizeof order - 1;

	(void)by;
	if (len == n + 1 && text[n] == '\n')
		len--;
	if (len != n || memcmp(text, order, n) != 0)
		return -EINVAL;
	return index_check_start(fs->index);
}
