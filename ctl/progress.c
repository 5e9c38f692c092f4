#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "ctl.h"
#include "screen.h"

#define SAY_EVERY_S 2
#define BAR_MIN 10

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void progress_begin(struct progress *p, long all)
{
	*p = (struct progress){ .all = all, .terminal = isatty(STDOUT_FILENO), .begun_s = now_s() };
}

/* "450 of 1,000, 12 failed, 23/s, 24s left" */
static void put_text(const struct progress *p, struct line *l)
{
	long so_far = p->done + p->failed;
	double time_s = now_s() - p->begun_s, rate = time_s > 0 ? (double)so_far / time_s : 0;

	line_put(l, COLOUR_NONE, "%s of %s", number_count((double)so_far),
		 number_count((double)p->all));
	if (p->failed)
		line_put(l, COLOUR_BAD, ", %s failed", number_count((double)p->failed));
	if (time_s < 0.5)
		return;
	line_put(l, COLOUR_DIM, ", %s/s", number_count(rate));
	if (so_far < p->all && rate > 0)
		line_put(l, COLOUR_DIM, ", %s left", number_time((double)(p->all - so_far) / rate));
}

static void print_bar(const struct progress *p)
{
	bool plain = !screen_has_colours() || !screen_has_unicode();
	struct buf text = BUF_INIT;
	int columns, rows, width;
	double share = p->all ? (double)(p->done + p->failed) / (double)p->all : 1;
	struct line l;

	screen_size(&columns, &rows);
	width = columns / 3 > BAR_MIN ? columns / 3 : BAR_MIN;
	/* The last column stays free: some terminals begin a new line there. */
	line_begin(&l, &text, columns - 1, plain);
	line_bar(&l, share, width);
	line_put(&l, COLOUR_BOLD, " %3d%% ", (int)(share * 100));
	put_text(p, &l);
	printf("\r%s\033[K", buf_str(&text));
	buf_fini(&text);
}

static void print_line(const struct progress *p)
{
	struct buf text = BUF_INIT;
	struct line l;

	line_begin(&l, &text, 200, true);
	put_text(p, &l);
	printf("%s\n", buf_str(&text));
	buf_fini(&text);
}

void progress_show(struct progress *p)
{
	long so_far = p->done + p->failed;
	double now = now_s();

	if (p->terminal) {
		print_bar(p);
	} else if (now - p->said_s >= SAY_EVERY_S && so_far != p->said) {
		print_line(p);
		p->said_s = now;
		p->said = so_far;
	}
	fflush(stdout);
}

void progress_end(struct progress *p)
{
	if (p->terminal) {
		print_bar(p);
		putchar('\n');
	} else {
		print_line(p);
	}
	fflush(stdout);
}

void progress_note(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	/* The bar is drawn again below. */
	if (isatty(STDERR_FILENO) && isatty(STDOUT_FILENO))
		fputs("\r\033[K", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}
