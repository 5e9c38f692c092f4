/* warm_thread.c - works on the queue: begins what may begin, and steps what was woken. */
#include "warm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/counters.h"
#include "../base/log.h"
#include "fs.h"
#include "options.h"

#define TRIES 3			/* of what is purged while it is fetched */
#define KEEP_LEAST 256		/* items that are done before the file is written anew */
#define FILE_MOST (64 << 20)	/* bytes of warm_file */

/* Half of the transfers stay for readers. */
static int64_t jobs_of(const struct fs *fs, const struct warm_item *item)
{
	int64_t most = fs->options->fetch.max_transfers / 2;
	int64_t jobs = item->jobs ? item->jobs : WARM_JOBS;

	return jobs < most ? jobs : most < 1 ? 1 : most;
}

/* A pause is for the origin: what is fresh need not wait for it. True: the next one is
 * such a one, or it is known now that it is not. */
static bool look_ahead(struct fs *fs)
{
	char *key _cleanup_(cleanup_free) = NULL;
	struct warm *w = &fs->warm;
	struct warm_item *item;
	bool fresh;

	WITH_LOCK(&w->lock) {
		item = list_entry(w->queue.next, struct warm_item, link);
		if (!list_empty(&w->queue) && item->delay_ms && !item->looked)
			key = strdup(item->key);
	}
	if (!key)
		return false;
	fresh = warm_job_is_fresh(fs, key);
	WITH_LOCK(&w->lock) {
		item = list_entry(w->queue.next, struct warm_item, link);
		if (list_empty(&w->queue) || strcmp(item->key, key) != 0)
			break;
		item->looked = true;
		if (fresh)
			item->delay_ms = 0;
	}
	return true;
}

/* lock held: the next one, if it may begin now; else *ret_until_ms may be lowered to when
 * it may. */
static struct warm_item *take_next(struct fs *fs, int64_t *ret_until_ms)
{
	struct warm *w = &fs->warm;
	struct warm_count *count;
	struct warm_item *item;
	int64_t due;

	if (list_empty(&w->queue) || fetch_is_offline(fs->fetch))
		return NULL;
	item = list_entry(w->queue.next, struct warm_item, link);
	if (w->n_active >= jobs_of(fs, item))
		return NULL;
	due = w->asked_ms + item->delay_ms;
	if (item->delay_ms && clock_mono_ms() < due) {
		*ret_until_ms = due < *ret_until_ms ? due : *ret_until_ms;
		return NULL;
	}
	list_remove(&item->link);
	w->bytes -= warm_list_cost(item);
	w->n_queued--;
	w->n_active++;
	count = warm_tally_find(&w->tally, item->list);
	count->queued--;
	count->active++;
	return item;
}

static const char *words(int err)
{
	switch (-err) {
	case EPERM:
		return "may not be stored";
	case ENOSPC:
		return "no room in the cache";
	case ESTALE:
		return "purged or changed while it was fetched";
	case EREMOTEIO:
		return "the origin failed; a stale copy is stored";
	default:
		return strerrordesc_np(-err);
	}
}

/* lock held: item is neither queued nor active any more. True: it is to be tried again,
 * and is in the queue. */
static bool settle(struct warm *w, struct warm_item *item, int err)
{
	struct warm_count *c = warm_tally_find(&w->tally, item->list);

	c->active--;
	w->n_active--;
	w->settled++;
	if (err == -ESTALE && ++item->tries < TRIES) {
		c->queued++;
		w->n_queued++;
		w->bytes += warm_list_cost(item);
		list_prepend(&w->queue, &item->link);
		return true;
	}
	if (err) {
		c->failed++;
		count(warm_errors);
		warm_tally_failed(&w->tally, item, words(err));
	} else {
		c->done++;
		count(warmed);
	}
	return false;
}

/* Less often the more there is to write: each item is written twice or so, in all. */
static void keep_in_time(struct warm *w)
{
	int64_t left = 0, settled = 0;

	WITH_LOCK(&w->lock) {
		left = w->n_queued + w->n_active;
		settled = w->settled;
	}
	if (settled > 0 && (left == 0 || settled >= left + KEEP_LEAST))
		warm_keep(w);
}

