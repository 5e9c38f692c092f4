/* read_ahead.h - how far ahead of sequential readers the kernel asks.
 *
 * FUSE gives a mount 128 KiB (fs/fuse/inode.c, fuse_bdi_init; VM_READAHEAD_PAGES), of which
 * one READ is made: then one worker at a time decodes or verifies, and nobody does while the
 * reader copies. INIT can only make it less. So it is set where the kernel shows it,
 * /sys/class/bdi/MAJOR:MINOR/read_ahead_kb, and READs are kept as small as they were: one that
 * asks for much waits for all of it, also when it arrives slowly. */
#ifndef FS_READ_AHEAD_H
#define FS_READ_AHEAD_H

#include <stdint.h>

#define READ_AHEAD_MAX_READ "131072"	/* max_read, unless the user says otherwise */

/* bytes: in whole KiB. The thread that mounts, after INIT; sends no request. Errors are
 * logged as debug alone: of who may not (not root, a read-only /sys) the mount keeps what it
 * has. */
void read_ahead_set(const char *mountpoint, int64_t bytes);

#endif
