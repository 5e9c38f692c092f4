/* unmount.h - for who has the FUSE device but not libfuse's session that mounted it. */
#ifndef FS_UNMOUNT_H
#define FS_UNMOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* The device number of what is mounted there, without asking who serves it; 0: unknown. */
uint64_t unmount_device(const char *mountpoint);

/* Whether that is still what is there, or nobody can tell. Else somebody has mounted something
 * of his own over it, or in its place: that is not ours to take away. */
bool unmount_is_ours(const char *mountpoint, uint64_t device);

/* Whether the mount of that device is gone already. */
bool unmount_was_done(int device);

/* Takes it out of sight, unless it was done; who uses it still can as long as it is served.
 * Runs fusermount3 where umount2(2) is not allowed. mounted: unmount_device() when it was mounted.
 * 0 or -errno; -EBUSY: unmount_is_ours() says no. */
int unmount_lazily(const char *mountpoint, int device, uint64_t mounted);

#endif
