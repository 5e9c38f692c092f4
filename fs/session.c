#include "session.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/counters.h"
#include "../base/log.h"
#include "channel.h"
#include "fs.h"
#include "handover.h"
#include "keeper.h"
#include "ops.h"
#include "options.h"
#include "read_ahead.h"
#include "unmount.h"

/* No request makes a worker wait but for the disk, and for purges on old kernels. */
#define WORKERS 10
#define REQUEST_MAX (2 << 20)		/* more than libfuse lets the kernel send */

struct worker {
	struct fs *fs;
	pthread_t thread;
	struct fuse_buf buf;		/* freed by who joins: workers are cancelled */
};

/* The value of an option in libfuse's list ("" for a flag), or NULL. */
static const char *mount_option(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (list && *list) {
		if (strncmp(list, name, len) == 0) {
			if (list[len] == '=')
				return list + len + 1;
			if (list[len] == ',' || !list[len])
				return list + len;
		}
		list = strchr(list, ',');
		if (list)
			list++;
	}
	return NULL;
}

/* Without modes the kernel lets everybody open a file for writing, since OPEN is not sent, and map
 * it: what is written there all others would read (notify_scribbled() is only for those whom no
 * mode stops). Who is alone on the mount needs none. */
static bool checks_modes(const struct options *o)
{
	return o->umask_set || o->allow_other ||
	       mount_option(o->mount_options, "allow_root") ||
	       mount_option(o->mount_options, "default_permissions");
}

static int make_session(struct fs *fs, const struct options *o)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	int r = -ENOMEM;

	if (fuse_opt_add_arg(&args, "webcachefs") == 0 &&
	    (!o->mount_options || !*o->mount_options ||
	     (fuse_opt_add_arg(&args, "-o") == 0 &&
	      fuse_opt_add_arg(&args, o->mount_options) == 0)) &&
	    (mount_option(o->mount_options, "max_read") ||
	     fuse_opt_add_arg(&args, "-omax_read=" READ_AHEAD_MAX_READ) == 0) &&
	    (!fs->default_permissions || fuse_opt_add_arg(&args, "-odefault_permissions") == 0) &&
	    (!o->debug || fuse_opt_add_arg(&args, "-odebug") == 0))
		r = 0;
	if (r == 0) {
		fs->session = fuse_session_new(&args, &ops_table, sizeof(ops_table), fs);
		r = fs->session ? 0 : -EINVAL;
	}
	fuse_opt_free_args(&args);
	return r;
}

int session_new(struct fs *fs, const struct options *o)
{
	const char *max_read = mount_option(o->mount_options, "max_read");
	int r;

	fs->options = o;
	fs->started_ms = clock_wall_ms();
	fs->default_permissions = checks_modes(o);
	fs->max_read = (unsigned)strtoul(max_read ? max_read : READ_AHEAD_MAX_READ, NULL, 10);
	atomic_store(&fs->kernel_ttl_ms, o->kernel_ttl_ms >= 0 ? o->kernel_ttl_ms : 0);
	chores_init(&fs->chores);
	history_init(&fs->history);
	inodes_init(&fs->inodes);
	park_init(&fs->park);
	listings_init(&fs->listings, fs->keeper->handover ? handover_lives(fs->keeper->handover) : 0);
	revisits_init(&fs->revisits);
	purged_init(&fs->purged);
	notify_init(&fs->notify);
	warm_init(&fs->warm);
	r = inodes_show_root(&fs->inodes, o->base_url ? o->base_url : "");
	if (r == 0)
		r = make_session(fs, o);
	if (r < 0) {
		log_error("cannot make a FUSE session: %s", strerror(-r));
		session_free(fs);
	}
	return r;
}

