/* top.c - what the mount does, drawn anew each second: how names are answered, the cache,
 * each transfer, and which origins keep their readers waiting. */
#include "ctl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "sample.h"
#include "screen.h"

#define ORIGINS_MAX 64
#define ORIGINS_SHOWN 5
#define BAR 20
#define INTERVAL_MIN_S 0.1

/* One line of .control/transfers. */
struct row {
	const char *url, *kind, *state;	/* borrowed from the JSON */
	double from, bytes, length, age_s;	/* length: of what was asked for; -1: not known */
	double rate;			/* bytes a second, since the look before */
};

struct origin {
	const char *name;		/* "https://host", not terminated */
	size_t len;
	int transfers;
	double oldest_s, rate;
};

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

/* --- looking --- */

static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value) : "";
}

static double number_of(struct json_object *object, const char *name, double otherwise)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) && value ?
		       json_object_get_double(value) : otherwise;
}

static char *source_of_mount(void)
{
	char *config = control_read("config"), *source = NULL;

	if (strncmp(config, "source=", 7) == 0)
		source = strndup(config + 7, strcspn(config + 7, "\n"));
	free(config);
	return source;
}

static void look(struct top *t)
{
	sample_move(&t->old, &t->new);
	sample_take(&t->new);
	json_object_put(t->old_transfers);
	t->old_transfers = t->transfers;
	t->transfers = sample_read_json("transfers");
	free(t->health);
	t->health = control_read("health");
}

static void forget(struct top *t)
{
	sample_fini(&t->old);
	sample_fini(&t->new);
	json_object_put(t->old_transfers);
	json_object_put(t->transfers);
	free(t->health);
	free(t->source);
	buf_fini(&t->frame);
}

/* --- lines --- */

static struct line begin(struct top *t)
{
	struct line l;

	line_begin(&l, &t->frame, t->columns, t->plain);
	return l;
}

static void end(struct top *t, struct line *l)
{
	line_end(l);
	t->lines++;
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
	struct line l = begin(t);
	enum colour c = strncmp(t->health, "ok", 2) == 0 ? COLOUR_GOOD :
			strncmp(t->health, "degraded", 8) == 0 ? COLOUR_FAIR : COLOUR_BAD;

	line_put(&l, COLOUR_BOLD, "%s", t->source ? t->source : "webcachefs");
	line_put(&l, COLOUR_NONE, " on %s", mount_dir());
	line_put(&l, COLOUR_DIM, "  up %s  ", number_time(sample_value(&t->new, "uptime_s")));
	line_put(&l, c, "%.*s", (int)strcspn(t->health, "\n"), t->health);
	end(t, &l);
}

static void draw_hit_rate(struct top *t)
{
	struct sample none = { 0 };
	double now = t->old.stats ? sample_hit_rate(&t->old, &t->new) : -1;
	double ever = sample_hit_rate(&none, &t->new);
	double shown = now >= 0 ? now : ever;
	struct line l = begin(t);

	put_label(&l, "hit rate");
	line_bar(&l, shown >= 0 ? shown / 100 : 0, BAR);
	if (now >= 0)
		line_put(&l, COLOUR_BOLD, "  %.1f%%", now);
	else
		line_put(&l, COLOUR_BOLD, "  -");
	line_put(&l, COLOUR_DIM, " now");
	if (ever >= 0) {
		line_put(&l, COLOUR_NONE, "  %.1f%%", ever);
		line_put(&l, COLOUR_DIM, " since the start");
	}
	end(t, &l);
}

static void draw_numbers(struct top *t)
{
	double asked = sample_rate(&t->old, &t->new, "upstream_requests");
	struct line l = begin(t);

	put_label(&l, "names");
	put_rate(t, &l, "hits", "hits");
	put_rate(t, &l, "misses", "misses");
	put_rate(t, &l, "coalesced", "coalesced");
	put_rate(t, &l, "stale_served", "stale");
	end(t, &l);

	l = begin(t);
	put_label(&l, "origins");
	line_put(&l, COLOUR_NONE, "  %s/s ", number_count(asked));
	line_put(&l, COLOUR_DIM, "requests");
	line_put(&l, COLOUR_NONE, "  %s/s ",
		 number_bytes(sample_rate(&t->old, &t->new, "upstream_bytes")));
	line_put(&l, COLOUR_DIM, "body");
	put_total(t, &l, "errors", COLOUR_BAD);
	put_total(t, &l, "retries", COLOUR_FAIR);
	put_total(t, &l, "timeouts", COLOUR_BAD);
	end(t, &l);
}

