/* floor.c - the least that a FUSE filesystem can be: the files of one folder, shown as
 * they are, with names and attributes that the kernel may keep for an hour and opens
 * that it answers itself. What it takes to read these when they are hot is the kernel's
 * alone, so no FUSE filesystem is faster.
 *
 * floor FOLDER MOUNTPOINT: stays in the foreground. */
#define FUSE_USE_VERSION 314

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT 3600.0

enum { MOST = 4096 };

static int folder;
static char *names[MOST];	/* by inode number, from 2 on */
static fuse_ino_t names_n = FUSE_ROOT_ID + 1;

static int attributes(fuse_ino_t ino, struct stat *ret)
{
	if (fstatat(folder, ino == FUSE_ROOT_ID ? "." : names[ino], ret, 0) < 0)
		return errno;
	ret->st_ino = ino;
	return 0;
}

static fuse_ino_t number_of(const char *name)
{
	fuse_ino_t ino = FUSE_ROOT_ID + 1;

	while (ino < names_n && strcmp(names[ino], name) != 0)
		ino++;
	if (ino == names_n && ino < MOST)
		names[names_n++] = strdup(name);
	return ino;
}

static void floor_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { .attr_timeout = KEPT, .entry_timeout = KEPT };
	int error = ENOENT;

	if (parent == FUSE_ROOT_ID && faccessat(folder, name, F_OK, 0) == 0)
		e.ino = number_of(name);
	if (e.ino && e.ino < MOST)
		error = attributes(e.ino, &e.attr);
	if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_entry(req, &e);
}

static void floor_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;
	int error = attributes(ino, &st);

	(void)fi;
	if (error)
		fuse_reply_err(req, error);
	else
		fuse_reply_attr(req, &st, KEPT);
}

/* The kernel does not ask again, neither for opening nor for closing. */
static void floor_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, ENOSYS);
}

static void floor_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	int fd = openat(folder, names[ino], O_RDONLY | O_CLOEXEC);
	char *data = malloc(size);
	ssize_t n = fd >= 0 && data ? pread(fd, data, size, off) : -1;

	(void)fi;
	if (n < 0)
		fuse_reply_err(req, EIO);
	else
		fuse_reply_buf(req, data, (size_t)n);
	free(data);
	if (fd >= 0)
		close(fd);
}

static void floor_init(void *userdata, struct fuse_conn_info *conn)
{
	(void)userdata;
	conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA;
}

static const struct fuse_lowlevel_ops ops = {
	.init = floor_init,
	.lookup = floor_lookup,
	.getattr = floor_getattr,
	.open = floor_open,
	.read = floor_read,
};

int main(int argc, char **argv)
{
	char *words[] = { argv[0], (char *)"-oallow_other" };
	struct fuse_args args = FUSE_ARGS_INIT(2, words);
	struct fuse_session *session;
	int error;

	if (argc != 3)
		errx(2, "usage: floor FOLDER MOUNTPOINT");
	folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		err(1, "%s", argv[1]);
	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (!session || fuse_set_signal_handlers(session) != 0 ||
	    fuse_session_mount(session, argv[2]) != 0)
		errx(1, "%s: cannot mount", argv[2]);
	error = fuse_session_loop(session);
	fuse_session_unmount(session);
	fuse_session_destroy(session);
	return error != 0;
}
