/* disk.h - whole reads and writes. Any thread.
 *
 * What is read from the cache directory may be damaged in any way: a file that
 * ends too early is damage like a wrong byte, so it is -EBADMSG. */
#ifndef INDEX_DISK_H
#define INDEX_DISK_H

#include <stddef.h>
#include <stdint.h>

#define DISK_BLOCK 4096		/* bytes; what filesystems give out, and du counts */

static inline int64_t disk_round_up(int64_t n)
{
	return (n + DISK_BLOCK - 1) / DISK_BLOCK * DISK_BLOCK;
}

static inline int64_t disk_round_down(int64_t n)
{
	return n / DISK_BLOCK * DISK_BLOCK;
}

/* All len bytes, or -errno; -EBADMSG: the file ends before. */
int disk_read(int fd, void *buf, size_t len, int64_t pos);
int disk_write(int fd, const void *buf, size_t len, int64_t pos);

/* Bytes that name takes on disk; 0 when it is not there. */
int64_t disk_bytes(int dir, const char *name);

#endif
