/* gather.c - asks, one question after the other, until a directory's names are there.
 *
 *   BEGUN --want--> ASKED --headers--> READING --all of it--> the next page, or the end
 *                     ^                                              |
 *                     `-------------- another way, another page -----'
 */
#include "gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/counters.h"
#include "../base/log.h"

#define ERROR_MS 10000			/* how long it is not asked again after an error */

/* --- birth and death --- */

void gather_free(struct gather *g)
{
	if (!g)
		return;
	version_unref(g->v);
	dirlist_unref(g->list);
	buf_fini(&g->body);
	free(g->bucket);
	free(g->prefix);
	free(g->more);
	free(g->key);
	free(g);
}

struct gather *gather_new(struct dirs *ds, const char *key)
{
	struct gather *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	list_init(&g->message);
	list_init(&g->link);
	list_init(&g->wants);
	list_init(&g->want.link);
	list_init(&g->waiter.link);
	g->dirs = ds;
	g->key = strdup(key);
	g->list = dirlist_new();
	if (!g->key || !g->list) {
		gather_free(g);
		return NULL;
	}
	return g;
}

/* dirs.lock held. */
void gather_leave(struct gather *g)
{
	if (g->joinable)
		map_remove(&g->dirs->gathers, &g->node);
	g->joinable = false;
}

void gather_finish(struct gather *g, int err)
{
	struct dirs *ds = g->dirs;
	struct list wants = LIST_INIT(wants), *first = NULL;
	int64_t now = clock_wall_ms();
	struct dir_want *w;

	if (!err)
		dirlist_sort(g->list);
	else if (err != -EINTR)
		log_debug("%s: no listing: %s", g->key, strerror(-err));
	g->list->fetched_ms = g->asked_ms;
	g->list->fresh_until_ms = err ? now + ERROR_MS : g->fresh_until_ms;
	WITH_LOCK(&ds->lock) {
		gather_leave(g);
		if (g->purged)
			atomic_store(&g->list->dropped, true);
		else if (err != -EINTR && err != -ENOMEM && err != -ENETDOWN)
			dirs_remember(ds, g->key, err ? NULL : g->list, g->list->fresh_until_ms);
		list_splice(&wants, &g->wants);
	}
	if (!err)
		count(listings);
	for (;;) {
		WITH_LOCK(&ds->lock)
			first = list_pop(&wants);
		if (!first)
			break;
		w = list_entry(first, struct dir_want, link);
		w->done(w, err, err ? NULL : dirlist_ref(g->list));
	}
	list_remove(&g->link);
	gather_free(g);
}

/* --- asking --- */

static void append_value(struct buf *to, const char *text)
{
	static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789-._~";

	for (; *text; text++) {
		if (strchr(unreserved, *text))
			buf_char(to, *text);
		else
			buf_printf(to, "%%%02X", (unsigned char)*text);
	}
}

static void append_question(const struct gather *g, struct buf *to)
{
	switch (g->way) {
	case DIRS_PAGE:
		buf_str_append(to, g->key);
		return;
	case DIRS_DAV:
		buf_printf(to, "%s" FETCH_PROPFIND, g->key);
		return;
	case DIRS_S3:
		buf_printf(to, "%s?list-type=2&delimiter=%%2F&encoding-type=url&prefix=",
			   g->bucket);
		append_value(to, g->prefix);
		if (g->more)
			buf_str_append(to, "&continuation-token=");
		if (g->more)
			append_value(to, g->more);
		buf_str_append(to, FETCH_LIST);
		return;
	}
}

static void answered(struct want *w, int err, struct version *v, int64_t fresh_ms)
{
	struct gather *g = container_of(w, struct gather, want);

	g->err = err;
	g->v = v;
	g->fresh_ms = fresh_ms;
	inbox_post(&g->dirs->inbox, &g->message);
}

static void ask(struct gather *g)
{
	struct buf key _cleanup_(buf_fini) = BUF_INIT;

	append_question(g, &key);
	if (!buf_ok(&key)) {
		gather_finish(g, -ENOMEM);
		return;
	}
	buf_reset(&g->body);
	g->state = GATHER_ASKED;
	g->asked_ms = clock_wall_ms();
	g->want.done = answered;
	fetch_want(g->dirs->fetch, buf_str(&key), 0, &g->want);
}

/* --- the steps --- */

static void on_error(struct gather *g, int err)
{
	if (gather_may_try_dav(g, err)) {
		g->way = DIRS_DAV;
		g->detected = true;
		ask(g);
		return;
	}
	if (g->way == DIRS_DAV && g->detected && err != -EINTR)
		gather_note_way(g, false);
	if (g->way == DIRS_S3 && g->bucket_is_guess && g->pages == 0 && err != -EINTR &&
	    gather_guess_bucket(g, true) == 0) {
		ask(g);
		return;
	}
	gather_finish(g, err);
}

static void on_bytes(struct gather *g)
{
	bool ask_again = false;
	int err = gather_read(g, &ask_again);

	if (ask_again)
		ask(g);
	else if (err != -EAGAIN)
		gather_finish(g, err);
}

void gather_step(struct gather *g)
{
	int err = 0;

	switch (g->state) {
	case GATHER_BEGUN:
		list_append(&g->dirs->all, &g->link);
		err = g->dirs->stopping ? -EINTR : gather_choose_way(g);
		if (err)
			gather_finish(g, err);
		else
			ask(g);
		return;
	case GATHER_ASKED:
		err = g->err ? g->err : gather_judge(g);
		if (err && g->v)
			version_unref(TAKE_PTR(g->v));
		if (err) {
			on_error(g, err);
			return;
		}
		g->state = GATHER_READING;
		on_bytes(g);
		return;
	case GATHER_READING:
		on_bytes(g);
		return;
	}
}
