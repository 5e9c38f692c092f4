/* mount_options.h - the options of mount(8), fstab(5) and FUSE that are not
 * ours: which go to the kernel, and which only concern who calls mount. Pure. */
#ifndef FS_MOUNT_OPTIONS_H
#define FS_MOUNT_OPTIONS_H

#include "../base/buf.h"

enum mount_option {
	MOUNT_OPTION_UNKNOWN,
	MOUNT_OPTION_IGNORE,	/* for mount(8), systemd or fstab alone */
	MOUNT_OPTION_PASS,	/* for libfuse or the kernel */
};

/* name is what stands before '='. */
enum mount_option mount_option_find(const char *name, bool has_value);

/* Appends name or name=value to a -o list, escaped as libfuse reads it. */
void mount_option_append(struct buf *list, const char *name, const char *value);

#endif
