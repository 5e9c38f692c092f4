/* control.h - the files of .control: one table of what can be read and written.
 *
 * Any thread; constant. Rendered text is a snapshot: the caller shows it as a file
 * of exactly that length. */
#ifndef FS_CONTROL_H
#define FS_CONTROL_H

#include <stddef.h>
#include <sys/types.h>

#include "../base/buf.h"

struct fs;

#define CONTROL_DIR ".control"	/* its name in the root directory */

struct control_file {
	const char *name;
	mode_t mode;		/* 0400, 0200; the directory's mode comes on top */

	/* Appends the text. 0 or -errno. NULL: cannot be read (EACCES). */
	int (*render)(struct fs *fs, struct buf *to);

	/* One write(2), whole: text is not terminated, its offset does not
	 * matter. 0: done when it returns, which may wait for the disk and, on
	 * old kernels, for entry timeouts, but never for the network. -EINVAL:
	 * bad syntax, and nothing was done. NULL: cannot be written (EACCES). */
	int (*act)(struct fs *fs, const char *text, size_t len);

	/* A directory, whose every name is a file: appends the text of that one. 0
	 * or -errno. NULL: not a directory. */
	int (*render_name)(struct fs *fs, const char *name, struct buf *to);
};

const struct control_file *control_find(const char *name);	/* NULL: none */
const struct control_file *control_at(size_t i);		/* in order; NULL: the end */

#endif
