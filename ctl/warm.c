/* warm.c - hand a list to .control/warm, and watch it come. */
#include "ctl.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "progress.h"
#include "sample.h"

#define WRITE_MAX (64 * 1024)	/* one order; longer lists are cut between lines */
#define LOOK_NS 150000000	/* between two looks */

/* What was asked for, and the write that is being put together. */
struct request {
	char list[32];			/* how the daemon calls it */
	const char *jobs, *delay;	/* NULL: not said */
	char said_jobs[64], said_delay[64];	/* lines of the file: they hold on */
	struct buf text;
	long names;			/* in all */
	long in_text;			/* of these in text */
	long line;			/* of the input */
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void rest(void)
{
	nanosleep(&(struct timespec){ 0, LOOK_NS }, NULL);
}

/* --- to the daemon --- */

static void cancel(const char *list)
{
	char text[64];
	int n = snprintf(text, sizeof text, "cancel%s%s\n", list ? " " : "", list ? list : "");
	int err = n < (int)sizeof text ? control_write("warm", text, (size_t)n) : -EINVAL;

	if (err < 0)
		die(err == -EINVAL ? CTL_USAGE : CTL_FAILED, "warm: %s",
		    err == -EINVAL ? "no list can have that name" : strerror(-err));
}

static void begin_text(struct request *r)
{
	buf_reset(&r->text);
	buf_printf(&r->text, "list %s\n%s%s", r->list, r->said_jobs, r->said_delay);
	if (r->jobs)
		buf_printf(&r->text, "jobs %s\n", r->jobs);
	if (r->delay)
		buf_printf(&r->text, "delay %s\n", r->delay);
	r->in_text = 0;
}

static void flush(struct request *r)
{
	int err;

	if (r->in_text == 0)
		return;
	if (!buf_ok(&r->text))
		die(CTL_FAILED, "%s", strerror(ENOMEM));
	/* Its queue is full: it gets shorter. */
	while ((err = control_write("warm", r->text.data, r->text.len)) == -EAGAIN && !interrupted)
		rest();
	if (err == -EINVAL) {
		cancel(r->list);
		die(CTL_USAGE, "warm: a line up to line %ld, or an option, is wrong; nothing more is fetched",
		    r->line);
	}
	if (err < 0)
		die(CTL_FAILED, "warm: %s", strerror(-err));
	r->names += r->in_text;
	begin_text(r);
}

/* A word that holds for what follows, so also for the writes that follow; what was said
 * as an option counts more. False: it is not that word. */
static bool keep_word(struct request *r, const char *line, const char *word, const char *option,
		      char *ret, size_t len)
{
	if (strncmp(line, word, strlen(word)) != 0)
		return false;
	if (!option) {
		snprintf(ret, len, "%s\n", line);
		buf_str_append(&r->text, ret);
	}
	return true;
}

static void add(struct request *r, char *line)
{
	line[strcspn(line, "\r\n")] = '\0';
	r->line++;
	/* Which list it is, we say. */
	if (!line[strspn(line, " \t")] || line[0] == '#' || strncmp(line, "list ", 5) == 0)
		return;
	if (r->text.len + strlen(line) + 1 > WRITE_MAX)
		flush(r);
	if (keep_word(r, line, "jobs ", r->jobs, r->said_jobs, sizeof r->said_jobs) ||
	    keep_word(r, line, "delay ", r->delay, r->said_delay, sizeof r->said_delay))
		return;
	buf_printf(&r->text, "%s\n", mount_relative(line));
	r->in_text++;
}

static void add_file(struct request *r, const char *name)
{
	bool input = strcmp(name, "-") == 0;
	FILE *file = input ? stdin : fopen(name, "re");
	char *line = NULL;
	size_t cap = 0;

	if (!file)
		die(CTL_USAGE, "%s: %m", name);
	r->line = 0;
	while (getline(&line, &cap, file) > 0)
		add(r, line);
	if (ferror(file))
		die(CTL_FAILED, "%s: %m", name);
	free(line);
	if (!input)
		fclose(file);
}

/* --- until it is done --- */

static long member(struct json_object *object, const char *name)
{
	return (long)sample_number(object, name, 0);
}

/* That of the array whose name is list, or NULL. */
static struct json_object *find_list(struct json_object *state, const char *list)
{
	struct json_object *lists = NULL;

