/* channel.h - how libfuse reads requests and writes replies: as it would itself, but
 * for what its 3.14 does not pass on to the kernel. */
#ifndef FS_CHANNEL_H
#define FS_CHANNEL_H

struct fs;

/* Puts itself between the session of fs and the device of its mount. 0 or -errno. */
int channel_attach(struct fs *fs, int device);

#endif
