/* version_arrive.c - the side of a version that thread F sees: bytes come in,
 * and at the end it is whole, or it failed. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/counters.h"
#include "index_private.h"

/* Lock held: takes off the waiters that can be answered now. */
static void take_ready(struct version *v, struct list *ready)
{
	struct waiter *w, *next;

	list_for_each_safe(w, next, &v->waiters, link)
		if (v->state != VERSION_ARRIVING || ranges_has(&v->body.have, w->off, w->end)) {
			list_remove(&w->link);
			list_append(ready, &w->link);
		}
}

/* No lock held. A woken waiter may be gone when wake() returns. Until it is its turn
 * it can be cancelled: so each is taken off under the lock. */
static void wake_all(struct version *v, struct list *ready)
{
	struct list *first = NULL;

	for (;;) {
		struct waiter *w;

		WITH_LOCK(&v->lock)
			first = list_pop(ready);
		if (!first)
			return;
		w = list_entry(first, struct waiter, link);
		w->wake(w);
	}
}

static bool is_window(const struct version *v)
{
	return v->body.kind == BODY_WINDOW_MEMORY ||
	       (v->body.kind == BODY_FILE && atomic_load(&v->body.no_room));
}

/* Lock held. The file takes no more and is about to become a window, but readers
 * still need what it has: let them come closer. */
static bool is_behind(const struct version *v, int64_t off)
{
	return v->body.kind == BODY_FILE && is_window(v) &&
	       off > v->read_high + BODY_WINDOW / 2;
}

int version_write(struct version *v, int64_t off, const void *data, size_t len)
{
	struct index *ix = v->index;
	struct list ready = LIST_INIT(ready);
	int64_t length = -1;
	int err = 0, disk_error = 0;

	WITH_LOCK(&v->lock) {
		length = v->length;
		if (v->state != VERSION_ARRIVING)
			err = -ESTALE;
		else if (length >= 0 && off + (int64_t)len > length)
			err = -EFBIG;
		else if (length < 0 && is_window(v) && off + (int64_t)len > BODY_WINDOW)
			err = -EFBIG;	/* nobody reads it before it is whole */
		else if (length >= 0 && is_behind(v, off))
			err = -ENOBUFS;
	}
	if (err)
		return err;
	err = body_write(&v->body, &ix->place, &v->lock, v->ino, length, off, data, len,
			 &disk_error);
	if (disk_error)
		index_failed(ix, "partial body", disk_error);
	if (err)
		return err;
	WITH_LOCK(&v->lock) {
		v->saved = v->saved && v->body.kind == BODY_FILE;
		v->unsaved = true;
		take_ready(v, &ready);
	}
	wake_all(v, &ready);
	return 0;
}

int64_t version_room(struct version *v, int64_t off)
{
	int64_t high = 0;
	bool window = false;

	WITH_LOCK(&v->lock) {
		window = is_window(v);
		high = v->read_high;
	}
	if (!window)
		return INT64_MAX;
	/* Half a window ahead of the reader, half behind for the others. */
	return high + BODY_WINDOW / 2 > off ? high + BODY_WINDOW / 2 - off : 0;
}

void version_no_room(struct version *v)
{
	atomic_store(&v->body.no_room, true);
}

void version_on_room(struct version *v, void (*room)(void *), void *arg)
{
	struct index *ix = v->index;
	bool hopeless = false;
	struct op *op;

	WITH_LOCK(&ix->lock) {
		WITH_LOCK(&v->lock) {
			hopeless = atomic_load(&v->body.no_room);
			v->room = room;
			v->room_arg = arg;
		}
		if (room && !hopeless && list_empty(&v->room_link))
			list_append(&ix->waiting_for_room, &v->room_link);
		else if (!room)
			list_remove(&v->room_link);
	}
	/* No room is to be had: its readers make some (version_read). */
	op = room && !hopeless ? op_new(OP_EVICT) : NULL;
	if (op)
		writer_post(ix, op);
}

void version_record(struct version *v, void (*done)(void *arg, int err), void *arg)
{
	struct op *op;
	bool at_once = false;

	v->record_asked = true;
	if (v->transient) {
		/* No row: it is forgotten with its last reader. */
		if (done)
			done(arg, 0);
		return;
	}
	/* Small bodies are stored before that, in one write; a large one is on its way through C
	 * for long. */
	WITH_LOCK(&v->lock)
		at_once = v->state == VERSION_COMPLETE && v->body.kind != BODY_FILE;
	if (!at_once) {
		writer_sync(v, done, arg);
		if (version_state(v) == VERSION_COMPLETE)
			version_store(v, NULL);
		return;
	}
	op = op_new(OP_NOTHING);
	if (!op) {
		if (done)
			done(arg, -ENOMEM);
		return;
	}
	op->done = done;
	op->arg = arg;
	version_store(v, op);
}

void version_complete(struct version *v)
{
	struct list ready = LIST_INIT(ready);

	body_settle(&v->body, &v->index->place, &v->lock);
	WITH_LOCK(&v->lock) {
		assert(v->state == VERSION_ARRIVING);
		if (v->length < 0) {
			struct meta *exact = meta_copy(v->meta);

			v->length = ranges_total(&v->body.have);
			if (exact) {
				exact->length = v->length;
				meta_unref(v->meta);
				v->meta = exact;
			}
		}
		v->state = VERSION_COMPLETE;
		v->used_ms = clock_mono_ms();
		take_ready(v, &ready);
	}
	wake_all(v, &ready);
	/* Before it is recorded nothing is written: then it is one write, not two. */
	if (v->record_asked)
		version_store(v, NULL);
}

void version_fail(struct version *v, int err)
{
	struct index *ix = v->index;
	struct list ready = LIST_INIT(ready);
	bool was_current = false, changed = false;
	struct body gone;

	assert(err < 0);
	body_init(&gone);
	WITH_LOCK(&ix->lock) {
		was_current = v->current || v->promised;
		WITH_LOCK(&v->lock) {
			changed = v->state == VERSION_ARRIVING;
			if (!changed)
				break;
			v->state = VERSION_FAILED;
			v->error = err;
			v->saved = false;
			/* Nobody reads them any more, but the kernel may remember the inode
			 * for long: neither space nor a descriptor waits for that. */
			gone = v->body;
			body_init(&v->body);
			take_ready(v, &ready);
		}
		if (changed)
			version_drop_key(v);
	}
	body_fini(&gone, &ix->place, false);
	/* First the name, then its readers: who tries again finds a new one. */
	if (changed && was_current && ix->config.stale_names)
		ix->config.stale_names(ix->config.arg);
	wake_all(v, &ready);
}

void version_pause(struct version *v)
{
	version_save(v);
}

void version_set_meta(struct version *v, struct meta *meta)
{
	struct meta *old = NULL;

	WITH_LOCK(&v->lock) {
		old = v->meta;
		v->meta = meta_ref(meta);
	}
	meta_unref(old);
	if (!v->transient)
		writer_sync(v, NULL, NULL);
}
