#include "ini.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"

#define LINE_LARGEST (64 * 1024)
#define BLANKS " \t\r\n\v\f"

static char *trim(char *text)
{
	char *end;

	text += strspn(text, BLANKS);
	end = text + strlen(text);
	while (end > text && strchr(BLANKS, end[-1]))
		*--end = '\0';
	return text;
}

static int read_section(char *text, char **section, const char **ret_reason)
{
	size_t len = strlen(text);
	char *name;

	*ret_reason = "no ] at the end of the line";
	if (text[len - 1] != ']')
		return -EINVAL;
	text[len - 1] = '\0';
	name = trim(text + 1);
	*ret_reason = "a section without a name";
	if (!*name)
		return -EINVAL;
	free(*section);
	*section = strdup(name);
	return *section ? 0 : -ENOMEM;
}

static int read_value(char *text, char **ret_name, char **ret_value, const char **ret_reason)
{
	char *sign = strchr(text, '='), *value;
	size_t len;

	*ret_reason = "neither [section] nor name = value";
	if (!sign)
		return -EINVAL;
	*sign = '\0';
	*ret_name = trim(text);
	*ret_reason = "no name before the =";
	if (!**ret_name)
		return -EINVAL;
	value = trim(sign + 1);
	len = strlen(value);
	if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
		value[len - 1] = '\0';
		value++;
	}
	*ret_value = value;
	return 0;
}

static int read_line(char *line, char **section, ini_each *each, void *arg, int number,
		     const char **ret_reason)
{
	char *text = trim(line), *name = NULL, *value = NULL;
	int err;

	if (!*text || *text == '#' || *text == ';')
		return 0;
	if (*text == '[')
		err = read_section(text, section, ret_reason);
	else
		err = read_value(text, &name, &value, ret_reason);
	if (err == 0 && !*section) {
		*ret_reason = "in front of the first [section]";
		err = -EINVAL;
	}
	return err < 0 ? err : each(arg, *section, name, value, number, ret_reason);
}

int ini_read(FILE *file, ini_each *each, void *arg, const char **ret_reason, int *ret_line)
{
	_cleanup_(cleanup_free) char *line = NULL, *section = NULL;
	size_t cap = 0;
	ssize_t len;
	int err = 0;

	*ret_line = 0;
	while (err == 0 && (len = getline(&line, &cap, file)) >= 0) {
		char *text = line;

		(*ret_line)++;
		*ret_reason = "line too long";
		if (len > LINE_LARGEST)
			return -EINVAL;
		*ret_reason = "not a text file";
		if (memchr(line, '\0', (size_t)len))
			return -EINVAL;
		/* What some editors put before UTF-8. */
		if (*ret_line == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0)
			text += 3;
		err = read_line(text, &section, each, arg, *ret_line, ret_reason);
	}
	if (err == 0 && ferror(file))
		return errno ? -errno : -EIO;
	return err;
}
