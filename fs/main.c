/* main.c - builds the daemon from the bottom up, runs it, and takes it down in reverse.
 *
 * Exit status: 0; 1: there is no mount, or it ended badly; 2: wrong usage. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../base/access_log.h"
#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/libraries.h"
#include "../base/log.h"
#include "daemon.h"
#include "fs.h"
#include "keeper.h"
#include "options.h"
#include "session.h"

#include <fuse_lowlevel.h>

#define FILES_WANTED 65536

static struct fs the_fs;	/* static for the signal handler */
static struct keeper keeper;

/* The index outlives the session, and may have news for it meanwhile. */
static pthread_mutex_t news_lock = PTHREAD_MUTEX_INITIALIZER;
static bool news_wanted;	/* guarded by news_lock */

static void want_news(bool wanted)
{
	WITH_LOCK(&news_lock)
		news_wanted = wanted;
}

static void on_stale_names(void *arg)
{
	WITH_LOCK(&news_lock)
		if (news_wanted)
			notify_stale_names(arg);
}

/* --- signals --- */

static void on_stop(int number)
{
	(void)number;
	session_stop(&the_fs);
}

static void on_reopen(int number)
{
	(void)number;
	chores_reopen_log(&the_fs);
}

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Hangup: in the foreground the terminal went away, which ends programs. Without one, in
 * the background or below a supervisor, it is what daemons are sent to reopen their logs;
 * in the foreground only if there is one, since nothing else could be meant then. */
static void set_signals(bool foreground)
{
	bool hangup_ends = foreground && (!access_log_wanted() || has_terminal());
	struct sigaction stop = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
	struct sigaction reopen = { .sa_handler = on_reopen, .sa_flags = SA_RESTART };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction old;

	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	/* Under nohup it stays ignored. */
	if (sigaction(SIGHUP, NULL, &old) < 0 || old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, hangup_ends ? &stop : &reopen, NULL);
	keeper_take_signals(&keeper);
}

/* For the system's log; in the foreground it is plain to see. */
static void note(const struct options *o, const char *what)
{
	if (!o->foreground)
		log_info("%s is %s %s, cached in %s", o->source, what, o->mountpoint,
			 o->cache_dir);
}

/* --- from the index up to the mount --- */

/* One step of the way up failed: why is what the command prints. */
static int failed(struct daemon *d, const char *what, int err)
{
	char why[256];

	snprintf(why, sizeof why, "%s: %s", what, strerror(-err));
	daemon_failed(d, why);
	return err;
}

static int build_index(const struct options *o, struct daemon *d)
{
	struct index_config config = o->index;
	char reason[OPTIONS_REASON] = "";
	int err;

	config.taken_over = keeper.device >= 0;
	config.stale_names = on_stale_names;
	config.arg = &the_fs;
	err = index_open(&config, &the_fs.index, reason, sizeof reason);
	if (err < 0) {
		if (!reason[0])
			return failed(d, o->cache_dir, err);
		daemon_failed(d, reason);
		return err;
	}
	err = index_start(the_fs.index);
	if (err == 0)
		return 0;
	index_close(the_fs.index);
	return failed(d, "threads of the index", err);
}

static int build_fetch(const struct options *o, struct daemon *d)
{
	struct fetch_config config = o->fetch;
	int err;

	config.index = the_fs.index;
	err = fetch_new(&config, &the_fs.fetch);
	return err < 0 ? failed(d, "fetching", err) : 0;
}

static int serve_mounted(const struct options *o, struct daemon *d)
{
	int err = fetch_start(the_fs.fetch);

	if (err < 0)
		return failed(d, "thread of the fetches", err);
	err = daemon_ready(d);
	if (err < 0) {
		fetch_stop(the_fs.fetch);
		return err;
	}
	session_hand_over(&the_fs);
	note(o, keeper.device >= 0 ? "taken over on" : "mounted on");
	err = session_run(&the_fs);
	if (err < 0)
		log_error("the session ended: %s", strerror(-err));
	return err;
}

/* Bottom-up, and down again in reverse; only the session goes before the index, whose
 * versions it holds. */
