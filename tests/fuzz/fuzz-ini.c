/* A configuration file is read to its end or to an error that names a line of it, and what
 * was read, written again, is read as the same. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/buf.h"
#include "../../fs/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int each(void *arg, const char *section, const char *name, const char *value, int line,
		const char **ret_reason)
{
	struct buf *to = arg;

	(void)ret_reason;
	assert(*section && line > 0 && !strchr(section, '\n'));
	if (name) {
		assert(*name && !strchr(name, '=') && !strchr(name, '\n') && !strchr(value, '\n'));
		buf_printf(to, "%s=\"%s\"\n", name, value);
	} else {
		buf_printf(to, "[%s]\n", section);
	}
	return 0;
}

static int parse(const char *text, size_t len, struct buf *to)
{
	const char *reason = NULL;
	FILE *file = fmemopen((void *)(uintptr_t)text, len, "r");
	int line, err;

	assert(file);
	err = ini_read(file, each, to, &reason, &line);
	assert(err == 0 || (err == -EINVAL && reason && line > 0));
	fclose(file);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf first = BUF_INIT, second = BUF_INIT;

	if (len && parse((const char *)data, len, &first) == 0 && first.len &&
	    first.len < 60 * 1024) {
		assert(parse(buf_str(&first), first.len, &second) == 0);
		assert(strcmp(buf_str(&first), buf_str(&second)) == 0);
	}
	buf_fini(&first);
	buf_fini(&second);
	return 0;
}
