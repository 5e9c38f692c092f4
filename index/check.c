/* check.c - checks as others start and see them: of a directory, or in the background. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/log.h"
#include "check_walk.h"
#include "index_private.h"

/* --- a directory --- */

struct told {
	void (*progress)(void *arg, const struct check_status *status);
	void *arg;
};

static void tell(struct check_walk *w)
{
	const struct told *told = w->arg;

	told->progress(told->arg, &w->status);
}

/* index_open() would make one. */
static int is_cache(const char *dir, char *reason, size_t reason_len)
{
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof path, "%s/index.inos", dir) < (int)sizeof path &&
	    stat(path, &st) == 0)
		return 0;
	snprintf(reason, reason_len, "%s is no cache directory", dir);
	return -ENOENT;
}

int check_dir(const char *dir, void (*progress)(void *, const struct check_status *), void *arg,
	      struct check_status *ret, char *reason, size_t reason_len)
{
	/* It is not for a check to make room. */
	const struct index_config config = { .dir = dir, .size = INT64_MAX / 4, .level = 1 };
	struct told told = { progress, arg };
	struct check_walk w = { .progress = progress ? tell : NULL, .arg = &told };
	struct index *ix = NULL;
	int err = is_cache(dir, reason, reason_len);

	if (!err)
		err = index_open(&config, &ix, reason, reason_len);
	if (err)
		return err;
	/* The directory is locked, and this index is never started. */
	store_nobody_puts(ix->store);
	w.ix = ix;
	check_walk(&w);
	*ret = w.status;
	index_close(ix);
	return 0;
}

/* --- in the background --- */

void check_init(struct checker *c)
{
	pthread_mutex_init(&c->lock, NULL);
}

void check_fini(struct checker *c)
{
	bool join = false;

	WITH_LOCK(&c->lock) {
		atomic_store(&c->stop, true);
		join = c->joinable;
		c->joinable = false;
	}
	if (join)
		pthread_join(c->thread, NULL);
}

static void note(struct check_walk *w)
{
	struct checker *c = w->arg;

	WITH_LOCK(&c->lock)
		c->status = w->status;
}

static void *checker_main(void *arg)
{
	struct index *ix = arg;
	struct check_walk w = { .ix = ix, .progress = note, .arg = &ix->checker,
				.stop = &ix->checker.stop };

	check_walk(&w);
	note(&w);
	if (w.status.state == CHECK_FAILED)
		log_error("check of %s: %s", ix->config.dir, strerror(-w.status.err));
	else
		log_info("check of %s: %s", ix->config.dir,
			 w.status.state == CHECK_CLEAN ? "clean" : "repaired");
	return NULL;
}

int index_check_start(struct index *ix)
{
	struct checker *c = &ix->checker;
	int err = 0;

	WITH_LOCK(&c->lock) {
		if (!ix->running || atomic_load(&c->stop))
			return -ESHUTDOWN;
		if (c->status.state == CHECK_RUNNING)
			return -EBUSY;
		/* The last one has said its last word: it ends at once. */
		if (c->joinable)
			pthread_join(c->thread, NULL);
		err = -pthread_create(&c->thread, NULL, checker_main, ix);
		c->joinable = !err;
		if (!err)
			c->status = (struct check_status){ .state = CHECK_RUNNING,
							   .started_ms = clock_mono_ms() };
	}
	return err;
}

void index_check_status(struct index *ix, struct check_status *ret)
{
	WITH_LOCK(&ix->checker.lock)
		*ret = ix->checker.status;
}

/* --- as text --- */

static const char *name_of(enum check_state state)
{
	static const char *const names[] = {
		[CHECK_NEVER] = "never", [CHECK_RUNNING] = "running", [CHECK_CLEAN] = "clean",
		[CHECK_REPAIRED] = "repaired", [CHECK_FAILED] = "failed",
	};

	return names[state];
}

void check_render(const struct check_status *s, struct buf *to)
{
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = {
		{ "rows", s->rows },
		{ "bodies", s->bodies },
		{ "bytes", s->bytes },
		{ "bytes_total", s->bytes_total },
		{ "damaged_index", s->damaged_index },
		{ "damaged_rows", s->damaged_rows },
		{ "damaged_bodies", s->damaged_bodies },
		{ "missing_bodies", s->missing_bodies },
		{ "leftover_rows", s->leftover_rows },
		{ "orphan_files", s->orphan_files },
		{ "wrong_counters", s->wrong_counters },
	};
	int64_t end = s->state == CHECK_RUNNING ? clock_mono_ms() : s->ended_ms;

	buf_printf(to, "{\n  \"state\": \"%s\",\n  \"error\": ", name_of(s->state));
	if (s->err)
		buf_json(to, strerror(-s->err));
	else
		buf_str_append(to, "null");
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		buf_printf(to, ",\n  \"%s\": %" PRId64, numbers[i].name, numbers[i].value);
	buf_printf(to, ",\n  \"elapsed_ms\": %" PRId64 "\n}\n", end - s->started_ms);
}
