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
#define REWRITE_LEAST 256	/* items that are done before the file is written anew */
#define FILE_MOST (64 << 20)	/* bytes of warm_file */

int warm_init(struct warm *w)
{
	pthread_condattr_t attr;
	int r;

	memset(w, 0, sizeof *w);
	pthread_mutex_init(&w->lock, NULL);
	list_init(&w->queue);
	list_init(&w->active);
	list_init(&w->awake);
	warm_save_init(&w->save);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	r = pthread_cond_init(&w->changed, &attr);
	pthread_condattr_destroy(&attr);
	return -r;
}

void warm_fini(struct warm *w)
{
	struct list *first;

	while ((first = list_pop(&w->queue)) != NULL)
		free(list_entry(first, struct warm_item, link));
	warm_tally_fini(&w->tally);
	warm_save_fini(&w->save);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
}

void warm_awake(struct warm *w, struct warm_job *job)
{
	list_append(&w->awake, &job->awake_link);
	pthread_cond_broadcast(&w->changed);
}

void warm_poke(struct warm *w)
{
	WITH_LOCK(&w->lock)
		pthread_cond_broadcast(&w->changed);
}

/* --- what is kept over a restart --- */

/* lock held. */
static void put_item(const struct warm_item *item, const struct warm_item **last, struct buf *to)
{
	if (!item->durable)
		return;
	warm_save_item(item, *last, to);
	*last = item;
}

/* Also what is under way: it is done when it is whole. */
static void rewrite(struct warm *w)
{
	const struct warm_item *item, *last = NULL;
	struct buf text _cleanup_(buf_fini) = BUF_INIT;
	struct warm_job *job;

	WITH_LOCK(&w->save.lock) {
		WITH_LOCK(&w->lock) {
			list_for_each(job, &w->active, link)
				put_item(job->item, &last, &text);
			list_for_each(item, &w->queue, link)
				put_item(item, &last, &text);
			w->settled = 0;
		}
		warm_save_replace(&w->save, &text);
	}
}

/* Less often the more there is to write: each item is written twice or so, in all. */
static void rewrite_in_time(struct warm *w)
{
	int64_t left = 0, settled = 0;

	WITH_LOCK(&w->lock) {
		left = w->n_queued + w->n_active;
		settled = w->settled;
	}
	if (settled > 0 && (left == 0 || settled >= left + REWRITE_LEAST))
		rewrite(w);
}

/* --- into the queue --- */

/* lock held: a count for each list there is in l. */
static int count_lists(struct warm *w, const struct warm_list *l)
{
	const struct warm_item *item;
	struct warm_count *c = NULL;

	list_for_each(item, &l->items, link) {
		if (!c || strcmp(c->name, item->list) != 0)
			c = warm_tally_find(&w->tally, item->list);
		if (!c)
			break;
		c->queued++;
	}
	if (&item->link == &l->items)
		return 0;
	/* Back, up to the one for which there was no room. */
	for (struct list *at = item->link.prev; at != &l->items; at = at->prev)
		warm_tally_find(&w->tally, list_entry(at, struct warm_item, link)->list)->queued--;
	return -EBUSY;
}

static int enqueue(struct warm *w, struct warm_list *l)
{
	int err = 0;

	WITH_LOCK(&w->lock) {
		err = w->bytes && w->bytes + l->bytes > WARM_QUEUE_MAX ? -EAGAIN : 0;
		if (!err)
			err = count_lists(w, l);
		if (err)
			break;
		list_splice(&w->queue, &l->items);
		w->n_queued += (int64_t)l->n;
		w->bytes += l->bytes;
		l->n = l->bytes = 0;
		pthread_cond_broadcast(&w->changed);
	}
	return err;
}

int warm_add(struct fs *fs, struct warm_list *l, bool durable)
{
	struct buf text _cleanup_(buf_fini) = BUF_INIT;
	const struct warm_item *last = NULL;
	struct warm *w = &fs->warm;
	struct warm_item *item;
	int err = 0;

	buf_char(&text, '\n');	/* what was there may have been cut off */
	list_for_each(item, &l->items, link) {
		item->durable = durable;
		put_item(item, &last, &text);
	}
	if (!last)
		return enqueue(w, l);
	WITH_LOCK(&w->save.lock) {
		err = enqueue(w, l);
		if (!err)
			warm_save_append(&w->save, &text);
	}
	return err;
}