void session_free(struct fs *fs)
{
	if (!fs->options)
		return;
	/* What libfuse keeps of a mount it frees when it unmounts, or never. */
	if (fs->session && !fs->left_mounted)
		fuse_session_destroy(fs->session);
	if (!fs->left_mounted)
		fs->session = NULL;
	warm_fini(&fs->warm);
	notify_fini(&fs->notify);
	revisits_fini(&fs->revisits);
	listings_fini(&fs->listings);
	purged_fini(&fs->purged);
	park_fini(&fs->park);
	inodes_fini(&fs->inodes);
	history_fini(&fs->history);
	chores_fini(&fs->chores);
	fs->options = NULL;
}

/* FUSE_HAS_RESEND of Linux 6.9, bit 39 of the flags; the headers here may be older. */
static bool can_resend(const void *request, size_t len)
{
	uint32_t init[5];		/* major, minor, max_readahead, flags, flags2 */

	if (len < sizeof(struct fuse_in_header) + sizeof(init))
		return false;
	memcpy(init, (const char *)request + sizeof(struct fuse_in_header), sizeof(init));
	return (init[3] & UINT32_C(1) << 30) && (init[4] & UINT32_C(1) << (39 - 32));
}

/* As early as can be. What is looked up before the kernel knows that lookups may run in
 * parallel holds its directory's lock, also when it is parked (fs/fuse/inode.c,
 * fuse_lock_inode). INIT is waiting already: mount(2) sends it. */
static int answer_init(struct fs *fs)
{
	struct fuse_buf buf = { .mem = NULL };
	int n;

	do
		n = fuse_session_receive_buf(fs->session, &buf);
	while (n == -EINTR);
	if (n > 0) {
		fs->resends = can_resend(buf.mem, (size_t)n);
		if (fs->keeper->handover)
			fs->resends &= handover_set_init(fs->keeper->handover, buf.mem,
							 (size_t)n) == 0;
		fuse_session_process_buf(fs->session, &buf);
	}
	free(buf.mem);
	if (n < 0)
		return n;
	return n > 0 && !fuse_session_exited(fs->session) ? 0 : -EPROTO;
}

/* The saved INIT brings libfuse to where the dead daemon's was. What nobody answered is sent
 * again, before anything new is read: what is under way then is sent again, too. */
static int take_over(struct fs *fs)
{
	struct keeper *k = fs->keeper;
	size_t len;
	const void *init = handover_init(k->handover, &len);
	struct fuse_buf buf = { .mem = malloc(len ? len : 1), .size = len };
	int r = buf.mem ? channel_attach(fs, k->device) : -ENOMEM;

	if (r == 0) {
		memcpy(buf.mem, init, len);
		fuse_session_process_buf(fs->session, &buf);
		fs->resends = true;
		r = fuse_session_exited(fs->session) ? -EPROTO : 0;
	}
	free(buf.mem);
	if (r == 0)
		r = inodes_take_over(&fs->inodes, k->handover, fs->index);
	if (r < 0) {
		log_error("cannot take over the mount: %s", strerror(-r));
		return r;
	}
	counter_add(COUNT_takeovers, handover_lives(k->handover));
	notify_taken_over(fs);
	return 0;
}

int session_mount(struct fs *fs, const char *mountpoint)
{
	int r;

	if (fs->keeper->device >= 0)
		return take_over(fs);
	/* libfuse says on stderr why. */
	if (fuse_session_mount(fs->session, mountpoint) < 0)
		return -EIO;
	fs->device = unmount_device(mountpoint);
	if (fs->keeper->handover)
		handover_set_device(fs->keeper->handover, fs->device);
	r = channel_attach(fs, fuse_session_fd(fs->session));
	if (r == 0)
		r = answer_init(fs);
	if (r == 0 && fs->keeper->handover)
		r = inodes_take_over(&fs->inodes, fs->keeper->handover, NULL);
	if (r == 0 && fs->options->read_ahead >= 0)
		read_ahead_set(mountpoint, fs->options->read_ahead);
	if (r < 0) {
		log_error("cannot use the FUSE device: %s", strerror(-r));
		fuse_session_unmount(fs->session);
	}
	return r;
}

