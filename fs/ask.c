#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/access_log.h"
#include "../base/clock.h"
#include "access.h"
#include "ask.h"
#include "cached.h"
#include "options.h"

#define COMM_MAX 16		/* TASK_COMM_LEN of the kernel, its NUL included */

/* --- who asks --- */

/* Names longer than the kernel keeps are compared as far as it does. */
static bool is_listed(const char *names, const char *comm)
{
	while (*names) {
		size_t len = strcspn(names, ":");
		size_t kept = len < COMM_MAX - 1 ? len : COMM_MAX - 1;

		if (kept > 0 && strncmp(names, comm, kept) == 0 && !comm[kept])
			return true;
		names += len;
		names += *names == ':';
	}
	return false;
}

static bool read_comm(pid_t pid, char comm[COMM_MAX])
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, comm, COMM_MAX - 1);
	close(fd);
	comm[n > 0 ? n : 0] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	return n > 0;
}

/* A process that has just become another program (exec) is known by its new name: so it
 * is looked up each time, which costs less than what would follow. */
bool ask_sees_only_cached(struct fs *fs, struct fuse_req *req)
{
	const char *names = fs->options->only_cached_for;
	char comm[COMM_MAX];

	return *names && read_comm(fuse_req_ctx(req)->pid, comm) && is_listed(names, comm);
}

/* --- what is fetched behind --- */

struct behind {
	struct want want;
	struct fs *fs;
};

static void behind_done(struct want *w, int err, struct version *v, int64_t fresh_ms)
{
	struct behind *b = container_of(w, struct behind, want);

	(void)fresh_ms;
	/* Nobody reads it, so all of it has to be asked for. */
	if (err == 0 && version_state(v) == VERSION_ARRIVING)
		fetch_need(b->fs->fetch, v, 0, version_length(v));
	version_unref(v);
	free(b);
}

static void fetch_behind(struct fs *fs, const char *url)
{
	struct behind *b = calloc(1, sizeof(*b));

	if (!b)
		return;
	b->fs = fs;
	b->want.done = behind_done;
	fetch_want(fs->fetch, url, 0, &b->want);
}

/* --- */

static bool is_fresh(struct fs *fs, const char *key)
{
	struct version *v _cleanup_(version_unrefp) = NULL;
	struct meta *m _cleanup_(meta_unrefp) = NULL;
	int64_t now = clock_wall_ms();

	if (!policies_store(&fs->options->policies, key) || index_find(fs->index, key, &v) < 0 ||
	    version_state(v) != VERSION_COMPLETE || version_length(v) < 0 || !fetch_selects(fs->fetch, v))
		return false;
	m = version_meta(v);
	return m && (now < m->fresh_until_ms || now < m->swr_until_ms);
}

/* look: also for what is stale. */
static void answer_now(struct fs *fs, struct fuse_req *req, const char *key, bool look,
		       park_answer *answer, void *arg)
{
	struct version *v _cleanup_(version_unrefp) = NULL;
	int64_t fresh_ms = 0, since_ns = clock_mono_ns();
	int err = look ? cached_find(fs, key, &v, &fresh_ms) : -ENOENT;
	enum cache_status status = err ? CACHE_MISS : fresh_ms ? CACHE_HIT : CACHE_STALE;

	if (access_log_wanted())
		access_note(req, key, err, v, status, 0, since_ns);
	answer(fs, req, arg, err, v, fresh_ms, status);
	free(arg);
}

void ask_want(struct fs *fs, struct fuse_req *req, const char *url, park_answer *answer,
	      void *arg)
{
	_cleanup_(cleanup_free) char *other = NULL;
	const char *key;

	if (policies_key(&fs->options->policies, url, &other) < 0)
		other = NULL;		/* it is not known then, and fetch_want() says why */
	key = other ? other : url;
	/* Fresh ones need no origin, whoever asks. */
	if (fs->options->fetch.offline || is_fresh(fs, key)) {
		park_want(fs, req, url, 0, answer, arg);
	} else if (ask_sees_only_cached(fs, req)) {
		answer_now(fs, req, key, true, answer, arg);
	} else if (fs->options->miss_background) {
		/* What is not to be stored is of no use to the next one either. */
		if (policies_store(&fs->options->policies, key))
			fetch_behind(fs, url);
		answer_now(fs, req, key, false, answer, arg);
	} else {
		park_want(fs, req, url, 0, answer, arg);
	}
}

/* --- directories --- */

struct list_behind {
	struct dir_want want;
};

static void list_behind_done(struct dir_want *w, int err, struct dirlist *d)
{
	(void)err;
	dirlist_unref(d);
	free(container_of(w, struct list_behind, want));
}

static void list_behind(struct fs *fs, const char *key)
{
	struct list_behind *b = calloc(1, sizeof(*b));

	if (!b)
		return;
	b->want.done = list_behind_done;
	fetch_list(fs->fetch, key, &b->want);
}

void ask_list(struct fs *fs, struct fuse_req *req, const char *key, park_list_answer *answer,
	      void *arg)
{
	struct dirlist *d _cleanup_(dirlist_unrefp) = NULL;
	bool known;

	if (ask_sees_only_cached(fs, req)) {
		answer(fs, req, arg, -ENOENT, NULL);
		free(arg);
		return;
	}
	if (!fs->options->miss_background) {
		park_list(fs, req, key, answer, arg);
		return;
	}
	d = fetch_list_known(fs->fetch, key, &known);
	if (!known)
		list_behind(fs, key);
	answer(fs, req, arg, d ? 0 : -ENOENT, d);
	free(arg);
}
