#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <unistd.h>

#include "../../../base/clock.h"
#include "../../../base/counters.h"
#include "../../../base/histogram.h"
#include "../../../base/origins.h"
#include "../../../fs/control.h"
#include "../../../fs/fs.h"
#include "../../../fs/options.h"

static char dir[] = "/tmp/test-control-XXXXXX";
static struct fs the_fs;
static struct options options;

static int set_up(void **state)
{
	const char *argv[] = { "w", "https://u:secret@a.example/", "/", "-o",
			       "ttl=7d,header=Authorization: secret" };
	struct index_config config = { .dir = dir, .size = 10 << 20, .compress = true, .level = 3 };
	char reason[OPTIONS_REASON];

	(void)state;
	if (!mkdtemp(dir) || options_parse(5, (char *const *)argv, &options, reason, sizeof reason) < 0 ||
	    index_open(&config, &the_fs.index, reason, sizeof reason) < 0)
		return -1;
	the_fs.options = &options;
	the_fs.started_ms = clock_wall_ms() - 5000;
	return index_start(the_fs.index);
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	index_close(the_fs.index);
	options_fini(&options);
	snprintf(command, sizeof command, "rm -r %s", dir);
	return system(command);
}

static char *render(const char *name)
{
	struct buf text = BUF_INIT;

	assert_int_equal(control_find(name)->render(&the_fs, &text), 0);
	return buf_take(&text);
}

static int64_t member(const char *stats, const char *name)
{
	char start[64];
	const char *at;

	snprintf(start, sizeof start, "\n  \"%s\": ", name);
	at = strstr(stats, start);
	if (!at)
		fail_msg("no %s", name);
	return strtoll(at + strlen(start), NULL, 10);
}

static void test_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; control_at(i); i++) {
		const struct control_file *c = control_at(i);

		assert_ptr_equal(control_find(c->name), c);
		assert_int_equal(c->render || c->render_name, (c->mode & 0400) != 0);
		assert_int_equal(c->act != NULL, (c->mode & 0200) != 0);
		if (i > 0)
			assert_true(strcmp(control_at(i - 1)->name, c->name) < 0);
	}
	assert_null(control_find(""));
	assert_null(control_find("stat"));
}

static void test_stats(void **state)
{
	char *text = render("stats");
	int64_t hits;

	(void)state;
	assert_int_equal(member(text, "uptime_s"), 5);
	assert_int_equal(member(text, "bytes_limit"), 10 << 20);
	assert_int_equal(member(text, "objects"), 0);
	hits = member(text, "hits");
	for (int i = 0; i < COUNT_N; i++)
		member(text, counter_name((enum counter)i));
	free(text);
	count_by(hits, 7);
	text = render("stats");
	assert_int_equal(member(text, "hits"), hits + 7);
	free(text);
}

/* A `"name": value` a line with a comma behind, then an object a line for each origin. */
static void test_stats_are_json(void **state)
{
	char *text, *rest, *line;

	(void)state;
	origins_reset();
	origin_add("https://a.example/x", ORIGIN_hits, 3);
	origin_add("https://b.example:81/x", ORIGIN_misses, 1);
	rest = text = render("stats");
	assert_string_equal(strsep(&rest, "\n"), "{");
	while (strcmp(line = strsep(&rest, "\n"), "  \"origins\":") != 0) {
		char name[64], value[64], comma = 0, end = 0;

		if (sscanf(line, "  \"%63[a-z0-9_]\": %63[0-9.\"]%c%c", name, value, &comma, &end) != 3 ||
		    comma != ',')
			fail_msg("line: %s", line);
		assert_int_equal(value[0] == '"', strcmp(name, "version") == 0);
	}
	assert_string_equal(strsep(&rest, "\n"), "  {");
	line = strsep(&rest, "\n");
	assert_ptr_equal(strstr(line, "    \"https://a.example\": { \"hits\": 3, "), line);
	assert_non_null(strstr(line, "\"hit_rate\": 1.0000, \"ttfb_p50_ms\": 0.0, "));
	line = strsep(&rest, "\n");
	assert_ptr_equal(strstr(line, "    \"https://b.example:81\": { \"hits\": 0, "), line);
	assert_string_equal(rest, "  }\n}\n");
	free(text);
}

static void test_hit_rate(void **state)
{
	char *text;

	(void)state;
	counters_reset();
	text = render("stats");
	assert_non_null(strstr(text, "\"hit_rate\": 0.0000,\n"));
	free(text);
	count_by(hits, 6);
	count_by(negative_hits, 1);
	count_by(stale_served, 2);
	count_by(misses, 2);
	count_by(revalidated, 1);
	count_by(coalesced, 1);
	text = render("stats");
	assert_non_null(strstr(text, "\"hit_rate\": 0.7500,\n"));
	free(text);
}

static const char *type_of(const char *name)
{
	size_t n = strlen(name);

	if (n > 6 && strcmp(name + n - 6, "_total") == 0)
		return "counter";
	return n > 8 && strcmp(name + n - 8, "_seconds") == 0 && !strstr(name, "uptime") ?
		       "histogram" : "gauge";
}

/* What promtool asks for: HELP and TYPE once before the samples of a name, counters end in
 * _total and nothing else does. */