static int serve(const struct options *o, struct daemon *d)
{
	int err = session_new(&the_fs, o);

	if (err < 0) {
		daemon_failed(d, NULL);
		return err;
	}
	access_log_set_wake(chores_wake, &the_fs);
	want_news(true);
	err = build_index(o, d);
	if (err < 0)
		goto free_session;
	err = build_fetch(o, d);
	if (err < 0)
		goto close_index;
	set_signals(o->foreground);
	err = session_mount(&the_fs, o->mountpoint);
	if (err < 0) {
		daemon_failed(d, NULL);
		goto free_fetch;
	}
	err = serve_mounted(o, d);
	index_leaving(the_fs.index);
	/* What could not be served after all the keeper gives to another one. */
	if (err == 0 || keeper.device < 0) {
		session_unmount(&the_fs);
		note(o, "unmounted from");
	}
free_fetch:
	fetch_free(the_fs.fetch);
close_index:
	want_news(false);
	session_free(&the_fs);
	index_close(the_fs.index);
	return err;
free_session:
	session_free(&the_fs);
	return err;
}

/* --- before that --- */

static void print_version(void)
{
	struct buf libraries = BUF_INIT;

	index_libraries(&libraries);
	fetch_libraries(&libraries);
	printf("webcachefs %s\nlibfuse %s\n%s", WEBCACHEFS_VERSION, fuse_pkgversion(),
	       buf_str(&libraries));
	buf_fini(&libraries);
}

/* A password of the URL is not for everybody who looks at the processes. */
static void hide_credentials(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *start = argv[i];

		while ((start = strstr(start, "://"))) {
			char *at = memrchr(start + 3, '@', strcspn(start + 3, "/?#"));

			start += 3;
			if (at)
				memset(start, '*', (size_t)(at - start));
		}
	}
}

/* Each connection and each open body takes a descriptor. */
static void raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= FILES_WANTED)
		return;
	files.rlim_cur = files.rlim_max < FILES_WANTED ? files.rlim_max : FILES_WANTED;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		log_warn("limit of open files: %s", strerror(errno));
}

static int usage(int err, const char *reason)
{
	fprintf(stderr, "webcachefs: %s\n", reason);
	return err == -EINVAL ? DAEMON_EXIT_USAGE : DAEMON_EXIT_FAILED;
}

/* In the keeper it does not return. */
static void keep(const struct options *o, struct daemon *d)
{
	int err;

	keeper_none(&keeper);
	the_fs.keeper = &keeper;
	if (!o->takeover)
		return;
	err = keeper_begin(&keeper, d, o);
	if (err < 0)
		log_warn("nobody will take over if the daemon dies: %s", strerror(-err));
	/* It may have been renamed since the keeper began. */
	if (keeper.device >= 0 && access_log_wanted())
		access_log_reopen();
}

static int run(struct options *o)
{
	char reason[OPTIONS_REASON];
	struct daemon d = { -1, false };
	const char *shift = getenv("WEBCACHEFS_CLOCK_SHIFT");
	int err = options_complete(o, reason, sizeof reason);

	if (err < 0)
		return usage(err, reason);
	/* Who started us may wait until nobody holds those any more. */
	if (!o->foreground)
		closefrom(STDERR_FILENO + 1);
	if (o->debug)
		log_set_level(LOG_LEVEL_DEBUG);
	if (shift && *shift)
		clock_shift_file(shift);
	raise_limits();
	if (o->access_log && (err = access_log_open(o->access_log)) < 0) {
		fprintf(stderr, "webcachefs: %s: %s\n", o->access_log, strerror(-err));
		return DAEMON_EXIT_FAILED;
	}
	if (o->foreground) {
		daemon_stay(&d);
	} else if ((err = daemon_begin(&d, o->mountpoint)) < 0) {
		failed(&d, "going into the background", err);
		return DAEMON_EXIT_FAILED;
	}
	keep(o, &d);
	err = serve(o, &d);
	access_log_close();
	return err < 0 ? DAEMON_EXIT_FAILED : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options o;
	char reason[OPTIONS_REASON];
	int status = EXIT_SUCCESS;
	int err = options_parse(argc, argv, &o, reason, sizeof reason);

	if (err < 0) {
		status = usage(err, reason);
	} else if (o.action == OPTIONS_HELP) {
		options_help(stdout, "webcachefs");
	} else if (o.action == OPTIONS_VERSION) {
		print_version();
	} else {
		hide_credentials(argc, argv);
		status = run(&o);
	}
	options_fini(&o);
	if (fflush(stdout) != 0 && status == EXIT_SUCCESS)
		status = DAEMON_EXIT_FAILED;
	return status;
}
