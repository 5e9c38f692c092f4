#include "screen.h"

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "../base/cleanup.h"

/* Alternate screen and no cursor, and back: what was on the terminal stays. */
#define ENTER "\033[?1049h\033[?25l\033[H\033[2J"
#define LEAVE "\033[?25h\033[?1049l"

static struct termios before;	/* as it was */
static bool taken;
static sigset_t waiting;	/* the mask while it waits: signals are taken nowhere else */
static volatile sig_atomic_t ended, stopped;

void screen_size(int *ret_columns, int *ret_rows)
{
	struct winsize size;

	*ret_columns = 80;
	*ret_rows = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
		*ret_columns = size.ws_col;
		*ret_rows = size.ws_row;
	}
}

bool screen_has_unicode(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool screen_has_colours(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 && !(no && *no);
}

static void put(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

static void take(void)
{
	struct termios raw = before;

	/* Keys at once and unseen; Ctrl-C and Ctrl-Z are still signals. */
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	put(ENTER, sizeof ENTER - 1);
	taken = true;
}

void screen_end(void)
{
	if (!taken)
		return;
	taken = false;
	put(LEAVE, sizeof LEAVE - 1);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void on_end(int number)
{
	(void)number;
	ended = 1;
}

static void on_stop(int number)
{
	(void)number;
	stopped = 1;
}

static void on_resize(int number)
{
	(void)number;
}

void screen_begin(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction end = { .sa_handler = on_end }, stop = { .sa_handler = on_stop };
	struct sigaction resize = { .sa_handler = on_resize };
	sigset_t ours;

	sigemptyset(&ours);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		sigaction(ends[i], &end, NULL);
		sigaddset(&ours, ends[i]);
	}
	sigaction(SIGTSTP, &stop, NULL);
	sigaddset(&ours, SIGTSTP);
	sigaction(SIGWINCH, &resize, NULL);
	sigaddset(&ours, SIGWINCH);
	sigprocmask(SIG_BLOCK, &ours, &waiting);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		sigdelset(&waiting, ends[i]);
	sigdelset(&waiting, SIGTSTP);
	sigdelset(&waiting, SIGWINCH);
	tcgetattr(STDIN_FILENO, &before);
	atexit(screen_end);
	take();
}

/* Ctrl-Z: the shell gets its terminal as it was. */
static void suspend(void)
{
	stopped = 0;
	screen_end();
	raise(SIGSTOP);
	tcgetattr(STDIN_FILENO, &before);
	take();
}

int screen_wait(double s)
{
	struct timespec time = { 0, 0 };
	struct pollfd in = { STDIN_FILENO, POLLIN, 0 };
	unsigned char key;
	int n;

	if (s > 0) {
		time.tv_sec = (time_t)s;
		time.tv_nsec = (long)((s - (double)time.tv_sec) * 1e9);
	}
	n = ppoll(&in, 1, &time, &waiting);

	if (ended)
		return -1;
	if (stopped)
		suspend();
	if (n <= 0)
		return 0;
	return read(STDIN_FILENO, &key, 1) == 1 ? key : -1;
}

void screen_show(const struct buf *frame)
{
	put("\033[H", 3);
	put(buf_str(frame), frame->len);
	put("\033[J", 3);
}

/* --- lines --- */

void line_begin(struct line *l, struct buf *to, int columns, bool plain)
{
	*l = (struct line){ .to = to, .left = columns, .plain = plain };
	l->on_screen = taken;
}

static const char *code(enum colour c)
{
	static const char *const codes[] = {
		[COLOUR_NONE] = "",	    [COLOUR_BOLD] = "\033[1m",	[COLOUR_DIM] = "\033[2m",
		[COLOUR_GOOD] = "\033[32m", [COLOUR_FAIR] = "\033[33m", [COLOUR_BAD] = "\033[31m",
	};

	return codes[c];
}

void line_put(struct line *l, enum colour c, const char *fmt, ...)
{
	struct buf text _cleanup_(buf_fini) = BUF_INIT;
	bool coloured = c != COLOUR_NONE && !l->plain;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (coloured)
		buf_str_append(l->to, code(c));
	for (const char *s = buf_str(&text); *s && l->left > 0; s++) {
		/* What an origin or a shell made up is not for the terminal to obey. */
		buf_char(l->to, *s >= ' ' && *s <= '~' ? *s : '?');
		l->left--;
	}
	if (coloured)
		buf_str_append(l->to, "\033[0m");
}

/* One cell, of eight parts. */
static const char *cell(int parts)
{
	static const char *const cells[] = { "\u2591", "\u258f", "\u258e", "\u258d", "\u258c",
					     "\u258b", "\u258a", "\u2589", "\u2588" };

	return cells[parts < 0 ? 0 : parts > 8 ? 8 : parts];
}

void line_bar(struct line *l, double share, int width)
{
	int parts = share < 0 ? 0 : (int)((share > 1 ? 1 : share) * 8 * width + 0.5);

	for (int i = 0; i < width && l->left > 0; i++, l->left--)
		if (l->plain)
			buf_char(l->to, share < 0 ? '?' : parts >= 8 * i + 4 ? '#' : '.');
		else
			buf_str_append(l->to, cell(parts - 8 * i));
}

void line_end(struct line *l)
{
	buf_str_append(l->to, l->on_screen ? "\033[K\n" : "\n");
}
