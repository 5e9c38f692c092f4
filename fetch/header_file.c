#include "header_file.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/log.h"
#include "fields.h"
#include "policy.h"

#define LARGEST (64 * 1024)

struct header_file {
	char *path;			/* constant */
	atomic_flag looking;		/* somebody looks at it: others need not, nor wait */
	pthread_mutex_t lock;

	/* Guarded by lock. */
	struct header_lines *lines;	/* a reference */

	/* Of who set looking: as it was when it was last looked at. */
	struct stat seen;
	bool failed;
};

/* --- one line --- */

/* They decide what a response means, so they are the cache's own to send. */
static bool belongs_to_cache(struct span name)
{
	static const char *const names[] = { "Range", "Connection", "Transfer-Encoding", "TE",
					     "Content-Length", "Expect", "Upgrade", "Trailer" };

	if (name.len > 3 && strncasecmp(name.at, "If-", 3) == 0)
		return true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (fields_equal(name, names[i]))
			return true;
	return false;
}

int policy_check_header(const char *line, const char **ret_reason)
{
	struct span name = { line, strcspn(line, ":") };

	if (!fields_is_token(name) || !line[name.len]) {
		*ret_reason = "not a header line such as Name: value";
		return -EINVAL;
	}
	for (const char *p = line + name.len + 1; *p; p++) {
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f) {
			*ret_reason = "a header's value cannot hold control characters";
			return -EINVAL;
		}
	}
	if (belongs_to_cache(name)) {
		*ret_reason = "this header is sent by the cache itself";
		return -EINVAL;
	}
	return 0;
}

/* --- all of them --- */

void header_lines_unref(struct header_lines *l)
{
	if (!l || atomic_fetch_sub(&l->refs, 1) > 1)
		return;
	while (l->n > 0)
		free(l->lines[--l->n]);
	free(l->lines);
	free(l);
}

void header_lines_unrefp(struct header_lines **l)
{
	header_lines_unref(*l);
}

static struct header_lines *lines_new(void)
{
	struct header_lines *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	atomic_init(&l->refs, 1);
	l->lines = calloc(1, sizeof *l->lines);
	if (!l->lines) {
		free(l);
		return NULL;
	}
	return l;
}

static int add_line(struct header_lines *l, const char *text, const char **ret_reason)
{
	char **grown;
	int err = policy_check_header(text, ret_reason);

	if (err < 0)
		return err;
	grown = reallocarray(l->lines, l->n + 2, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	l->lines = grown;
	grown[l->n] = strdup(text);
	if (!grown[l->n])
		return -ENOMEM;
	grown[++l->n] = NULL;
	return 0;
}

static int read_lines(FILE *file, struct header_lines *l, const char **ret_reason)
{
	_cleanup_(cleanup_free) char *line = NULL;
	size_t cap = 0, total = 0;
	ssize_t len;
	int err = 0;

	while (err == 0 && (len = getline(&line, &cap, file)) >= 0) {
		char *text = line;

		total += (size_t)len;
		*ret_reason = total > LARGEST ? "too large" : "not a text file";
		if (total > LARGEST || memchr(line, '\0', (size_t)len))
			return -EINVAL;
		while (len && strchr("\r\n\t ", line[len - 1]))
			line[--len] = '\0';
		text += strspn(text, " \t");
		if (*text && *text != '#')
			err = add_line(l, text, ret_reason);
	}
	return err == 0 && ferror(file) ? -EIO : err;
}

static int read_file(const char *path, struct header_lines **ret, struct stat *ret_seen,
		     const char **ret_reason)
{
	_cleanup_(header_lines_unrefp) struct header_lines *l = lines_new();
	FILE *file = l ? fopen(path, "re") : NULL;
	int err;

	if (!l)
		return -ENOMEM;
	if (!file)
		return -errno;
	err = fstat(fileno(file), ret_seen) < 0 ? -errno : read_lines(file, l, ret_reason);
	fclose(file);
	if (err == 0)
		*ret = TAKE_PTR(l);
	return err;
}

/* --- the file --- */

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* The daemon leaves the current directory. Links stay: they may lead elsewhere later. */
static char *absolute(const char *path)
{
	_cleanup_(cleanup_free) char *here = *path == '/' ? NULL : getcwd(NULL, 0);
	char *joined;

	if (!here)
		return strdup(path);
	return asprintf(&joined, "%s/%s", here, path) < 0 ? NULL : joined;
}

int header_file_open(const char *path, struct header_file **ret, char *reason, size_t len)
{
	struct header_file *h = calloc(1, sizeof *h);
	const char *words = NULL;
	int err = -ENOMEM;

	if (h)
		h->path = absolute(path);
	if (h && h->path)
		err = read_file(h->path, &h->lines, &h->seen, &words);
	if (err < 0) {
		snprintf(reason, len, "%s: %s", path,
			 err == -EINVAL && words ? words : strerror(-err));
		if (h)
			free(h->path);
		free(h);
		return err;
	}
	atomic_flag_clear(&h->looking);
	pthread_mutex_init(&h->lock, NULL);
	*ret = h;
	return 0;
}

void header_file_free(struct header_file *h)
{
	if (!h)
		return;
	header_lines_unref(h->lines);
	pthread_mutex_destroy(&h->lock);
	free(h->path);
	free(h);
}

/* What is wrong with it is said once, until it has changed. */
static void failed(struct header_file *h, const char *words, bool again)
{
	if (again || !h->failed)
		log_warn("%s: %s: the headers stay as they were", h->path, words);
	h->failed = true;
}

static void read_again(struct header_file *h)
{
	struct header_lines *lines = NULL, *old = NULL;
	const char *words = NULL;
	struct stat now;
	int err;

	if (stat(h->path, &now) < 0) {
		failed(h, strerror(errno), false);
		return;
	}
	if (is_same(&now, &h->seen)) {
		h->failed = false;
		return;
	}
	h->seen = now;
	err = read_file(h->path, &lines, &h->seen, &words);
	if (err < 0) {
		failed(h, err == -EINVAL && words ? words : strerror(-err), true);
		return;
	}
	h->failed = false;
	log_debug("%s: read again", h->path);
	WITH_LOCK(&h->lock) {
		old = h->lines;
		h->lines = lines;
	}
	header_lines_unref(old);
}

void header_file_look(struct header_file *h)
{
	if (!h || atomic_flag_test_and_set(&h->looking))
		return;
	read_again(h);
	atomic_flag_clear(&h->looking);
}

struct header_lines *header_file_lines(struct header_file *h)
{
	struct header_lines *l = NULL;

	if (h)
		WITH_LOCK(&h->lock) {
			l = h->lines;
			atomic_fetch_add(&l->refs, 1);
		}
	return l;
}
