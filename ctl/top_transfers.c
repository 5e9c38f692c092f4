/* top_transfers.c - each transfer, the oldest first. */
#include "top.h"

#include <stdlib.h>
#include <string.h>

#include "ctl.h"

/* One line of .control/transfers. */
struct row {
	const char *url, *kind, *state;	/* borrowed from the JSON */
	double from, bytes, length, age_s;	/* length: of what was asked for; -1: not known */
	double rate;			/* bytes a second, since the look before */
};

/* The same one a look ago: how many bytes had come then; -1: it was not there. */
static double bytes_before(struct top *t, const struct row *r)
{
	size_t n = t->old_transfers ? json_object_array_length(t->old_transfers) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(t->old_transfers, i);

		if (strcmp(sample_text(o, "url"), r->url) == 0 && sample_number(o, "from", 0) == r->from &&
		    sample_number(o, "bytes", 0) <= r->bytes)
			return sample_number(o, "bytes", 0);
	}
	return -1;
}

static struct row read_row(struct top *t, struct json_object *o)
{
	double time_s = t->new.mono_s - t->old.mono_s, before;
	struct row r = {
		.url = sample_text(o, "url"), .kind = sample_text(o, "kind"), .state = sample_text(o, "state"),
		.from = sample_number(o, "from", 0), .bytes = sample_number(o, "bytes", 0),
		.length = sample_number(o, "length", -1), .age_s = sample_number(o, "age_ms", 0) / 1000,
	};

	if (r.length >= 0)
		r.length -= r.from;
	before = bytes_before(t, &r);
	if (!t->old_transfers || time_s <= 0)
		r.rate = r.age_s > 0 ? r.bytes / r.age_s : 0;
	else if (before >= 0)
		r.rate = (r.bytes - before) / time_s;
	else
		r.rate = r.bytes / (r.age_s > 0 && r.age_s < time_s ? r.age_s : time_s);
	return r;
}

static int by_age(const void *a, const void *b)
{
	double x = ((const struct row *)a)->age_s, y = ((const struct row *)b)->age_s;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* The end of a URL tells more than its beginning. */
static void put_url(struct line *l, const char *url)
{
	size_t len = strlen(url);

	if (l->left > 2 && len > (size_t)l->left)
		line_put(l, COLOUR_NONE, "..%s", url + len - (size_t)l->left + 2);
	else
		line_put(l, COLOUR_NONE, "%s", url);
}

static void draw_row(struct top *t, const struct row *r)
{
	struct line l = top_line(t);

	line_bar(&l, r->length > 0 ? r->bytes / r->length : -1, TOP_BAR / 2);
	if (r->length > 0)
		line_put(&l, COLOUR_NONE, " %3.0f%% ", 100 * r->bytes / r->length);
	else
		line_put(&l, COLOUR_NONE, "      ");
	line_put(&l, COLOUR_NONE, "%9s %9s/s %7s ", number_bytes(r->bytes), number_bytes(r->rate),
		 number_time(r->age_s));
	line_put(&l, strcmp(r->state, "retrying") == 0 ? COLOUR_FAIR : COLOUR_DIM, "%-5s %-8s ",
		 r->kind, r->state);
	put_url(&l, r->url);
	top_line_end(t, &l);
}

/* As many as fit above that many lines, but one at least. */
static size_t rows_that_fit(const struct top *t, size_t n, int below)
{
	int room = t->rows - t->lines - below;

	if (t->rows == 0 || (int)n <= room)
		return n;
	return room > 1 ? (size_t)room : 1;
}

void top_draw_transfers(struct top *t, int below)
{
	size_t n = json_object_array_length(t->transfers), shown;
	struct row *rows = calloc(n + 1, sizeof *rows);

	if (!rows)
		die(CTL_FAILED, "out of memory");
	for (size_t i = 0; i < n; i++)
		rows[i] = read_row(t, json_object_array_get_idx(t->transfers, i));
	qsort(rows, n, sizeof *rows, by_age);
	top_title(t, "TRANSFERS", n, "");
	shown = rows_that_fit(t, n, below);
	for (size_t i = 0; i < shown; i++)
		draw_row(t, &rows[i]);
	free(rows);
}