static void draw_cache(struct top *t)
{
	double used = sample_value(&t->new, "bytes_used"), limit = sample_value(&t->new, "bytes_limit");
	double logical = sample_value(&t->new, "bytes_logical");
	struct line l = begin(t);

	put_label(&l, "cache");
	line_bar(&l, limit > 0 ? used / limit : 0, BAR);
	line_put(&l, COLOUR_NONE, "  %s of %s", number_bytes(used), number_bytes(limit));
	line_put(&l, COLOUR_NONE, "  %s ", number_count(sample_value(&t->new, "objects")));
	line_put(&l, COLOUR_DIM, "objects");
	if (logical > 0) {
		line_put(&l, COLOUR_NONE, "  %.0f%% ",
			 100 * sample_value(&t->new, "bytes_stored") / logical);
		line_put(&l, COLOUR_DIM, "of their size");
	}
	end(t, &l);
}

static void draw_warm(struct top *t)
{
	struct json_object *warm;
	struct line l;

	if (!control_has("warm"))
		return;
	warm = sample_read_json("warm");
	l = begin(t);
	put_label(&l, "warm");
	line_put(&l, COLOUR_NONE, "  %s ", number_count(number_of(warm, "queued", 0)));
	line_put(&l, COLOUR_DIM, "queued");
	line_put(&l, COLOUR_NONE, "  %s ", number_count(number_of(warm, "active", 0)));
	line_put(&l, COLOUR_DIM, "active");
	line_put(&l, COLOUR_NONE, "  %s ", number_count(number_of(warm, "done", 0)));
	line_put(&l, COLOUR_DIM, "done");
	line_put(&l, number_of(warm, "failed", 0) > 0 ? COLOUR_BAD : COLOUR_NONE, "  %s ",
		 number_count(number_of(warm, "failed", 0)));
	line_put(&l, COLOUR_DIM, "failed");
	end(t, &l);
	json_object_put(warm);
}

/* --- transfers --- */

/* The same one a look ago: how many bytes had come then; -1: it was not there. */
static double bytes_before(struct top *t, const struct row *r)
{
	size_t n = t->old_transfers ? json_object_array_length(t->old_transfers) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(t->old_transfers, i);

		if (strcmp(text_of(o, "url"), r->url) == 0 && number_of(o, "from", 0) == r->from &&
		    number_of(o, "bytes", 0) <= r->bytes)
			return number_of(o, "bytes", 0);
	}
	return -1;
}