void session_hand_over(struct fs *fs)
{
	int r = 0;

	if (fs->resends)
		r = keeper_ready(fs->keeper, fuse_session_fd(fs->session));
	else if (fs->keeper->handover && fs->options->foreground)
		log_warn("takeover needs Linux 6.9");
	if (r < 0)
		log_warn("the mount cannot be taken over if the daemon dies: %s", strerror(-r));
}

void session_unmount(struct fs *fs)
{
	if (fs->keeper->device >= 0)
		unmount_lazily(fs->options->mountpoint, fs->keeper->device,
			       handover_device(fs->keeper->handover));
	else if (unmount_was_done(fuse_session_fd(fs->session)) ||
		 unmount_is_ours(fs->options->mountpoint, fs->device))
		fuse_session_unmount(fs->session);
	else
		fs->left_mounted = true;
}

void session_stop(struct fs *fs)
{
	chores_stop(fs);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct fuse_session *session = w->fs->session;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	while (!fuse_session_exited(session)) {
		int n = fuse_session_receive_buf(session, &w->buf);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		fuse_session_process_buf(session, &w->buf);
	}
	/* Unmounted, or the device failed: either way nothing comes any more. */
	session_stop(w->fs);
	return NULL;
}

/* Signals are for the main thread, which waits for them in session_run(). */
static int start_workers(struct fs *fs, struct worker *workers, size_t *ret_n)
{
	sigset_t all, old;
	size_t i;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	r = notify_start(fs);
	if (r == 0)
		r = warm_start(fs);
	for (i = 0; r == 0 && i < WORKERS; i++) {
		workers[i].fs = fs;
		r = -pthread_create(&workers[i].thread, NULL, work, &workers[i]);
		if (r < 0)
			break;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	*ret_n = i;
	if (r < 0)
		log_error("cannot start threads: %s", strerror(-r));
	/* A few are as good as all. */
	return i > 0 ? 0 : r;
}

static void stop_workers(struct fs *fs, struct worker *workers, size_t n)
{
	size_t i;

	fuse_session_exit(fs->session);
	for (i = 0; i < n; i++)
		pthread_cancel(workers[i].thread);
	for (i = 0; i < n; i++) {
		pthread_join(workers[i].thread, NULL);
		free(workers[i].buf.mem);
	}
}

static bool wants_reply(uint32_t opcode)
{
	return opcode != FUSE_FORGET && opcode != FUSE_BATCH_FORGET && opcode != FUSE_INTERRUPT;
}

/* The requests that no worker takes any more: N may wait for a page that a READ is to fill, and
 * who was answered EINTR sends his again. */
static void refuse(struct fs *fs)
{
	_cleanup_(cleanup_free) char *buf = malloc(REQUEST_MAX);
	struct pollfd p = { .fd = fuse_session_fd(fs->session), .events = POLLIN };
	struct fuse_out_header out = { sizeof(out), -ENOTCONN, 0 };
	struct fuse_in_header in;

	while (buf && poll(&p, 1, 0) == 1 && (p.revents & POLLIN) &&
	       read(p.fd, buf, REQUEST_MAX) >= (ssize_t)sizeof(in)) {
		memcpy(&in, buf, sizeof(in));
		out.unique = in.unique;
		if (wants_reply(in.opcode) && write(p.fd, &out, sizeof(out)) < 0)
			log_debug("a request was not refused: %s", strerror(errno));
	}
}

int session_run(struct fs *fs)
{
	struct worker workers[WORKERS] = { { 0 } };
	size_t n = 0;
	int r = start_workers(fs, workers, &n);

	if (r == 0)
		chores_run(fs);
	notify_ending(fs);
	stop_workers(fs, workers, n);
	warm_stop(&fs->warm);
	fetch_stop(fs->fetch);
	warm_drain(fs);
	park_drain(fs);
	notify_stop(fs, refuse);
	return r;
}