	json_object_object_get_ex(state, "lists", &lists);
	for (size_t i = 0; lists && i < json_object_array_length(lists); i++) {
		struct json_object *l = json_object_array_get_idx(lists, i);

		if (strcmp(sample_text(l, "name"), list) == 0)
			return l;
	}
	return NULL;
}

/* Those of ours that are new, the oldest first: the latest `fresh` ones. */
static void print_failures(struct json_object *state, const char *list, long fresh)
{
	struct json_object *all = NULL, *mine[64];
	long n = 0;

	json_object_object_get_ex(state, "failures", &all);
	for (size_t i = 0; all && i < json_object_array_length(all) && n < fresh && n < 64; i++) {
		struct json_object *f = json_object_array_get_idx(all, i);

		if (strcmp(sample_text(f, "list"), list) == 0)
			mine[n++] = f;
	}
	while (n-- > 0)
		progress_note("%s: %s", sample_text(mine[n], "url"), sample_text(mine[n], "why"));
}

/* True: nothing of it is left to do. */
static bool look(const struct request *r, struct progress *p)
{
	struct json_object *state = sample_read_json("warm");
	struct json_object *l = find_list(state, r->list);
	long left = l ? member(l, "queued") + member(l, "active") : 0;
	long failed = l ? member(l, "failed") : p->failed;

	if (failed > p->failed)
		print_failures(state, r->list, failed - p->failed);
	/* After a restart the daemon counts from 0 again, but what is left is right. */
	p->failed = failed > p->failed ? failed : p->failed;
	p->done = r->names - left - p->failed;
	json_object_put(state);
	return left == 0;
}

static int wait_for(const struct request *r)
{
	struct sigaction interrupt = { .sa_handler = on_interrupt };
	struct progress p;
	bool whole;

	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGTERM, &interrupt, NULL);
	progress_begin(&p, r->names);
	while (!(whole = look(r, &p)) && !interrupted) {
		progress_show(&p);
		rest();
	}
	progress_end(&p);
	if (!whole)
		die(CTL_FAILED, "it goes on in the background; webcachectl warm --cancel %s ends it",
		    r->list);
	return p.failed ? CTL_FAILED : CTL_DONE;
}

/* --- the command --- */

static void print_status(void)
{
	struct json_object *state = sample_read_json("warm"), *lists = NULL;

	printf("%-31s %9s %9s %9s %9s\n", "list", "queued", "active", "done", "failed");
	json_object_object_get_ex(state, "lists", &lists);
	for (size_t i = 0; lists && i < json_object_array_length(lists); i++) {
		struct json_object *l = json_object_array_get_idx(lists, i);

		printf("%-31s %9ld %9ld %9ld %9ld\n", sample_text(l, "name"), member(l, "queued"),
		       member(l, "active"), member(l, "done"), member(l, "failed"));
	}
	json_object_put(state);
}

static int cancel_lists(char **names)
{
	if (!*names)
		cancel(NULL);
	for (; *names; names++)
		cancel(*names);
	return CTL_DONE;
}

enum action { ACTION_FETCH, ACTION_STATUS, ACTION_CANCEL };

static enum action read_options(int argc, char **argv, struct request *r, const char **ret_file,
				bool *ret_background)
{
	static const struct option options[] = {
		{ "file", required_argument, NULL, 'f' },  { "jobs", required_argument, NULL, 'j' },
		{ "delay", required_argument, NULL, 'd' }, { "background", no_argument, NULL, 'b' },
		{ "status", no_argument, NULL, 's' },	   { "cancel", no_argument, NULL, 'c' },
		{ 0 },
	};
	enum action action = ACTION_FETCH;
	int c;

	while ((c = getopt_long(argc, argv, "f:j:d:b", options, NULL)) != -1) {
		if (c == 'f')
			*ret_file = optarg;
		else if (c == 'j')
			r->jobs = optarg;
		else if (c == 'd')
			r->delay = optarg;
		else if (c == 'b')
			*ret_background = true;
		else if (c == 's' || c == 'c')
			action = c == 's' ? ACTION_STATUS : ACTION_CANCEL;
		else
			die_usage(&command_warm);
	}
	return action;
}

static void hand_over(struct request *r, char **names, const char *file)
{
	snprintf(r->list, sizeof r->list, "ctl-%d-%llx", (int)getpid(),
		 (unsigned long long)time(NULL));
	begin_text(r);
	for (; *names; names++)
		add(r, *names);
	if (file)
		add_file(r, file);
	flush(r);
	buf_fini(&r->text);
}

static int warm(int argc, char **argv)
{
	struct request r = { .text = BUF_INIT };
	const char *file = NULL;
	bool background = false;

	switch (read_options(argc, argv, &r, &file, &background)) {
	case ACTION_CANCEL:
		return cancel_lists(argv + optind);
	case ACTION_STATUS:
		print_status();
		return CTL_DONE;
	case ACTION_FETCH:
		break;
	}
	if (!file && optind == argc)
		die_usage(&command_warm);
	hand_over(&r, argv + optind, file);
	if (!background)
		return r.names ? wait_for(&r) : CTL_DONE;
	printf("%ld queued as %s\n", r.names, r.list);
	return CTL_DONE;
}

const struct command command_warm = {
	"warm", "[-f LIST] [-j N] [--delay TIME] [--background] [NAME...]",
	"fetch URLs or paths ahead of their readers",
	"  -f, --file LIST     also what is in this file, one a line; - is standard input\n"
	"  -j, --jobs N        so many at the same time\n"
	"  -d, --delay TIME    pause between two of them, such as 500ms\n"
	"  -b, --background    do not wait until they are there\n"
	"      --status        how far all lists have got\n"
	"      --cancel [LIST...]  drop what is queued of these lists, or of all\n"
	"\n"
	"What is fresh is not asked for. Exit status 1: some could not be fetched.\n",
	false, warm,
};