static void finish(struct warm *w, struct warm_item *item, int err)
{
	bool again = false;

	if (err)
		log_debug("warming %s: %s", item->key, words(err));
	WITH_LOCK(&w->lock)
		again = settle(w, item, err);
	if (!again)
		free(item);
	keep_in_time(w);
}

static void begin(struct fs *fs, struct warm_item *item)
{
	struct warm_job *job = warm_job_new(fs, item);
	struct warm *w = &fs->warm;
	bool asked = true;

	if (!job) {
		finish(w, item, -ENOMEM);
		return;
	}
	WITH_LOCK(&w->lock)
		list_append(&w->active, &job->link);
	warm_job_ask(job);
	WITH_LOCK(&w->lock)
		asked = !job->answered || warm_job_asked(job);
	if (asked)
		w->asked_ms = clock_mono_ms();
}

static void step(struct warm *w, struct warm_job *job)
{
	int err = warm_job_step(job);

	if (err == -EAGAIN)
		return;
	WITH_LOCK(&w->lock)
		list_remove(&job->link);
	finish(w, warm_job_free(job), err);
}

/* lock held. */
static bool is_under_way(struct warm *w, const char *name)
{
	struct warm_count *c = warm_tally_find(&w->tally, name);

	return c && (c->queued || c->active);
}

static void read_file(struct fs *fs)
{
	struct buf text _cleanup_(buf_fini) = BUF_INIT;
	const struct options *o = fs->options;
	struct warm_list l = { .n = 0 };
	struct warm_item *item;
	int err = warm_save_read(o->warm_file, FILE_MOST, &text);

	list_init(&l.items);
	if (!err)
		err = warm_list_parse(o, buf_str(&text), text.len, true, &l);
	if (l.wrong)
		log_warn("%s: line %zu is neither a URL of this mount nor a path%s", o->warm_file,
			 l.first_wrong, l.wrong > 1 ? ", nor are others" : "");
	list_for_each(item, &l.items, link)
		memcpy(item->list, WARM_FILE_LIST, sizeof WARM_FILE_LIST);
	if (!err)
		err = warm_add(fs, &l, false);
	if (err < 0)
		log_warn("%s: %s: it is not warmed", o->warm_file, strerror(-err));
	warm_list_free(&l);
}

/* The list of last time first has to come to its end. */
static void read_file_in_time(struct fs *fs)
{
	int64_t interval = fs->options->warm_interval_ms;
	struct warm *w = &fs->warm;
	bool under_way = false;

	w->file_ms = interval && interval < INT64_MAX - clock_mono_ms()
			? clock_mono_ms() + interval : INT64_MAX;
	WITH_LOCK(&w->lock)
		under_way = is_under_way(w, WARM_FILE_LIST);
	if (!under_way)
		read_file(fs);
}

/* lock held. */
static void wait_until(struct warm *w, int64_t mono_ms)
{
	struct timespec t = { mono_ms / 1000, mono_ms % 1000 * 1000000 };

	if (mono_ms == INT64_MAX)
		pthread_cond_wait(&w->changed, &w->lock);
	else
		pthread_cond_timedwait(&w->changed, &w->lock, &t);
}

/* One thing that is to be done now. False: it has ended. */
static bool turn(struct fs *fs)
{
	struct warm *w = &fs->warm;
	int64_t until_ms = w->file_ms;
	bool file_due = clock_mono_ms() >= w->file_ms;
	struct warm_item *item = NULL;
	struct list *first = NULL;

	if (look_ahead(fs))
		return true;
	WITH_LOCK(&w->lock) {
		if (w->ended)
			return false;
		first = list_pop(&w->awake);
		if (!first && !file_due)
			item = take_next(fs, &until_ms);
		if (!first && !item && !file_due)
			wait_until(w, until_ms);
	}
	if (first)
		step(w, list_entry(first, struct warm_job, awake_link));
	else if (item)
		begin(fs, item);
	else if (file_due)
		read_file_in_time(fs);
	return true;
}

void *warm_thread_run(void *arg)
{
	while (turn(arg))
		;
	return NULL;
}
