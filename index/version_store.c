/* version_store.c - bodies come to rest: threads C. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/counters.h"
#include "../base/log.h"
#include "../base/step.h"
#include "index_private.h"

/* Room was missing: let thread I evict, and see whether it helped. */
static void make_room(struct index *ix, int64_t bytes)
{
	struct op *op = op_new(OP_EVICT);

	if (op) {
		op->bytes = bytes;
		writer_call(ix, op);
	}
}

static int put_body(struct version *v, struct blob *ret)
{
	struct index *ix = v->index;
	struct body *b = &v->body;

	/* COMPLETE: nobody changes the body but us. */
	switch (b->kind) {
	case BODY_MEMORY:
		return store_put(ix->store, b->data, (size_t)v->length, v->key,
				 v->meta->content_type, ret);
	case BODY_FILE:
		return store_put_file(ix->store, b->fd, b->path, b->reserved, v->length, v->ino,
				      v->meta->content_type, ret);
	case BODY_NONE:
		*ret = (struct blob){ .kind = BLOB_NONE };
		return 0;
	case BODY_WINDOW_MEMORY:
		break;
	}
	return -ENOSPC;
}

/* The blob has what the body had. A plain file was renamed into place, space
 * and all; otherwise it goes. */
static void drop_body(struct version *v, const struct blob *blob)
{
	struct body old;

	WITH_LOCK(&v->lock) {
		old = v->body;
		body_init(&v->body);
		v->blob = *blob;
		v->stored = true;
	}
	body_fini(&old, &v->index->place,
		  blob->kind == BLOB_FILE && blob->codec == BLOB_PLAIN);
}

static void finish(struct version *v, int err)
{
	struct list dones = LIST_INIT(dones), *first;

	WITH_LOCK(&v->lock) {
		v->storing = false;
		list_splice(&dones, &v->store_dones);
	}
	/* The row first, then whoever waits for it. */
	if (!err)
		writer_sync(v, NULL, NULL);
	while ((first = list_pop(&dones)) != NULL) {
		struct op *op = list_entry(first, struct op, link);

		op->err = err;
		writer_post(v->index, op);
	}
	version_unref(v);
}

static void store_run(struct job *job)
{
	struct version *v = container_of(job, struct version, store_job);
	struct index *ix = v->index;
	struct blob blob = { .kind = BLOB_NONE };
	int err;

	err = put_body(v, &blob);
	if (err == -ENOSPC && v->body.kind != BODY_WINDOW_MEMORY) {
		make_room(ix, v->length);
		err = put_body(v, &blob);
	}
	if (!err) {
		index_worked(ix);
		drop_body(v, &blob);
		step("stored");
	} else {
		count(unstored);
		if (err != -ENOSPC)
			index_failed(ix, "storing a body", err);
		log_debug("not stored: %s (%d)", v->key, err);
	}
	finish(v, err);
}

void version_store(struct version *v, struct op *done)
{
	bool start = false, wanted = false;

	WITH_LOCK(&v->index->lock)
		wanted = v->current && !v->transient;
	WITH_LOCK(&v->lock) {
		start = wanted && !v->stored && !v->storing;
		if (start)
			v->storing = true;
		if (done && v->storing) {
			list_append(&v->store_dones, &done->link);
			done = NULL;
		}
	}
	if (start) {
		version_ref(v);
		v->store_job.run = store_run;
		pool_post(&v->index->pool, &v->store_job);
	}
	if (done)
		writer_post(v->index, done);
}

/* --- bodies that nobody fetches for now --- */

static void save_run(struct job *job)
{
	struct version *v = container_of(job, struct version, save_job);
	_cleanup_(cleanup_free) char *ranges = NULL;
	_cleanup_(cleanup_close) int fd = -1;
	bool saved = false;

	WITH_LOCK(&v->lock)
		if (v->state == VERSION_ARRIVING && v->body.kind == BODY_FILE) {
			fd = fcntl(v->body.fd, F_DUPFD_CLOEXEC, 3);
			ranges = ranges_render(&v->body.have);
		}
	/* On disk before the row says so: a crash may lose bytes, not invent them. */
	saved = fd >= 0 && ranges && fdatasync(fd) == 0;
	step("save");
	WITH_LOCK(&v->lock) {
		v->saving = false;
		saved = saved && v->state == VERSION_ARRIVING && v->body.kind == BODY_FILE;
		if (saved) {
			char *old = v->saved_ranges;

			v->saved = true;
			v->saved_ranges = ranges;
			ranges = old;
		}
	}
	if (saved)
		writer_sync(v, NULL, NULL);
	version_unref(v);
}

void version_save(struct version *v)
{
	bool start = false, current = false;

	WITH_LOCK(&v->index->lock)
		current = v->current && !v->transient && v->row;
	WITH_LOCK(&v->lock) {
		start = current && v->state == VERSION_ARRIVING && !v->saving &&
			v->body.kind == BODY_FILE && (v->meta->flags & META_RANGES);
		if (start)
			v->saving = true;
	}
	if (!start)
		return;
	version_ref(v);
	v->save_job.run = save_run;
	pool_post(&v->index->pool, &v->save_job);
}
