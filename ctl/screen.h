/* screen.h - a whole terminal, drawn again and again, and given back as it was. */
#ifndef CTL_SCREEN_H
#define CTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/buf.h"

/* Columns and rows of the terminal on standard output; 80 and 24 when there is none. */
void screen_size(int *ret_columns, int *ret_rows);

/* Whether it shows letters beyond ASCII, and colours (not so with NO_COLOR). */
bool screen_has_unicode(void);
bool screen_has_colours(void);

/* Takes standard input and output, which are a terminal, until screen_end(), which is
 * called at the end of the program too, also when a signal ends it. */
void screen_begin(void);
void screen_end(void);

/* Waits. The key that was pressed; 0: the time is over, or the size has changed; -1: it is
 * time to end (a signal, or the terminal is gone). */
int screen_wait(double s);

/* A frame: lines, each to be ended by screen_line(). */
void screen_show(const struct buf *frame);

/* --- lines of a frame; cut at the width --- */

struct line {
	struct buf *to;
	int left;			/* columns */
	bool plain;			/* no colours, no letters beyond ASCII */
	bool on_screen;			/* what is behind it there is to go */
};

enum colour { COLOUR_NONE, COLOUR_BOLD, COLOUR_DIM, COLOUR_GOOD, COLOUR_FAIR, COLOUR_BAD };

void line_begin(struct line *l, struct buf *to, int columns, bool plain);
void line_put(struct line *l, enum colour c, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void line_bar(struct line *l, double share, int width);	/* share < 0: not known */
void line_end(struct line *l);

#endif