static struct row read_row(struct top *t, struct json_object *o)
{
	double time_s = t->new.mono_s - t->old.mono_s, before;
	struct row r = {
		.url = text_of(o, "url"), .kind = text_of(o, "kind"), .state = text_of(o, "state"),
		.from = number_of(o, "from", 0), .bytes = number_of(o, "bytes", 0),
		.length = number_of(o, "length", -1), .age_s = number_of(o, "age_ms", 0) / 1000,
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

static void draw_row(struct top *t, const struct row *r)
{
	struct line l = begin(t);

	line_bar(&l, r->length > 0 ? r->bytes / r->length : -1, BAR / 2);
	if (r->length > 0)
		line_put(&l, COLOUR_NONE, " %3.0f%% ", 100 * r->bytes / r->length);
	else
		line_put(&l, COLOUR_NONE, "      ");
	line_put(&l, COLOUR_NONE, "%9s %9s/s %7s ", number_bytes(r->bytes), number_bytes(r->rate),
		 number_time(r->age_s));
	line_put(&l, strcmp(r->state, "retrying") == 0 ? COLOUR_FAIR : COLOUR_DIM, "%-5s %-8s ",
		 r->kind, r->state);
	line_put(&l, COLOUR_NONE, "%s", r->url);
	end(t, &l);
}

static void draw_title(struct top *t, const char *title, size_t n)
{
	struct line l = begin(t);

	end(t, &l);
	l = begin(t);
	line_put(&l, COLOUR_BOLD, "%s", title);
	line_put(&l, COLOUR_DIM, "  %zu", n);
	end(t, &l);
}

/* --- origins --- */

static size_t origin_length(const char *url)
{
	const char *host = strstr(url, "://");

	return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?") : strlen(url);
}

static size_t gather(const struct row *rows, size_t n, struct origin *ret)
{
	size_t found = 0, at;

	for (size_t i = 0; i < n; i++) {
		size_t len = origin_length(rows[i].url);

		for (at = 0; at < found; at++)
			if (ret[at].len == len && strncmp(ret[at].name, rows[i].url, len) == 0)
				break;
		if (at == ORIGINS_MAX)
			continue;
		if (at == found)
			ret[found++] = (struct origin){ .name = rows[i].url, .len = len };
		ret[at].transfers++;
		ret[at].rate += rows[i].rate;
		if (rows[i].age_s > ret[at].oldest_s)
			ret[at].oldest_s = rows[i].age_s;
	}
	return found;
}

/* Rows come by age, so the origins do: the one that takes longest is the first. */
static void draw_origins(struct top *t, const struct row *rows, size_t n)
{
	struct origin origins[ORIGINS_MAX];
	size_t found = gather(rows, n, origins);

	draw_title(t, "SLOWEST ORIGINS", found);
	for (size_t i = 0; i < found && i < ORIGINS_SHOWN; i++) {
		struct line l = begin(t);

		line_put(&l, COLOUR_NONE, "%7s ", number_time(origins[i].oldest_s));
		line_put(&l, COLOUR_DIM, "oldest  ");
		line_put(&l, COLOUR_NONE, "%4d ", origins[i].transfers);
		line_put(&l, COLOUR_DIM, "transfers  ");
		line_put(&l, COLOUR_NONE, "%9s/s  %.*s", number_bytes(origins[i].rate),
			 (int)origins[i].len, origins[i].name);
		end(t, &l);
	}
}

/* What fits between what stands above and the origins below. */
static void draw_transfers(struct top *t)
{
	size_t n = json_object_array_length(t->transfers), room, shown;
	struct row *rows = calloc(n + 1, sizeof *rows);
	int below = 2 + ORIGINS_SHOWN;

	if (!rows)
		die(CTL_FAILED, "out of memory");
	for (size_t i = 0; i < n; i++)
		rows[i] = read_row(t, json_object_array_get_idx(t->transfers, i));
	qsort(rows, n, sizeof *rows, by_age);
	draw_title(t, "TRANSFERS", n);
	room = t->rows > t->lines + below ? (size_t)(t->rows - t->lines - below) : 1;
	shown = t->rows && n > room ? room : n;
	for (size_t i = 0; i < shown; i++)
		draw_row(t, &rows[i]);
	if (n)
		draw_origins(t, rows, n);
	free(rows);
}

static void draw(struct top *t)
{
	buf_reset(&t->frame);
	t->lines = 0;
	draw_head(t);
	draw_hit_rate(t);
	draw_numbers(t);
	draw_cache(t);
	draw_warm(t);
	draw_transfers(t);
}

/* --- on a terminal, or once --- */

/* Frames are never higher than the screen, or it would scroll. */
static void cut(struct top *t)
{
	int lines = 0;

	for (size_t i = 0; i < t->frame.len; i++)
		if (t->frame.data[i] == '\n' && ++lines == t->rows) {
			t->frame.len = i > 0 ? i - 1 : 0;
			return;
		}
}

static void draw_on_screen(struct top *t)
{
	screen_size(&t->columns, &t->rows);
	draw(t);
	cut(t);
	screen_show(&t->frame);
}

/* A change of the size draws what is known again; only time brings news. */
static void live(struct top *t, double interval_s)
{
	double next_s;
	int key = 0;

	t->plain = !screen_has_colours() || !screen_has_unicode();
	screen_begin();
	while (key >= 0 && key != 'q' && key != 'Q') {
		struct timespec now;

		look(t);
		next_s = t->new.mono_s + interval_s;
		do {
			draw_on_screen(t);
			clock_gettime(CLOCK_MONOTONIC, &now);
			key = screen_wait(next_s - (double)now.tv_sec - (double)now.tv_nsec / 1e9);
			clock_gettime(CLOCK_MONOTONIC, &now);
		} while (key == 0 && (double)now.tv_sec + (double)now.tv_nsec / 1e9 < next_s);
	}
	screen_end();
}

static void once(struct top *t)
{
	look(t);
	t->plain = true;
	t->columns = 1 << 16;
	t->rows = 0;		/* no end */
	draw(t);
	for (const char *s = buf_str(&t->frame); *s; s++)
		if (*s != '\r')
			putchar(*s);
}

static int top(int argc, char **argv)
{
	static const struct option options[] = {
		{ "delay", required_argument, NULL, 'd' }, { "once", no_argument, NULL, '1' }, { 0 }
	};
	struct top t = { .frame = BUF_INIT };
	double interval_s = 1;
	bool only_once = !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO);
	char *rest;
	int c;

	while ((c = getopt_long(argc, argv, "d:1", options, NULL)) != -1) {
		if (c == '1') {
			only_once = true;
		} else if (c == 'd') {
			interval_s = strtod(optarg, &rest);
			if (*rest || !(interval_s >= INTERVAL_MIN_S && interval_s <= 3600))
				die(CTL_USAGE, "top: not seconds: %s", optarg);
		} else {
			die_usage(&command_top);
		}
	}
	if (optind < argc)
		die_usage(&command_top);
	t.source = source_of_mount();
	if (only_once)
		once(&t);
	else
		live(&t, interval_s);
	forget(&t);
	return CTL_DONE;
}

const struct command command_top = {
	"top", "[-d SECONDS] [--once]", "watch it: hit rate, transfers, the slowest origins",
	"  -d, --delay SECONDS  between two looks (1)\n"
	"  -1, --once           one look, as text; also when this is no terminal\n"
	"\n"
	"q ends it, any other key looks again at once.\n",
	false, top,
};
