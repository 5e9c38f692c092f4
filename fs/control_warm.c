/* control_warm.c - .control/warm: names to be fetched ahead, and how far that has got. */
#include <errno.h>
#include <string.h>

#include "control_files.h"
#include "fs.h"
#include "options.h"

/* "cancel" or "cancel NAME", alone. False: it is not. */
static bool cut_cancel(const char *text, size_t len, char name[WARM_NAME_MAX])
{
	static const char word[] = "cancel";
	size_t n = sizeof word - 1;

	if (len && text[len - 1] == '\n')
		len--;
	if (len < n || memcmp(text, word, n) != 0)
		return false;
	name[0] = '\0';
	if (len == n)
		return true;
	if (text[n] != ' ' || len - n - 1 >= WARM_NAME_MAX)
		return false;
	memcpy(name, text + n + 1, len - n - 1);
	name[len - n - 1] = '\0';
	return warm_list_is_name(name);
}

int control_warm_act(struct fs *fs, const struct control_writer *by, const char *text, size_t len)
{
	char name[WARM_NAME_MAX];
	struct warm_list l;
	int err;

	(void)by;
	if (cut_cancel(text, len, name)) {
		warm_cancel(fs, name[0] ? name : NULL);
		return 0;
	}
	err = warm_list_parse(fs->options, text, len, false, &l);
	if (!err)
		err = warm_add(fs, &l, true);
	warm_list_free(&l);
	return err;
}

int control_warm_render(struct fs *fs, struct buf *to)
{
	warm_render(fs, to);
	return 0;
}
