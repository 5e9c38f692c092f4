/* top_draw.c - the frame, and its upper half: how names are answered, origins, the cache,
 * warm lists. */
#include "top.h"

#include <string.h>

#include "ctl.h"

struct line top_line(struct top *t)
{
	struct line l;

	line_begin(&l, &t->frame, t->columns, t->plain);
	return l;
}

void top_line_end(struct top *t, struct line *l)
{
	line_end(l);
	t->lines++;
}

void top_title(struct top *t, const char *title, size_t n, const char *more)
{
	struct line l = top_line(t);

	top_line_end(t, &l);
	l = top_line(t);
	line_put(&l, COLOUR_BOLD, "%s", title);
	line_put(&l, COLOUR_DIM, "  %zu%s", n, more);
	top_line_end(t, &l);
}

static void put_label(struct line *l, const char *label)
{
	line_put(l, COLOUR_DIM, "%-9s ", label);
}

/* "1,234/s hits" */
static void put_rate(struct top *t, struct line *l, const char *name, const char *shown)
{
	line_put(l, COLOUR_NONE, "  %s/s ", number_count(sample_rate(&t->old, &t->new, name)));
	line_put(l, COLOUR_DIM, "%s", shown);
}

static void put_total(struct top *t, struct line *l, const char *name, enum colour c)
{
	double value = sample_value(&t->new, name);

	line_put(l, value > 0 ? c : COLOUR_NONE, "  %s ", number_count(value));
	line_put(l, COLOUR_DIM, "%s", name);
}

static void draw_head(struct top *t)
{
	struct line l = top_line(t);
	enum colour c = strncmp(t->health, "ok", 2) == 0 ? COLOUR_GOOD :
			strncmp(t->health, "degraded", 8) == 0 ? COLOUR_FAIR : COLOUR_BAD;

	line_put(&l, COLOUR_BOLD, "%s", t->source ? t->source : "webcachefs");
	line_put(&l, COLOUR_NONE, " on %s", mount_dir());
	line_put(&l, COLOUR_DIM, "  up %s  ", number_time(sample_value(&t->new, "uptime_s")));
	line_put(&l, c, "%.*s", (int)strcspn(t->health, "\n"), t->health);
	top_line_end(t, &l);
}

static void draw_hit_rate(struct top *t)
{
	struct sample none = { 0 };
	double now = t->old.stats ? sample_hit_rate(&t->old, &t->new) : -1;
	double ever = sample_hit_rate(&none, &t->new);
	double shown = now >= 0 ? now : ever;
	struct line l = top_line(t);

	put_label(&l, "hit rate");
	line_bar(&l, shown >= 0 ? shown / 100 : 0, TOP_BAR);
	if (now >= 0)
		line_put(&l, COLOUR_BOLD, "  %.1f%%", now);
	else
		line_put(&l, COLOUR_BOLD, "  -");
	line_put(&l, COLOUR_DIM, " now");
	if (ever >= 0) {
		line_put(&l, COLOUR_NONE, "  %.1f%%", ever);
		line_put(&l, COLOUR_DIM, " since the start");
	}
	top_line_end(t, &l);
}

static void draw_numbers(struct top *t)
{
	double asked = sample_rate(&t->old, &t->new, "upstream_requests");
	struct line l = top_line(t);

	put_label(&l, "names");
	put_rate(t, &l, "hits", "hits");
	put_rate(t, &l, "misses", "misses");
	put_rate(t, &l, "coalesced", "coalesced");
	put_rate(t, &l, "stale_served", "stale");
	line_put(&l, COLOUR_NONE, "  %s ", number_count(sample_value(&t->new, "parked")));
	line_put(&l, COLOUR_DIM, "waiting");
	top_line_end(t, &l);

	l = top_line(t);
	put_label(&l, "origins");
	line_put(&l, COLOUR_NONE, "  %s/s ", number_count(asked));
	line_put(&l, COLOUR_DIM, "requests");
	line_put(&l, COLOUR_NONE, "  %s/s ",
		 number_bytes(sample_rate(&t->old, &t->new, "upstream_bytes")));
	line_put(&l, COLOUR_DIM, "body");
	put_total(t, &l, "errors", COLOUR_BAD);
	put_total(t, &l, "retries", COLOUR_FAIR);
	put_total(t, &l, "timeouts", COLOUR_BAD);
	top_line_end(t, &l);
}

static void draw_cache(struct top *t)
{
	double used = sample_value(&t->new, "bytes_used"), limit = sample_value(&t->new, "bytes_limit");
	double logical = sample_value(&t->new, "bytes_logical");
	struct line l = top_line(t);

	put_label(&l, "cache");
	line_bar(&l, limit > 0 ? used / limit : 0, TOP_BAR);
	line_put(&l, COLOUR_NONE, "  %s of %s", number_bytes(used), number_bytes(limit));
	line_put(&l, COLOUR_NONE, "  %s ", number_count(sample_value(&t->new, "objects")));
	line_put(&l, COLOUR_DIM, "objects");
	if (logical > 0) {
		line_put(&l, COLOUR_NONE, "  %.0f%% ",
			 100 * sample_value(&t->new, "bytes_stored") / logical);
		line_put(&l, COLOUR_DIM, "of their size");
	}
	top_line_end(t, &l);
}

static void draw_warm(struct top *t)
{
	struct json_object *warm;
	struct line l;

	if (!control_has("warm"))
		return;
	warm = sample_read_json("warm");
	l = top_line(t);
	put_label(&l, "warm");
	line_put(&l, COLOUR_NONE, "  %s ", number_count(sample_number(warm, "queued", 0)));
	line_put(&l, COLOUR_DIM, "queued");
	line_put(&l, COLOUR_NONE, "  %s ", number_count(sample_number(warm, "active", 0)));
	line_put(&l, COLOUR_DIM, "active");
	line_put(&l, COLOUR_NONE, "  %s ", number_count(sample_number(warm, "done", 0)));
	line_put(&l, COLOUR_DIM, "done");
	line_put(&l, sample_number(warm, "failed", 0) > 0 ? COLOUR_BAD : COLOUR_NONE, "  %s ",
		 number_count(sample_number(warm, "failed", 0)));
	line_put(&l, COLOUR_DIM, "failed");
	top_line_end(t, &l);
	json_object_put(warm);
}

void top_draw(struct top *t)
{
	int origins;

	buf_reset(&t->frame);
	t->lines = 0;
	draw_head(t);
	draw_hit_rate(t);
	draw_numbers(t);
	draw_cache(t);
	draw_warm(t);
	origins = top_origins_height(t, json_object_array_length(t->transfers));
	top_draw_transfers(t, origins);
	top_draw_origins(t, origins);
}
