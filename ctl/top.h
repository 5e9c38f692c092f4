/* top.h - what the files of `webcachectl top` share. */
#ifndef CTL_TOP_H
#define CTL_TOP_H

#include <stdbool.h>

#include "../base/buf.h"
#include "sample.h"
#include "screen.h"

#define TOP_BAR 20		/* columns */

/* Two looks: rates are what went on between them. */
struct top {
	struct sample old, new;
	struct json_object *old_transfers, *transfers;	/* owned */
	char *health, *source;
	bool plain;
	int columns, rows;
	struct buf frame;
	int lines;			/* of the frame so far */
};

/* --- top_draw.c --- */

void top_draw(struct top *t);		/* into t->frame */
struct line top_line(struct top *t);
void top_line_end(struct top *t, struct line *l);
void top_title(struct top *t, const char *title, size_t n, const char *more);

/* --- top_transfers.c --- */

/* below: lines to be left free under it. */
void top_draw_transfers(struct top *t, int below);

/* --- top_origins.c --- */

/* Lines it takes where t->lines are drawn and `transfers` want to stand between: they may
 * have to make room for each other. 0: it is not drawn. */
int top_origins_height(const struct top *t, size_t transfers);
void top_draw_origins(struct top *t, int height);

#endif
