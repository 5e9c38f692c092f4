/* version.c - the meeting point of the threads: see version.h. */
#include "version.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/counters.h"
#include "../base/log.h"
#include "index_private.h"

struct version *version_new(struct index *ix, uint64_t ino, const char *key, struct meta *meta)
{
	size_t len = strlen(key) + 1;
	struct version *v = calloc(1, sizeof *v + len);

	if (!v)
		return NULL;
	memcpy(v->key, key, len);
	v->index = ix;
	v->ino = ino;
	v->meta = meta_ref(meta);
	v->length = meta->length;
	v->refs = 1;
	v->row_kind = BLOB_ARRIVING;
	pthread_mutex_init(&v->lock, NULL);
	list_init(&v->waiters);
	list_init(&v->room_link);
	list_init(&v->store_dones);
	body_init(&v->body);
	return v;
}

void version_free(struct version *v)
{
	struct index *ix = v->index;
	/* A row that could not be written, or was no longer to be, does not lead to the bytes. */
	bool keep_blob = v->row && !v->doomed && v->stored && v->row_kind == v->blob.kind;
	bool keep_file = v->row && !v->doomed && v->saved && v->row_kind == BLOB_PARTIAL;
	bool delete_row = v->row && !keep_blob && !keep_file;

	assert(list_empty(&v->waiters));
	if (delete_row) {
		struct op *op = op_new(OP_DELETE);

		if (op) {
			op->ino = v->ino;
			writer_post(ix, op);
		}
	}
	if (keep_file)
		body_settle(&v->body, &ix->place, &v->lock);
	body_fini(&v->body, &ix->place, keep_file);
	/* What has no row is never found again: it was purged or superseded while it was
	 * being stored. */
	if (v->stored && !keep_blob)
		store_delete(ix->store, &v->blob);
	meta_unref(v->meta);
	free(v->saved_text);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

void version_forget(struct version *v)
{
	v->row = v->stored = false;
	body_fini(&v->body, &v->index->place, true);
	version_free(v);
}

/* --- references --- */

struct version *version_ref(struct version *v)
{
	WITH_LOCK(&v->index->lock)
		v->refs++;
	return v;
}

void version_drop_key(struct version *v)
{
	if (v->promised)
		map_remove(&v->index->by_promise, &v->promise_node);
	v->promised = false;
	if (!v->current)
		return;
	v->current = false;
	map_remove(&v->index->by_key, &v->key_node);
}

void version_unref(struct version *v)
{
	struct index *ix;
	bool last = false, save = false;

	if (!v)
		return;
	ix = v->index;
	WITH_LOCK(&ix->lock) {
		assert(v->refs > 0);
		save = v->refs == 1 && version_save_wanted(v);
		if (!save && --v->refs == 0) {
			last = true;
			version_drop_key(v);
			map_remove(&ix->by_ino, &v->ino_node);
			list_remove(&v->room_link);
		}
	}
	if (save)
		version_save_last(v);
	else if (last)
		version_free(v);
}

void version_unrefp(struct version **v)
{
	version_unref(*v);
	*v = NULL;
}

/* --- plain questions --- */

uint64_t version_ino(const struct version *v)
{
	return v->ino;
}

const char *version_key(const struct version *v)
{
	return v->key;
}

enum version_state version_state(struct version *v)
{
	enum version_state state;

	WITH_LOCK(&v->lock)
		state = v->state;
	return state;
}

int64_t version_length(struct version *v)
{
	int64_t length;

	WITH_LOCK(&v->lock)
		length = v->length;
	return length;
}

int64_t version_stored(struct version *v)
{
	int64_t stored;

	WITH_LOCK(&v->lock)
		stored = v->stored ? (int64_t)v->blob.stored : ranges_total(&v->body.have);
	return stored;
}

struct meta *version_meta(struct version *v)
{
	struct meta *meta;

	WITH_LOCK(&v->lock)
		meta = meta_ref(v->meta);
	return meta;
}

bool version_is_current(struct version *v)
{
	bool current;

	WITH_LOCK(&v->index->lock)
		current = v->current;
	return current;
}

bool version_is_trusted(struct version *v)
{
	bool refresh = false;

	WITH_LOCK(&v->lock)
		refresh = v->meta->flags & META_REFRESH;
	return !refresh && (version_is_current(v) || version_is_promise(v));
}

void version_touch(struct version *v)
{
	recency_mark(v->index->recency, v->ino);
}

/* --- birth --- */

/* Whether the body of v could be completed later: the origin does ranges and a
 * strong validator tells that they belong together (RFC 9110 13.1.5). */
bool version_resumable(const struct meta *meta)
{
	return (meta->flags & META_RANGES) && !(meta->flags & META_DECODED) &&
	       ((meta->etag && strncmp(meta->etag, "W/", 2) != 0) ||
		(meta->last_modified && !(meta->flags & META_WEAK_DATE)));
}

struct version *version_load(struct index *ix, struct record *r)
{
	struct saved_map saved = SAVED_MAP_INIT;
	struct version *v;

	if (r->blob.kind == BLOB_ARRIVING)
		return NULL;		/* of a run that ended before it was whole */
	v = version_new(ix, r->ino, r->key, r->meta);
	if (!v)
		return NULL;
	v->row = v->record_asked = true;
	v->row_kind = r->blob.kind;
	if (r->blob.kind != BLOB_PARTIAL) {
		v->state = VERSION_COMPLETE;
		v->blob = r->blob;
		v->stored = true;
		v->length = (int64_t)r->blob.length;
		return v;
	}
	v->state = VERSION_ARRIVING;
	if (!version_resumable(r->meta) || !r->ranges ||
	    saved_map_parse(r->ranges, &saved) < 0 ||
	    body_reopen(&v->body, &ix->place, r->ino, &saved) < 0) {
		saved_map_fini(&saved);
		version_free(v);	/* its row goes with it */
		return NULL;
	}
	v->saved = true;
	v->saved_text = TAKE_PTR(r->ranges);
	return v;
}

void version_publish(struct version *v)
{
	struct index *ix = v->index;
	/* The new row replaces the old one in one transaction (writer.c). */
	struct map_node *node = map_find(&ix->by_key, map_hash_str(v->key), index_same_key, v->key);

	if (node)
		version_drop_key(container_of(node, struct version, key_node));
	v->current = map_add(&ix->by_key, &v->key_node, map_hash_str(v->key)) == 0;
}

int version_begin(struct index *ix, const char *key, struct meta *meta, bool transient,
		  struct version **ret)
{
	uint64_t ino = index_next_ino(ix);
	struct version *v;
	bool published = false;

	if (!ino)
		return -EIO;
	v = version_new(ix, ino, key, meta);
	if (!v)
		return -ENOMEM;
	v->transient = transient;
	v->state = meta->length == 0 ? VERSION_COMPLETE : VERSION_ARRIVING;
	WITH_LOCK(&ix->lock) {
		if (map_add(&ix->by_ino, &v->ino_node, map_hash_u64(ino)) < 0)
			break;
		published = true;
		if (!transient)
			version_publish(v);
	}
	if (!published) {
		version_free(v);
		return -ENOMEM;
	}
	*ret = v;
	return 0;
}

/* --- reading --- */

static bool same_blob(const struct blob *a, const struct blob *b)
{
	return a->kind == b->kind && a->id == b->id && a->offset == b->offset;
}

/* The stored bytes of v turned out to be gone or damaged. Back to ARRIVING when
 * the origin can give the very same bytes again. Returns what to answer;
 * -EAGAIN: look again. */
static int lose_blob(struct version *v, const struct blob *seen, int err)
{
	struct index *ix = v->index;
	bool lost = false, was_row = false;
	struct op *op;

	WITH_LOCK(&ix->lock) {
		WITH_LOCK(&v->lock) {
			lost = v->stored && same_blob(&v->blob, seen);
			if (!lost)
				break;	/* evicted or moved meanwhile */
			v->stored = false;
			v->read_high = 0;
		}
		if (!lost)
			break;
		was_row = v->row;
		v->row = false;
		version_drop_key(v);
	}
	if (!lost)
		return -EAGAIN;
	count(corrupt);
	log_warn("stored body of %s is damaged (%s): fetched again", v->key, strerror(-err));
	op = was_row ? op_new(OP_DELETE) : NULL;
	/* A place in a segment goes with its row: while there is one it may be given
	 * back through that, and must not be twice. */
	if (op && seen->kind == BLOB_SEGMENT)
		op->blob = *seen;
	else
		store_delete(ix->store, seen);
	if (op) {
		op->ino = v->ino;
		writer_post(ix, op);
	}
	if (ix->config.stale_names)
		ix->config.stale_names(ix->config.arg);
	return -EAGAIN;
}

static int read_blob(struct version *v, const struct blob *blob, int64_t off, size_t len,
		     struct bytes *ret)
{
	struct store *store = v->index->store;
	int64_t pos;
	int fd = store_fd(store, blob, off, len, &pos), err;

	if (fd >= 0) {
		*ret = (struct bytes){ .fd = fd, .own_fd = true, .pos = pos + off, .len = len };
		return 0;
	}
	if (fd != -ENOTSUP)
		return fd;
	*ret = (struct bytes){ .fd = -1, .len = len, .data = malloc(len) };
	if (!ret->data)
		return -ENOMEM;
	err = store_read(store, blob, off, len, ret->data);
	if (err)
		free(TAKE_PTR(ret->data));
	return err;
}

/* One look: 0, -EAGAIN (w queued), -EINPROGRESS: read *ret_blob; -EUCLEAN: verify it. */
static int read_locked(struct version *v, int64_t off, size_t *len, struct waiter *w,
		       struct bytes *ret, struct blob *ret_blob)
{
	if (v->state == VERSION_FAILED)
		return v->error;
	if (v->length >= 0 && (off >= v->length || *len == 0)) {
		*ret = (struct bytes){ .fd = -1 };
		return 0;
	}
	if (v->length >= 0 && (int64_t)*len > v->length - off)
		*len = (size_t)(v->length - off);
	v->used_ms = clock_mono_ms();
	if (off + (int64_t)*len > v->read_high)
		v->read_high = off + (int64_t)*len;
	if (v->body.kind != BODY_NONE && ranges_has(&v->body.have, off, off + (int64_t)*len)) {
		if (saved_map_doubt(&v->body.saved, off, off + (int64_t)*len))
			return -EUCLEAN;
		v->read_bytes += (int64_t)*len;
		return body_read(&v->body, off, *len, ret);
	}
	if (v->state == VERSION_COMPLETE && v->stored) {
		v->read_bytes += (int64_t)*len;
		*ret_blob = v->blob;
		return -EINPROGRESS;
	}
	if (v->state == VERSION_COMPLETE) {
		/* Fell out of the window: the origin may have it once more. */
		if (!version_resumable(v->meta))
			return -ESTALE;
		v->state = VERSION_ARRIVING;
	}
	if (w) {
		w->off = off;
		w->end = off + (int64_t)*len;
		list_append(&v->waiters, &w->link);
	}
	return -EAGAIN;
}

int version_read(struct version *v, int64_t off, size_t len, struct waiter *w,
		 struct bytes *ret)
{
	for (;;) {
		struct blob blob;
		void (*room)(void *) = NULL;
		void *room_arg = NULL;
		int err;

		WITH_LOCK(&v->lock) {
			err = read_locked(v, off, &len, w, ret, &blob);
			if (v->body.kind == BODY_WINDOW_MEMORY ||
			    atomic_load(&v->body.no_room)) {
				room = v->room;
				room_arg = v->room_arg;
			}
		}
		if (room)
			room(room_arg);
		if (err == -EUCLEAN) {
			err = version_verify(v, off, off + (int64_t)len);
			if (err)
				return err;
			continue;
		}
		if (err != -EINPROGRESS)
			return err;
		err = read_blob(v, &blob, off, len, ret);
		if (err != -EBADMSG && err != -ENOENT && err != -EIO)
			return err;
		err = lose_blob(v, &blob, err);
		if (err != -EAGAIN)
			return err;
	}
}

bool version_cancel(struct version *v, struct waiter *w)
{
	bool queued;

	WITH_LOCK(&v->lock) {
		queued = !list_empty(&w->link);
		list_remove(&w->link);
	}
	return queued;
}

void bytes_fini(struct bytes *b)
{
	free(b->data);
	if (b->own_fd && b->fd >= 0)
		close(b->fd);
	*b = (struct bytes){ .fd = -1 };
}

int64_t version_wanted(struct version *v, int64_t from, int64_t *ret_end)
{
	struct waiter *w;
	int64_t off = -1;

	WITH_LOCK(&v->lock)
		list_for_each(w, &v->waiters, link) {
			int64_t missing = ranges_missing(&v->body.have, w->off);

			if (missing < from || (off >= 0 && missing >= off))
				continue;
			off = missing;
			*ret_end = w->end;
		}
	return off;
}

int64_t version_read_high(struct version *v)
{
	int64_t high;

	WITH_LOCK(&v->lock)
		high = v->read_high;
	return high;
}

int64_t version_missing(struct version *v, int64_t off)
{
	int64_t missing;

	WITH_LOCK(&v->lock) {
		missing = v->stored ? v->length : ranges_missing(&v->body.have, off);
		if (v->length >= 0 && missing > v->length)
			missing = v->length;
	}
	return missing;
}

int64_t version_hole_end(struct version *v, int64_t off)
{
	int64_t next;

	WITH_LOCK(&v->lock) {
		next = ranges_next(&v->body.have, off);
		if (v->length >= 0 && next > v->length)
			next = v->length;
	}
	return next;
}