void warm_cancel(struct fs *fs, const char *name)
{
	struct list dropped = LIST_INIT(dropped), *first;
	struct warm *w = &fs->warm;
	struct warm_item *item, *next;

	WITH_LOCK(&w->lock)
		list_for_each_safe(item, next, &w->queue, link) {
			if (name && strcmp(item->list, name) != 0)
				continue;
			warm_tally_find(&w->tally, item->list)->queued--;
			w->n_queued--;
			w->bytes -= warm_list_cost(item);
			list_remove(&item->link);
			list_append(&dropped, &item->link);
		}
	while ((first = list_pop(&dropped)) != NULL)
		free(list_entry(first, struct warm_item, link));
	rewrite(w);
}

/* --- out of it: the warm thread --- */

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
	w->n_queued--;
	w->bytes -= warm_list_cost(item);
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

static void finish(struct warm *w, struct warm_item *item, int err)
{
	bool again = false;

	if (err)
		log_debug("warming %s: %s", item->key, words(err));
	WITH_LOCK(&w->lock)
		again = settle(w, item, err);
	if (!again)
		free(item);
	rewrite_in_time(w);
}

static void begin(struct fs *fs, struct warm_item *item)
{
	struct warm_job *job = warm_job_new(fs, item);
	struct warm *w = &fs->warm;
	bool asked = true;

	WITH_LOCK(&w->lock) {
		struct warm_count *c = warm_tally_find(&w->tally, item->list);

		c->queued--;
		c->active++;
		w->n_active++;
		if (job)
			list_append(&w->active, &job->link);
	}
	if (!job) {
		finish(w, item, -ENOMEM);
		return;
	}
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
		err = warm_list_parse(o->base_url, buf_str(&text), text.len, true, &l);
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

	w->file_ms = interval ? clock_mono_ms() + interval : INT64_MAX;
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

static void *run(void *arg)
{
	while (turn(arg))
		;
	return NULL;
}

/* --- start and end --- */

static void resume(struct fs *fs)
{
	struct buf text _cleanup_(buf_fini) = BUF_INIT;
	struct warm *w = &fs->warm;
	struct warm_list l = { .n = 0 };
	struct warm_item *item;
	int err = warm_save_read(w->save.path, 2 * WARM_QUEUE_MAX, &text);

	list_init(&l.items);
	if (!err)
		err = warm_list_parse(fs->options->base_url, buf_str(&text), text.len, true, &l);
	list_for_each(item, &l.items, link)
		item->durable = true;
	if (l.n)
		log_info("%zu names that were queued before are to be warmed", l.n);
	if (!err)
		err = enqueue(w, &l);
	if (err < 0 && err != -ENOENT)
		log_warn("%s: %s: what it queued is not warmed", w->save.path, strerror(-err));
	warm_list_free(&l);
}

int warm_start(struct fs *fs)
{
	const struct options *o = fs->options;
	struct warm *w = &fs->warm;
	int r = warm_save_open(&w->save, o->cache_dir);

	if (r < 0)
		return r;
	resume(fs);
	w->file_ms = o->warm_file ? clock_mono_ms() : INT64_MAX;
	r = pthread_create(&w->thread, NULL, run, fs);
	w->running = r == 0;
	return -r;
}

void warm_stop(struct warm *w)
{
	if (!w->running)
		return;
	WITH_LOCK(&w->lock) {
		w->ended = true;
		pthread_cond_broadcast(&w->changed);
	}
	pthread_join(w->thread, NULL);
	w->running = false;
}

/* It was answered or woken just now, by another thread. */
static void wait_for(struct warm *w, struct warm_job *job)
{
	WITH_LOCK(&w->lock)
		while (list_empty(&job->awake_link))
			pthread_cond_wait(&w->changed, &w->lock);
}

void warm_drain(struct fs *fs)
{
	struct warm *w = &fs->warm;
	struct list *first;

	if (!w->save.path)
		return;
	rewrite(w);
	while ((first = list_pop(&w->active)) != NULL) {
		struct warm_job *job = list_entry(first, struct warm_job, link);

		if (!warm_job_cancel(job))
			wait_for(w, job);
		list_remove(&job->awake_link);
		free(warm_job_free(job));
	}
}

/* --- for people --- */

void warm_render(struct fs *fs, struct buf *to)
{
	struct warm *w = &fs->warm;

	WITH_LOCK(&w->lock) {
		buf_printf(to, "{\n  \"queued\": %lld,\n  \"active\": %lld,\n",
			   (long long)w->n_queued, (long long)w->n_active);
		buf_printf(to, "  \"done\": %lld,\n  \"failed\": %lld,\n",
			   (long long)counter_value(COUNT_warmed),
			   (long long)counter_value(COUNT_warm_errors));
		warm_tally_render(&w->tally, to);
	}
	buf_str_append(to, "}\n");
}
