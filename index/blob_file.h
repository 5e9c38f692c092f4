/* blob_file.h - writing the files of large bodies: blobs/XX/INO, XX being the
 * low byte of the inode number in hex; directories are made on demand.
 *
 * Written aside (INO.tmp) and renamed, or an existing file is renamed into
 * place. What a file takes on disk is reserved before each write, directories
 * included.
 *
 * Any thread; one at a time for an inode number. Errors: -errno. */
#ifndef INDEX_BLOB_FILE_H
#define INDEX_BLOB_FILE_H

#include <pthread.h>
#include <stdint.h>

#include "blob.h"
#include "blob_codec.h"
#include "space.h"

#define BLOB_DIRS 256

struct blob_files {
	/* constant */
	int dir;			/* blobs/; borrowed, as the next three */
	int cache_dir;			/* what is given as a path is relative to this */
	struct space *space;
	struct codec_pool *codecs;
	uint32_t chunk;			/* bytes; of what is written */

	pthread_mutex_t lock;
	int64_t dirs[BLOB_DIRS];	/* guarded by lock: bytes they take; -1: unknown */
};

/* Counts the directories into space, not the files: their rows tell. */
int blob_files_init(struct blob_files *fs, int cache_dir, int dir, struct space *space,
		    struct codec_pool *codecs);
void blob_files_fini(struct blob_files *fs);

/* blobs/ is another directory now, and empty. */
void blob_files_forget_dirs(struct blob_files *fs);
int64_t blob_files_counted(struct blob_files *fs);	/* bytes of directories */

/* See store_put_file(). */
int blob_file_put(struct blob_files *fs, int fd, const char *path, int64_t reserved,
		  int64_t len, uint64_t ino, const char *content_type, struct blob *ret);

/* Bytes that a file of this size takes on disk, as it is counted. */
int64_t blob_file_disk(uint64_t stored);

/* Deletes the file and gives its space back. */
void blob_file_delete(struct blob_files *fs, const struct blob *b);

#endif
