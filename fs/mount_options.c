#include "mount_options.h"

static const struct {
	const char *name;
	enum mount_option what;
	bool value;		/* must have one; false: must not */
} table[] = {
	/* The kernel's and libfuse's. */
	{ "allow_root", MOUNT_OPTION_PASS, false },
	{ "default_permissions", MOUNT_OPTION_PASS, false },
	{ "max_read", MOUNT_OPTION_PASS, true },
	{ "ro", MOUNT_OPTION_PASS, false },
	{ "rw", MOUNT_OPTION_PASS, false },
	{ "suid", MOUNT_OPTION_PASS, false },
	{ "nosuid", MOUNT_OPTION_PASS, false },
	{ "dev", MOUNT_OPTION_PASS, false },
	{ "nodev", MOUNT_OPTION_PASS, false },
	{ "exec", MOUNT_OPTION_PASS, false },
	{ "noexec", MOUNT_OPTION_PASS, false },
	{ "atime", MOUNT_OPTION_PASS, false },
	{ "noatime", MOUNT_OPTION_PASS, false },
	{ "nodiratime", MOUNT_OPTION_PASS, false },
	{ "sync", MOUNT_OPTION_PASS, false },
	{ "async", MOUNT_OPTION_PASS, false },
	{ "dirsync", MOUNT_OPTION_PASS, false },
	{ "auto_unmount", MOUNT_OPTION_PASS, false },

	/* Of mount(8) and fstab. */
	{ "defaults", MOUNT_OPTION_IGNORE, false },
	{ "auto", MOUNT_OPTION_IGNORE, false },
	{ "noauto", MOUNT_OPTION_IGNORE, false },
	{ "nofail", MOUNT_OPTION_IGNORE, false },
	{ "_netdev", MOUNT_OPTION_IGNORE, false },
	{ "owner", MOUNT_OPTION_IGNORE, false },
	{ "noowner", MOUNT_OPTION_IGNORE, false },
	{ "group", MOUNT_OPTION_IGNORE, false },
	{ "nogroup", MOUNT_OPTION_IGNORE, false },
	{ "nouser", MOUNT_OPTION_IGNORE, false },
	{ "nousers", MOUNT_OPTION_IGNORE, false },
	{ "users", MOUNT_OPTION_IGNORE, false },
	{ "diratime", MOUNT_OPTION_IGNORE, false },
	{ "relatime", MOUNT_OPTION_IGNORE, false },
	{ "norelatime", MOUNT_OPTION_IGNORE, false },
	{ "strictatime", MOUNT_OPTION_IGNORE, false },
	{ "nostrictatime", MOUNT_OPTION_IGNORE, false },
	{ "lazytime", MOUNT_OPTION_IGNORE, false },
	{ "nolazytime", MOUNT_OPTION_IGNORE, false },
	{ "silent", MOUNT_OPTION_IGNORE, false },
	{ "loud", MOUNT_OPTION_IGNORE, false },
	{ "helper", MOUNT_OPTION_IGNORE, true },
	{ "uhelper", MOUNT_OPTION_IGNORE, true },
	{ "comment", MOUNT_OPTION_IGNORE, true },
};

enum mount_option mount_option_find(const char *name, bool has_value)
{
	/* systemd's and desktops' own, with and without a value. */
	if (strncmp(name, "x-", 2) == 0 || strncmp(name, "X-", 2) == 0)
		return MOUNT_OPTION_IGNORE;
	/* mount(8) writes user=NAME into what it passes on. */
	if (strcmp(name, "user") == 0)
		return MOUNT_OPTION_IGNORE;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strcmp(name, table[i].name) == 0 && table[i].value == has_value)
			return table[i].what;
	return MOUNT_OPTION_UNKNOWN;
}

void mount_option_append(struct buf *list, const char *name, const char *value)
{
	if (list->len)
		buf_char(list, ',');
	buf_str_append(list, name);
	if (!value)
		return;
	buf_char(list, '=');
	for (; *value; value++) {
		if (*value == ',' || *value == '\\')
			buf_char(list, '\\');
		buf_char(list, *value);
	}
}
