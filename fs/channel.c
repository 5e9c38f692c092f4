/* All that goes to the device and comes from it.
 *
 * libfuse 3.14.0 knows FUSE_CAP_PARALLEL_DIROPS but leaves it out of the reply to INIT
 * (lib/fuse_lowlevel.c, do_init). Without it the kernel holds a directory's lock during
 * each LOOKUP in it, and a parked one stalls all the others. So the reply is amended on
 * its way. It is the first one: the kernel sends nothing else before it has come.
 *
 * When a mount is taken over, the INIT is the saved one, and its reply goes nowhere: the
 * kernel has had it. */
#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../base/log.h"
#include "channel.h"
#include "keeper.h"

/* include/uapi/linux/fuse.h of Linux 6.9; the headers here may be older. */
#define UNIQUE_RESEND (UINT64_C(1) << 63)
#define PAGE 4096			/* at least */
#define REQUEST_MAX (2 * PAGE + 1)	/* and wherever in a page the buffer begins */

/* The kernel fails a request with EIO if it cannot hand it over (fs/fuse/dev.c,
 * fuse_dev_do_read), and pages that are not there are not made for a thread that was
 * killed. So they are there before: requests but writes are no longer. */
static void touch(char *buf, size_t len)
{
	size_t i;

	for (i = 0; i < REQUEST_MAX && i < len; i += PAGE)
		*(volatile char *)(buf + i) = 0;
}

/* A worker is cancelled here and nowhere else (session.c). */
static ssize_t read_request(int fd, void *buf, size_t len)
{
	ssize_t n;
	int err;

	touch(buf, len);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	n = read(fd, buf, len);
	err = errno;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	errno = err;
	return n;
}

/* It was asked before, and whoever was died: who asks again and again gets nobody else
 * killed. */
static bool is_suspect(const struct fs *fs, const void *buf, ssize_t n)
{
	const struct fuse_in_header *in = buf;

	return fs->keeper->careful && n >= (ssize_t)sizeof(*in) && (in->unique & UNIQUE_RESEND);
}

static ssize_t channel_read(int fd, void *buf, size_t len, void *userdata)
{
	const struct fuse_in_header *in = buf;
	ssize_t n;

	for (;;) {
		n = read_request(fd, buf, len);
		if (!is_suspect(userdata, buf, n))
			return n;
		struct fuse_out_header out = { sizeof(out), -EIO, in->unique };

		log_warn("request %u was not answered by two daemons: fails", in->opcode);
		/* It may be interrupted meanwhile. */
		if (write(fd, &out, sizeof(out)) < 0 && errno != ENOENT)
			return -1;
	}
}

static void amend_init(const struct iovec *iov, int count)
{
	const struct fuse_out_header *header = iov[0].iov_base;
	uint32_t flags;
	char *at;

	if (count < 2 || header->error != 0 ||
	    iov[1].iov_len < offsetof(struct fuse_init_out, flags) + sizeof(flags))
		return;
	at = (char *)iov[1].iov_base + offsetof(struct fuse_init_out, flags);
	memcpy(&flags, at, sizeof(flags));
	flags |= FUSE_PARALLEL_DIROPS;
	memcpy(at, &flags, sizeof(flags));
}

static ssize_t channel_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	struct fs *fs = userdata;

	if (!atomic_exchange_explicit(&fs->init_answered, true, memory_order_relaxed)) {
		if (fs->keeper->device >= 0)
			return (ssize_t)((const struct fuse_out_header *)iov[0].iov_base)->len;
		amend_init(iov, count);
	}
	return writev(fd, iov, count);
}

static ssize_t channel_splice_send(int in, off_t *in_off, int out, off_t *out_off,
				   size_t len, unsigned int flags, void *userdata)
{
	(void)userdata;
	return splice(in, in_off, out, out_off, len, flags);
}

int channel_attach(struct fs *fs, int device)
{
	/* No splice_receive: what we are sent is small. */
	static const struct fuse_custom_io io = {
		.read = channel_read,
		.writev = channel_writev,
		.splice_send = channel_splice_send,
	};

	atomic_store(&fs->init_answered, false);
	return fuse_session_custom_io(fs->session, &io, device);
}
