/* top.c - what the mount does, drawn anew each second: how names are answered, the cache,
 * each transfer, and the slowest origins. */
#include "top.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

#define INTERVAL_MIN_S 0.1

/* --- looking --- */

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

/* --- on a terminal, or once --- */

/* Frames are never higher than the screen, or it would scroll. */
static void cut(struct top *t)
{
	int lines = 0;

	for (size_t i = 0; i < t->frame.len; i++)
		if (t->frame.data[i] == '\n' && ++lines == t->rows) {
			t->frame.len = i;
			return;
		}
}

static void draw_on_screen(struct top *t)
{
	screen_size(&t->columns, &t->rows);
	top_draw(t);
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
	top_draw(t);
	fputs(buf_str(&t->frame), stdout);
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
