/* check.c - webcachectl check: of a cache directory that nobody uses, else through the
 * mount of who does.
 *
 * Both end in the same JSON object, which is shown as it is or told in words. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../index/check.h"
#include "ctl.h"

enum { CLEAN, REPAIRED, FAILED };	/* exit status */
enum { TELL_MS = 200 };

static const struct fault {
	const char *name, *words;
} faults[] = {
	{ "damaged_index", "damaged index: the cache began anew" },
	{ "damaged_rows", "damaged rows, removed" },
	{ "damaged_bodies", "damaged bodies, removed" },
	{ "missing_bodies", "rows without their bodies, removed" },
	{ "leftover_rows", "rows that a killed daemon left, removed" },
	{ "orphan_files", "files without rows, removed" },
	{ "wrong_counters", "wrong counters, set right" },
};

static int64_t number(const char *json, const char *name)
{
	char wanted[64];
	const char *at;

	snprintf(wanted, sizeof wanted, "\"%s\": ", name);
	at = strstr(json, wanted);
	return at ? strtoll(at + strlen(wanted), NULL, 10) : 0;
}

static int64_t sum_of_faults(const char *json)
{
	int64_t sum = 0;

	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		sum += number(json, faults[i].name);
	return sum;
}

/* --- on a terminal --- */

static void show_progress(const char *json)
{
	int64_t bytes = number(json, "bytes"), total = number(json, "bytes_total");

	if (!isatty(STDERR_FILENO))
		return;
	if (total < bytes)
		total = bytes;
	fprintf(stderr, "\r\033[Kchecking: %3d %%, %" PRId64 " bodies, %" PRId64 " MiB, %" PRId64
		" faults", (int)(total ? bytes * 100 / total : 0), number(json, "bodies"),
		bytes >> 20, sum_of_faults(json));
}

static void end_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

/* --- a directory --- */

static void progress(void *arg, const struct check_status *status)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int64_t *told_ms = arg;

	if (clock_mono_ms() < *told_ms + TELL_MS)
		return;
	*told_ms = clock_mono_ms();
	check_render(status, &text);
	show_progress(buf_str(&text));
}

/* Its JSON; NULL: a daemon uses it. */
static char *check_offline(const char *dir)
{
	struct check_status status;
	struct buf text = BUF_INIT;
	char reason[PATH_MAX + 256] = "";
	int64_t told_ms = 0;
	int err = check_dir(dir, progress, &told_ms, &status, reason, sizeof reason);

	end_progress();
	if (err == -EBUSY)
		return NULL;
	if (err)
		die(FAILED, "%s", reason[0] ? reason : strerror(-err));
	check_render(&status, &text);
	return buf_take(&text);
}

/* --- a mount --- */

static bool is_running(const char *json)
{
	return strstr(json, "\"state\": \"running\"") != NULL;
}

static char *check_online(void)
{
	const struct timespec moment = { .tv_nsec = TELL_MS * 1000000L };
	int err = control_write("check", "start\n", 6);
	char *json;

	/* One that is under way is as good. */
	if (err && err != -EBUSY)
		die(FAILED, "%s: %s", mount_dir(), strerror(-err));
	for (json = control_read("check"); is_running(json); json = control_read("check")) {
		show_progress(json);
		free(json);
		nanosleep(&moment, NULL);
	}
	end_progress();
	return json;
}

/* Whether the mount has its cache there. */
static bool is_cache_of_mount(const char *dir)
{
	_cleanup_(cleanup_free) char *config = control_read("config");
	char *line, *rest = config, wanted[PATH_MAX], found[PATH_MAX];

	if (!realpath(dir, wanted))
		return false;
	while ((line = strsep(&rest, "\n")))
		if (strncmp(line, "cache_dir=", 10) == 0 && realpath(line + 10, found))
			return strcmp(wanted, found) == 0;
	return false;
}

/* --- the command --- */

static void tell(const char *json)
{
	bool failed = strstr(json, "\"state\": \"failed\"") != NULL;
	const char *error = strstr(json, "\"error\": \"");
	int64_t n = sum_of_faults(json);

	printf("%s: %" PRId64 " rows, %" PRId64 " bodies, %" PRId64 " bytes checked\n",
	       failed ? "failed" : n ? "repaired" : "clean", number(json, "rows"),
	       number(json, "bodies"), number(json, "bytes"));
	if (failed && error)
		printf("  %.*s\n", (int)strcspn(error + 10, "\""), error + 10);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		if (number(json, faults[i].name))
			printf("  %" PRId64 " %s\n", number(json, faults[i].name), faults[i].words);
}

static int check(int argc, char **argv)
{
	_cleanup_(cleanup_free) char *json = NULL;
	const char *dir = NULL;
	bool raw = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			raw = true;
		else if (!dir && *argv[i] != '-')
			dir = argv[i];
		else
			die_usage(&command_check);
	}
	if (dir)
		json = check_offline(dir);
	if (!json && !*mount_dir())
		mount_find();
	if (!json && dir && !is_cache_of_mount(dir))
		die(FAILED, "%s is in use, and not by %s: say its mount with -m", dir,
		    mount_dir());
	if (!json)
		json = check_online();
	if (raw)
		fputs(json, stdout);
	else
		tell(json);
	if (strstr(json, "\"state\": \"clean\""))
		return CLEAN;
	return strstr(json, "\"state\": \"repaired\"") ? REPAIRED : FAILED;
}

const struct command command_check = {
	"check", "[--json] [CACHE_DIR]", "verify all that is stored, and repair it",
	"Of CACHE_DIR, if no daemon uses it; else, and without it, through the mount.\n"
	"Exit status 0: clean, 1: repaired, 2: failed.\n", true, check,
};
