#include "access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "cleanup.h"
#include "clock.h"
#include "counters.h"
#include "log.h"

#define MEMORY (1024 * 1024)	/* bytes of lines that may wait to be written */

static _Atomic bool wanted;
static void (*wake)(void *arg);		/* constant */
static void *wake_arg;
static const char *path;		/* constant */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* leaf */
static struct buf lines = BUF_INIT;				/* guarded by lock */

/* who flushes */
static int log_fd = -1;
static bool failing;		/* said so already */
static bool torn;		/* the file ends within a line */

static int open_path(void)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

	return fd < 0 ? -errno : fd;
}

int access_log_open(const char *name)
{
	int fd;

	path = name;
	fd = open_path();
	if (fd < 0)
		return fd;
	log_fd = fd;
	atomic_store(&wanted, true);
	return 0;
}

void access_log_set_wake(void (*f)(void *arg), void *arg)
{
	wake = f;
	wake_arg = arg;
}

bool access_log_wanted(void)
{
	return atomic_load_explicit(&wanted, memory_order_relaxed);
}

/* --- a line --- */

/* As nginx does it: no URL and no word of an origin can end the field or the line. */
static void put_quoted(struct buf *to, const char *s)
{
	buf_char(to, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
			buf_printf(to, "\\x%02X", c);
		else
			buf_char(to, *s);
	}
	buf_char(to, '"');
}

static void put_time(struct buf *to)
{
	int64_t now = clock_wall_ms();
	time_t s = now / 1000;
	struct tm tm;
	char text[32];

	gmtime_r(&s, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(to, "%s.%03dZ", text, (int)(now % 1000));
}

static void put_line(struct buf *to, const struct access *a)
{
	put_time(to);
	if (a->by_kernel)
		buf_printf(to, " %u/%d ", (unsigned)a->uid, (int)a->pid);
	else
		buf_str_append(to, " -/- ");
	put_quoted(to, a->url);
	if (a->status > 0)
		buf_printf(to, " %d", a->status);
	else
		buf_str_append(to, " -");
	if (a->bytes >= 0)
		buf_printf(to, " %" PRId64, a->bytes);
	else
		buf_str_append(to, " -");
	buf_printf(to, " %" PRId64 ".%06d %s ", a->took_us / 1000000, (int)(a->took_us % 1000000),
		   a->word);
	put_quoted(to, a->reason && *a->reason ? a->reason : "-");
	buf_char(to, '\n');
}

void access_log_add(const struct access *a)
{
	struct buf line _cleanup_(buf_fini) = BUF_INIT;
	bool first = false, lost = false;

	if (!access_log_wanted())
		return;
	put_line(&line, a);
	lost = !buf_ok(&line);
	if (!lost)
		WITH_LOCK(&lock) {
			first = lines.len == 0;
			lost = lines.len + line.len > MEMORY || buf_reserve(&lines, line.len) < 0;
			if (!lost)
				buf_append(&lines, line.data, line.len);
		}
	if (lost)
		count(unlogged);
	else if (first && wake)
		wake(wake_arg);
}

/* --- who flushes --- */

static int64_t lines_of(const char *text, size_t len)
{
	int64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

static void lose(const struct buf *text, size_t written, int err)
{
	torn = torn || (written > 0 && text->data[written - 1] != '\n');
	count_by(unlogged, lines_of(text->data + written, text->len - written));
	if (!failing)
		log_error("%s: %s: lines are lost", path, strerror(err));
	failing = true;
}

void access_log_flush(void)
{
	struct buf text _cleanup_(buf_fini) = BUF_INIT;
	size_t done = 0;
	ssize_t n;

	WITH_LOCK(&lock) {
		text = lines;
		lines = (struct buf)BUF_INIT;
	}
	if (text.len && torn)
		torn = write(log_fd, "\n", 1) != 1;
	while (done < text.len) {
		n = write(log_fd, text.data + done, text.len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			lose(&text, done, n < 0 ? errno : ENOSPC);
			return;
		}
		done += (size_t)n;
	}
	if (text.len)
		failing = false;
}

void access_log_reopen(void)
{
	int fd;

	if (!access_log_wanted())
		return;
	access_log_flush();
	fd = open_path();
	if (fd < 0) {
		log_error("%s: %s: the old one stays in use", path, strerror(-fd));
		return;
	}
	if (log_fd >= 0)
		close(log_fd);
	log_fd = fd;
	failing = torn = false;
}

void access_log_leave(void)
{
	if (log_fd >= 0)
		close(log_fd);
	log_fd = -1;
}

void access_log_close(void)
{
	if (!access_log_wanted())
		return;
	access_log_flush();
	atomic_store(&wanted, false);
	close(log_fd);
	log_fd = -1;
	buf_fini(&lines);
}
