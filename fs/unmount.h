/* unmount.h - for who has the FUSE device but not libfuse's session that mounted it. */
#ifndef FS_UNMOUNT_H
#define FS_UNMOUNT_H

#include <stdbool.h>

/* Whether the mount of that device is gone already. */
bool unmount_was_done(int device);

/* Takes it out of sight, unless it was done; who uses it still can as long as it is served.
 * Runs fusermount3 where umount2(2) is not allowed. 0 or -errno. */
int unmount_lazily(const char *mountpoint, int device);

#endif
