#include "fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "fetch_private.h"

static int set_base(struct fetch *f)
{
	struct url url;
	const char *reason;
	int err;

	if (!f->config.base_url)
		return 0;
	err = url_parse(f->config.base_url, &url, &reason);
	if (err)
		return err;
	f->base_origin = url_origin(&url);
	f->base_host = TAKE_PTR(url.host);
	f->base_port = url.port;
	f->base_user = TAKE_PTR(url.user);
	url_fini(&url);
	return f->base_origin && f->base_host ? 0 : -ENOMEM;
}

int fetch_new(const struct fetch_config *config, struct fetch **ret)
{
	struct fetch *f = calloc(1, sizeof *f);
	int err;

	if (!f)
		return -ENOMEM;
	f->config = *config;
	atomic_init(&f->offline, config->offline);
	f->epoll = f->wake_fd = -1;
	pthread_mutex_init(&f->lock, NULL);
	inbox_init(&f->inbox, loop_wake, f);
	dirs_init(&f->dirs, f);
	list_init(&f->active);
	list_init(&f->queued);
	list_init(&f->waiting);
	list_init(&f->unrecorded);
	lanes_init(&f->lanes);
	curl_global_init(CURL_GLOBAL_ALL);
	err = set_base(f);
	if (!err)
		err = resolver_open(f);
	if (!err)
		err = loop_open(f);
	if (err) {
		fetch_free(f);
		return err;
	}
	*ret = f;
	return 0;
}

void fetch_set_offline(struct fetch *f, bool offline)
{
	atomic_store(&f->offline, offline);
}

bool fetch_is_offline(const struct fetch *f)
{
	return atomic_load(&f->offline);
}

const struct policy *fetch_policy(const struct fetch *f, const char *key)
{
	return policies_find(f->config.policies, key);
}

int fetch_start(struct fetch *f)
{
	int err = pthread_create(&f->thread, NULL, loop_main, f);

	f->started = err == 0;
	return err ? -err : dirs_start(&f->dirs);
}

static void drop_message(struct message *m)
{
	if (m->kind == MESSAGE_LOOK) {
		look_drop(m);
		return;
	}
	if (m->kind == MESSAGE_RESOLVED) {
		resolve_drop(m);
		return;
	}
	version_unref(m->v);
	free(m);
}

void fetch_stop(struct fetch *f)
{
	struct list late = LIST_INIT(late), *first;

	if (!f->started)
		return;
	WITH_LOCK(&f->lock)
		atomic_store(&f->stopping, true);	/* nothing starts from here on */
	loop_wake(f);
	pthread_join(f->thread, NULL);
	f->started = false;
	inbox_take(&f->inbox, &late);
	while ((first = list_pop(&late)) != NULL) {
		struct message *m = list_entry(first, struct message, link);

		if (m->kind == MESSAGE_START) {
			struct transfer *t = container_of(m, struct transfer, start);

			transfer_answer(t, -EINTR, NULL, CACHE_MISS);
			transfer_unref(t);
			continue;
		}
		drop_message(m);
	}
	dirs_stop(&f->dirs);
}

void fetch_free(struct fetch *f)
{
	struct list late = LIST_INIT(late), *first;

	if (!f)
		return;
	fetch_stop(f);
	/* Thread I may still tell us that rows are written. */
	index_drain(f->config.index);
	resolver_close(f);
	/* Needs that were posted since: nobody reads any more. */
	inbox_take(&f->inbox, &late);
	while ((first = list_pop(&late)) != NULL) {
		drop_message(list_entry(first, struct message, link));
	}
	loop_close(f);
	inbox_fini(&f->inbox);
	dirs_fini(&f->dirs);
	map_fini(&f->inflight);
	holds_fini(&f->holds);
	holds_fini(&f->absent);
	lanes_fini(&f->lanes);
	pthread_mutex_destroy(&f->lock);
	free(f->base_origin);
	free(f->base_host);
	free(f->base_user);
	free(f);
}
