/* top_origins.c - the origins that answer slowest: by the time to first byte that nine in
 * ten of their answers kept. That is since the start: .control/stats has what follows from
 * all times, which two looks cannot be told apart from. */
#include "top.h"

#include <stdlib.h>
#include <string.h>

#include "ctl.h"

#define SHOWN_MAX 5
#define HEAD 3				/* lines: an empty one, the title, the columns */
#define TRANSFERS_HEAD 2

struct origin {
	const char *name;		/* borrowed from the JSON */
	struct json_object *values;
	double p90_ms;
	int transfers;			/* now */
};

static struct json_object *all(const struct top *t)
{
	struct json_object *origins = NULL;

	if (!json_object_object_get_ex(t->new.stats, "origins", &origins) ||
	    !json_object_is_type(origins, json_type_object))
		return NULL;
	return origins;
}

/* Of one that was not, all that was looked up was stored before: it kept nobody waiting. */
static bool was_asked(struct json_object *values)
{
	return sample_number(values, "upstream_requests", 0) > 0;
}

static size_t count_asked(const struct top *t)
{
	struct json_object *origins = all(t);
	size_t n = 0;

	if (!origins)
		return 0;
	json_object_object_foreach(origins, name, values) {
		(void)name;
		n += was_asked(values);
	}
	return n;
}

static int count_transfers(const struct top *t, const char *origin)
{
	size_t len = strlen(origin), n = json_object_array_length(t->transfers);
	int found = 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(t->transfers, i);
		const char *url = sample_text(o, "url");

		found += strncmp(url, origin, len) == 0 && strchr("/?", url[len]);
	}
	return found;
}

/* The slowest first, and last those that never answered, which have no times; of equal
 * ones, the one that fails more. */
static int by_time(const void *a, const void *b)
{
	const struct origin *x = a, *y = b;
	double more = y->p90_ms - x->p90_ms;

	if (more == 0)
		more = sample_number(y->values, "errors", 0) - sample_number(x->values, "errors", 0);
	return more < 0 ? -1 : more > 0 ? 1 : strcmp(x->name, y->name);
}

static size_t gather(const struct top *t, struct origin *ret, size_t max)
{
	struct json_object *origins = all(t);
	size_t n = 0;

	if (!origins)
		return 0;
	json_object_object_foreach(origins, name, values) {
		if (!was_asked(values) || n == max)
			continue;
		ret[n].name = name;
		ret[n].values = values;
		ret[n].p90_ms = sample_number(values, "ttfb_p90_ms", 0);
		ret[n++].transfers = count_transfers(t, name);
	}
	qsort(ret, n, sizeof *ret, by_time);
	return n;
}

/* Of no names at all there is no share. */
static void put_hit_rate(struct line *l, struct json_object *values)
{
	static const char *const names[] = { "hits", "negative_hits", "stale_served", "misses",
					     "coalesced" };
	double asked = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		asked += sample_number(values, names[i], 0);
	if (asked > 0)
		line_put(l, COLOUR_NONE, "%6.1f%% ", 100 * sample_number(values, "hit_rate", 0));
	else
		line_put(l, COLOUR_NONE, "%7s ", "-");
}

static void put_time(struct line *l, enum colour c, struct json_object *values, const char *name)
{
	double ms = sample_number(values, name, 0);

	line_put(l, c, "%7s ", ms > 0 ? number_ms(ms) : "-");
}

static void draw_row(struct top *t, const struct origin *o)
{
	double errors = sample_number(o->values, "errors", 0);
	struct line l = top_line(t);

	put_time(&l, COLOUR_NONE, o->values, "ttfb_p50_ms");
	put_time(&l, COLOUR_BOLD, o->values, "ttfb_p90_ms");
	put_time(&l, COLOUR_NONE, o->values, "ttfb_p99_ms");
	put_hit_rate(&l, o->values);
	line_put(&l, errors > 0 ? COLOUR_BAD : COLOUR_NONE, "%7s", number_count(errors));
	line_put(&l, COLOUR_NONE, " %7d  %s", o->transfers, o->name);
	top_line_end(t, &l);
}

int top_origins_height(const struct top *t, size_t transfers)
{
	int n = (int)count_asked(t), room = t->rows - t->lines - TRANSFERS_HEAD;
	int least = transfers > 0;

	if (n > SHOWN_MAX)
		n = SHOWN_MAX;
	/* Of little room, half is for the transfers. */
	if (t->rows > 0 && n + HEAD + (int)transfers > room) {
		int left = room - (int)transfers, half = room / 2;

		left = left > half ? left : half;
		left = left < room - least ? left : room - least;
		n = n < left - HEAD ? n : left - HEAD;
	}
	return n > 0 ? HEAD + n : 0;
}

void top_draw_origins(struct top *t, int height)
{
	size_t n = count_asked(t);
	struct origin *origins;
	struct line l;

	if (height == 0)
		return;
	origins = calloc(n, sizeof *origins);
	if (!origins)
		die(CTL_FAILED, "out of memory");
	n = gather(t, origins, n);
	top_title(t, "SLOWEST ORIGINS", n, "  by p90 of the time to first byte, since the start");
	l = top_line(t);
	line_put(&l, COLOUR_DIM, "%7s %7s %7s %7s %7s %7s", "p50", "p90", "p99", "hits", "errors",
		 "running");
	top_line_end(t, &l);
	for (size_t i = 0; i < n && (int)i < height - HEAD; i++)
		draw_row(t, &origins[i]);
	free(origins);
}
