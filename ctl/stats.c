/* stats.c - the numbers, once or again and again. */
#include "ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sample.h"

#define HEADER_EVERY 20		/* lines */
#define WATCH_MIN_S 0.05

/* Of the mount as a whole: origins have a table of their own in top. */
static void print_table(void)
{
	struct json_object *stats = sample_read_json("stats");

	json_object_object_foreach(stats, name, value)
		if (!json_object_is_type(value, json_type_object))
			printf("%-24s %s\n", name, json_object_get_string(value));
	json_object_put(stats);
}

static void print_header(void)
{
	printf("%-8s %8s %8s %6s %8s %12s %7s %9s %9s %9s\n", "time", "hits/s", "misses/s", "hit%",
	       "asked/s", "upstream/s", "parked", "transfers", "objects", "used");
}

static void print_line(const struct sample *old, const struct sample *s)
{
	double hit_rate = sample_hit_rate(old, s);
	time_t now = time(NULL);
	char when[16] = "", rate[16] = "-", upstream[32];
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(when, sizeof when, "%H:%M:%S", &tm);
	if (hit_rate >= 0)
		snprintf(rate, sizeof rate, "%.1f", hit_rate);
	snprintf(upstream, sizeof upstream, "%s/s",
		 number_bytes(sample_rate(old, s, "upstream_bytes")));
	printf("%-8s %8s %8s %6s %8s %12s %7s %9s %9s %9s\n", when,
	       number_count(sample_rate(old, s, "hits")),
	       number_count(sample_rate(old, s, "misses")), rate,
	       number_count(sample_rate(old, s, "upstream_requests")), upstream,
	       number_count(sample_value(s, "parked")),
	       number_count(sample_value(s, "transfers_active")),
	       number_count(sample_value(s, "objects")),
	       number_bytes(sample_value(s, "bytes_used")));
	if (fflush(stdout) != 0)
		die(CTL_FAILED, "standard output: %m");
}

static void watch(double interval_s, long lines)
{
	struct timespec pause = { (time_t)interval_s,
				  (long)((interval_s - (double)(time_t)interval_s) * 1e9) };
	struct sample old = { 0 }, new = { 0 };

	sample_take(&old);
	for (long i = 0; lines == 0 || i < lines; i++) {
		if (i % HEADER_EVERY == 0)
			print_header();
		nanosleep(&pause, NULL);
		sample_take(&new);
		print_line(&old, &new);
		sample_move(&old, &new);
	}
	sample_fini(&old);
}

static double positive(const char *text, double least)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= least && value <= 86400))
		die(CTL_USAGE, "stats: %s is no such number", text);
	return value;
}

static int stats(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "watch", optional_argument, NULL, 'w' },
		{ "count", required_argument, NULL, 'n' },
		{ 0 },
	};
	double interval_s = 0;
	long lines = 0;
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "jw::n:", options, NULL)) != -1) {
		if (c == 'j')
			json = true;
		else if (c == 'w')
			interval_s = optarg ? positive(optarg, WATCH_MIN_S) : 1;
		else if (c == 'n')
			lines = (long)positive(optarg, 1);
		else
			die_usage(&command_stats);
	}
	if (optind < argc || (json && interval_s > 0) || (lines && interval_s <= 0))
		die_usage(&command_stats);
	if (interval_s > 0) {
		watch(interval_s, lines);
	} else if (json) {
		char *text = control_read("stats");

		fputs(text, stdout);
		free(text);
	} else {
		print_table();
	}
	return CTL_DONE;
}

const struct command command_stats = {
	"stats", "[--json | --watch[=SECONDS] [--count N]]", "numbers of the daemon and its cache",
	"  -j, --json              as they are in .control/stats\n"
	"  -w, --watch[=SECONDS]   a line each second, or so often: what went on since the last one\n"
	"  -n, --count N           end after so many lines\n",
	false, stats,
};
