/* version_store.c - bodies come to rest: threads C, and F where that takes no longer than to
 * tell C. */
#include <errno.h>
#include <stdint.h>

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
	_cleanup_(meta_unrefp) struct meta *meta = version_meta(v);
	struct index *ix = v->index;
	struct body *b = &v->body;

	/* COMPLETE: nobody changes the body but us. */
	switch (b->kind) {
	case BODY_MEMORY:
		return store_put(ix->store, b->data, (size_t)v->length, v->key,
				 meta->content_type, ret);
	case BODY_FILE:
		return store_put_file(ix->store, b->fd, b->path, b->reserved, v->length, v->ino,
				      meta->content_type, ret);
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
		v->saved = false;	/* the file is the blob's now, or goes */
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

/* What an earlier run saved may have been damaged since: the store would give wrong bytes
 * right sums. What turns out to be missing is fetched when somebody reads it. */
static int make_sure(struct version *v)
{
	int64_t length = version_length(v);
	int err = version_verify(v, 0, length);

	if (err)
		return err;
	WITH_LOCK(&v->lock)
		if (v->body.kind == BODY_FILE && (v->state != VERSION_COMPLETE ||
						  !ranges_has(&v->body.have, 0, length)))
			err = -ESTALE;
	return err;
}

static void stored(struct version *v, const struct blob *blob)
{
	struct index *ix = v->index;

	index_worked(ix);
	drop_body(v, blob);
	if (store_may_train(ix->store))
		pack_start(ix);
	step("stored");
}

static void store_run(struct job *job)
{
	struct version *v = container_of(job, struct version, store_job);
	struct index *ix = v->index;
	struct blob blob = { .kind = BLOB_NONE };
	int err;

	err = make_sure(v);
	if (err) {
		finish(v, err);
		return;
	}
	err = put_body(v, &blob);
	if (err == -ENOSPC && v->body.kind != BODY_WINDOW_MEMORY) {
		make_room(ix, v->length);
		err = put_body(v, &blob);
	}
	if (!err) {
		stored(v, &blob);
	} else {
		count(unstored);
		if (err != -ENOSPC)
			index_failed(ix, "storing a body", err);
		log_debug("not stored: %s (%d)", v->key, err);
	}
	finish(v, err);
}

/* While small bodies come too fast to be packed (pace.h), waking C for each costs more than
 * what it would do. What goes wrong here is for C to find out again, and to mend. */
static bool store_here(struct version *v)
{
	_cleanup_(meta_unrefp) struct meta *meta = version_meta(v);
	struct blob blob;

	if (v->body.kind != BODY_MEMORY ||
	    store_put_later(v->index->store, v->body.data, (size_t)v->length,
			    meta->content_type, &blob) != 0)
		return false;
	stored(v, &blob);
	finish(v, 0);
	return true;
}

static void store_there(struct version *v)
{
	v->store_job.run = store_run;
	if (v->body.kind == BODY_FILE)
		pool_post_long(&v->index->pool, &v->store_job);
	else
		pool_post(&v->index->pool, &v->store_job);
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
		if (!store_here(v))
			store_there(v);
	}
	if (done)
		writer_post(v->index, done);
}