static void test_metrics(void **state)
{
	char *text, *rest, *line;
	char seen[128][64], name[64] = "";
	size_t n = 0, samples = 1;

	(void)state;
	origin_add("https://a.example/x", ORIGIN_hits, 3);
	rest = text = render("metrics");
	while ((line = strsep(&rest, "\n")) && *line) {
		char sample[64], type[16];
		int at = 0;

		if (sscanf(line, "# HELP %63s %n", sample, &at) != 1) {
			assert_int_equal(sscanf(line, "%63[a-z_]", sample), 1);
			assert_int_equal(strncmp(sample, name, strlen(name)), 0);
			samples++;
			continue;
		}
		assert_true(at > 0 && line[at] && samples > 0);
		samples = 0;
		line = strsep(&rest, "\n");
		assert_int_equal(sscanf(line, "# TYPE %63s %15s", name, type), 2);
		assert_string_equal(name, sample);
		assert_int_equal(strncmp(name, "webcachefs_", 11), 0);
		assert_string_equal(type, type_of(name));
		for (size_t i = 0; i < n; i++)
			assert_string_not_equal(seen[i], name);
		snprintf(seen[n++], sizeof *seen, "%s", name);
	}
	assert_true(n > COUNT_N && samples > 0);
	free(text);
}

static void test_histograms(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(control_find("reset")->act(&the_fs, &(struct control_writer){ 0, 1 }, "1\n", 2), 0);
	histogram_add(histogram_of(HISTOGRAM_ttfb), 1500);
	histogram_add(histogram_of(HISTOGRAM_ttfb), 70 * 1000 * 1000);
	origin_add_ttfb("https://a.example/x", 1500);
	text = render("metrics");
	assert_non_null(strstr(text, "\nwebcachefs_ttfb_seconds_bucket{le=\"0.001\"} 0\n"
				     "webcachefs_ttfb_seconds_bucket{le=\"0.0025\"} 1\n"));
	assert_non_null(strstr(text, "\nwebcachefs_ttfb_seconds_bucket{le=\"60\"} 1\n"
				     "webcachefs_ttfb_seconds_bucket{le=\"+Inf\"} 2\n"
				     "webcachefs_ttfb_seconds_sum 70.001500\n"
				     "webcachefs_ttfb_seconds_count 2\n"));
	assert_non_null(strstr(text, "\nwebcachefs_origin_ttfb_seconds_bucket{"
				     "origin=\"https://a.example\",le=\"0.0025\"} 1\n"));
	free(text);
	text = render("stats");
	assert_int_equal(member(text, "ttfb_p99_ms"), 60000);
	free(text);
	assert_int_equal(control_find("reset")->act(&the_fs, &(struct control_writer){ 0, 1 }, "1\n", 2), 0);
	text = render("metrics");
	assert_non_null(strstr(text, "\nwebcachefs_ttfb_seconds_count 0\n"));
	assert_null(strstr(text, "origin_ttfb"));
	free(text);
}

/* The ring keeps the latest, oldest first. */
static void test_history(void **state)
{
	char *text, last[64];
	int lines = 0;

	(void)state;
	counters_reset();
	assert_true(history_take(&the_fs));
	assert_false(history_take(&the_fs));
	for (int i = 0; i < HISTORY_MAX + 5; i++) {
		count(hits);
		assert_true(history_take(&the_fs));
	}
	text = render("history");
	for (const char *at = text; (at = strstr(at, "\n    [")); at++)
		lines++;
	assert_int_equal(lines, HISTORY_MAX);
	assert_non_null(strstr(text, "\"names\": [\"time\",\"hits\",\"misses\","));
	snprintf(last, sizeof last, ",%d,0,0,", HISTORY_MAX + 5);
	assert_non_null(strstr(strrchr(text, '['), last));
	assert_non_null(strstr(strstr(text, "\"samples\""), ",6,0,0,"));
	assert_null(strstr(text, ",5,0,0,"));
	free(text);
}

static void test_metrics_have_the_values(void **state)
{
	char *text;

	(void)state;
	counters_reset();
	count_by(misses, 3);
	text = render("metrics");
	assert_non_null(strstr(text, "\nwebcachefs_misses_total 3\n"));
	assert_non_null(strstr(text, "\nwebcachefs_bytes_limit 10485760\n"));
	assert_non_null(strstr(text, "\nwebcachefs_build_info{version=\"" WEBCACHEFS_VERSION "\"} 1\n"));
	free(text);
}

static void test_reset(void **state)
{
	(void)state;
	count_by(misses, 3);
	count_by(parked, 2);
	assert_int_equal(control_find("reset")->act(&the_fs, &(struct control_writer){ 0, 1 }, "1\n", 2), 0);
	assert_int_equal(counter_value(COUNT_misses), 0);
	assert_int_equal(counter_value(COUNT_parked), 2);
	count_by(parked, -2);
}

static void test_config_hides_secrets(void **state)
{
	char *text = render("config");

	(void)state;
	assert_non_null(strstr(text, "\nttl=7d\n"));
	assert_non_null(strstr(text, "\nheader=Authorization: ***\n"));
	assert_null(strstr(text, "secret"));
	free(text);
}

static void test_health_and_version(void **state)
{
	char *text = render("health");

	(void)state;
	assert_string_equal(text, "ok\n");
	free(text);
	text = render("version");
	assert_string_equal(text, "webcachefs " WEBCACHEFS_VERSION "\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_stats_are_json),
		cmocka_unit_test(test_hit_rate),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_histograms),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_metrics_have_the_values),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_config_hides_secrets),
		cmocka_unit_test(test_health_and_version),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
