/* Inode numbers that nobody gets twice.
 *
 * The file index.inos holds one number: all below may have been given out. It is
 * moved on by a block before numbers of that block are given out. Kept outside
 * the database, because any thread may ask: it waits for one fdatasync() of a few
 * bytes in every BLOCK numbers, never for thread I's transaction; it is overwritten
 * in place, so it works on a full disk; and it survives a damaged database, whose
 * numbers the kernel may still know. Should it be lost, the rows and a note among
 * the values of the database say where to go on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/step.h"
#include "db_private.h"

#define BLOCK 65536
#define FIRST 2			/* 1 is the root directory of every filesystem */
#define MAGIC UINT64_C(0x31736f6e69736677)	/* "wfsinos1" as little endian bytes */

/* Without the file: what was taken since the note was written is at most this,
 * as the note is renewed with every commit that follows a block. */
#define MARGIN (64 * BLOCK)

struct inos_file {
	uint64_t magic;
	uint64_t limit;
	uint64_t check;		/* ~limit */
};

static int write_limit(int fd, uint64_t limit)
{
	struct inos_file f = { .magic = MAGIC, .limit = limit, .check = ~limit };
	ssize_t n = pwrite(fd, &f, sizeof(f), 0);

	if (n < 0)
		return -errno;
	if (n != sizeof(f))
		return -ENOSPC;
	return fdatasync(fd) < 0 ? -errno : 0;
}

static int read_limit(int fd, uint64_t *ret)
{
	struct inos_file f;
	ssize_t n = pread(fd, &f, sizeof(f), 0);

	if (n < 0)
		return -errno;
	if (n != sizeof(f) || f.magic != MAGIC || f.check != ~f.limit)
		return -EBADMSG;
	*ret = f.limit;
	return 0;
}

/* What is new must also be found after a power cut. */
static int make_file(int dirfd, int *ret)
{
	int fd = openat(dirfd, "index.inos", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || fsync(dirfd) < 0) {
		int err = -errno;

		cleanup_close(&fd);
		return err;
	}
	*ret = fd;
	return 0;
}

static int open_file(const char *dir, int *ret)
{
	_cleanup_(cleanup_close) int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (dirfd < 0)
		return -errno;
	fd = openat(dirfd, "index.inos", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? make_file(dirfd, ret) : -errno;
	*ret = fd;
	return 0;
}

int inos_open(struct inos *inos, const char *dir, uint64_t at_least)
{
	uint64_t limit = 0;
	int fd = -1, err;

	err = open_file(dir, &fd);
	if (err)
		return err;
	err = read_limit(fd, &limit);
	if (err == -EBADMSG) {
		limit = at_least > FIRST ? at_least + MARGIN : FIRST;
		err = write_limit(fd, limit);
	}
	if (err) {
		close(fd);
		return err;
	}
	pthread_mutex_init(&inos->lock, NULL);
	inos->fd = fd;
	inos->next = inos->limit = limit > at_least ? limit : at_least;
	return 0;
}

int inos_reopen(struct inos *inos, const char *db_path)
{
	_cleanup_(cleanup_free) char *dir = strndup(db_path, strlen(db_path) - strlen("/index.db"));
	_cleanup_(cleanup_close) int fd = -1;
	uint64_t limit = 0;
	struct stat st;
	int err;

	if (fstat(inos->fd, &st) == 0 && st.st_nlink > 0)
		return 0;
	err = dir ? open_file(dir, &fd) : -ENOMEM;
	if (err)
		return err;
	if (read_limit(fd, &limit) < 0)
		limit = 0;
	WITH_LOCK(&inos->lock) {
		if (limit > inos->limit)
			inos->next = inos->limit = limit;
		err = write_limit(fd, inos->limit);
		/* Behind the same number: others have it. */
		if (!err && dup3(fd, inos->fd, O_CLOEXEC) < 0)
			err = -errno;
	}
	return err;
}

void inos_close(struct inos *inos)
{
	cleanup_close(&inos->fd);
	pthread_mutex_destroy(&inos->lock);
}

/* The lock is held over the write: whoever comes meanwhile needs its outcome. */
int inos_take(struct inos *inos, uint32_t n, uint64_t *ret_first)
{
	uint64_t limit;
	int err;

	WITH_LOCK(&inos->lock) {
		if (inos->limit - inos->next < n) {
			limit = inos->next + n + BLOCK;
			err = write_limit(inos->fd, limit);
			step("inos");
			if (err)
				return err;
			inos->limit = limit;
		}
		*ret_first = inos->next;
		inos->next += n;
	}
	return 0;
}

uint64_t inos_limit(struct inos *inos)
{
	uint64_t limit = 0;

	WITH_LOCK(&inos->lock)
		limit = inos->limit;
	return limit;
}
