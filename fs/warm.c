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
void warm_keep(struct warm *w)
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
	warm_keep(w);
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
		err = warm_list_parse(fs->options, buf_str(&text), text.len, true, &l);
	list_for_each(item, &l.items, link)
		item->durable = true;
	if (l.n)
		log_info("%zu names that were queued before are to be warmed", l.n);
	if (!err)
		err = enqueue(w, &l);
	/* It was of another source: nothing of it can be shown here. */
	if (!err && list_empty(&w->queue))
		warm_keep(w);
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
	r = pthread_create(&w->thread, NULL, warm_thread_run, fs);
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
	warm_keep(w);
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
