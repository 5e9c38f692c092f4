/* writer.c - thread I: the only one that changes rows.
 *
 * Takes all that was posted since last time, does it in one transaction, and
 * calls everyone's done after the commit: under load batches grow by themselves,
 * an idle index commits at once. */
#include <errno.h>
#include <stdlib.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/step.h"
#include "ballast.h"
#include "index_private.h"

enum { TICK_MS = 1000, BATCH_MAX = 4096 };

struct op *op_new(enum op_kind kind)
{
	struct op *op = calloc(1, sizeof *op);

	if (op)
		op->kind = kind;
	return op;
}

void writer_post(struct index *ix, struct op *op)
{
	inbox_post(&ix->inbox, &op->link);
}

void writer_sync(struct version *v, void (*done)(void *, int), void *arg)
{
	struct op *op = op_new(OP_SYNC);

	if (!op) {
		if (done)
			done(arg, -ENOMEM);
		return;
	}
	op->v = version_ref(v);
	op->done = done;
	op->arg = arg;
	writer_post(v->index, op);
}

/* --- waiting for I --- */

struct call {
	pthread_mutex_t lock;
	pthread_cond_t finished;
	bool done;
	int err;
};

static void call_done(void *arg, int err)
{
	struct call *call = arg;

	WITH_LOCK(&call->lock) {
		call->done = true;
		call->err = err;
		pthread_cond_signal(&call->finished);
	}
}

int writer_call(struct index *ix, struct op *op)
{
	struct call call = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.finished = PTHREAD_COND_INITIALIZER,
	};

	op->done = call_done;
	op->arg = &call;
	writer_post(ix, op);
	WITH_LOCK(&call.lock)
		while (!call.done)
			pthread_cond_wait(&call.finished, &call.lock);
	return call.err;
}

/* --- one batch --- */

struct batch {
	struct index *ix;
	struct trash trash;
	bool evict;
	int64_t evict_bytes;
};

static void finish_ops(struct list *ops, int err)
{
	struct list *first;

	while ((first = list_pop(ops)) != NULL) {
		struct op *op = list_entry(first, struct op, link);

		if (op->done)
			op->done(op->arg, err ? err : op->err);
		version_unref(op->v);
		free(op);
	}
}

/* The rows of these were not written after all. */
static void unwrite(struct index *ix, struct list *ops)
{
	struct op *op;

	list_for_each(op, ops, link)
		if (op->kind == OP_SYNC)
			WITH_LOCK(&ix->lock) {
				if (op->first_row)
					op->v->row = false;
				if (op->new_kind)
					op->v->row_kind = op->was_kind;
			}
}

/* One bad row does not spoil the batch; a bad disk does. */
static bool is_of_disk(int err)
{
	return err == -EIO || err == -ENOSPC || err == -EBADMSG || err == -EROFS;
}

/* All of them in one transaction, or none. */
static int write_ops(struct batch *b, struct list *ops)
{
	struct index *ix = b->ix;
	int err = db_begin(ix->db);
	struct op *op;

	list_for_each(op, ops, link) {
		if (err)
			break;
		if (op->kind == OP_NOTHING)
			continue;
		op->err = op_run(ix, &b->trash, op);
		if (is_of_disk(op->err))
			err = op->err;
	}
	step("commit");
	if (!err)
		err = db_commit(ix->db);
	step("committed");
	if (!err)
		return 0;
	db_rollback(ix->db);
	unwrite(ix, ops);
	trash_undo(ix, &b->trash);
	return err;
}

static bool takes_away(const struct list *ops)
{
	struct op *op;

	list_for_each(op, ops, link)
		if (op->kind == OP_PURGE || op->kind == OP_DELETE)
			return true;
	return false;
}

/* How many were written at most; 0: that cannot be said. */
static int rows_of(const struct list *ops)
{
	struct op *op;
	int n = 0;

	list_for_each(op, ops, link) {
		if (op->kind == OP_SYNC)
			n++;
		else if (op->kind != OP_NOTHING)
			return 0;
	}
	return n;
}

static int write_batch(struct batch *b, struct list *ops)
{
	struct index *ix = b->ix;
	int err = write_ops(b, ops);

	/* Taking away must be possible also when the disk is full. */
	if (err == -ENOSPC && takes_away(ops) && ballast_drop(ix->dir))
		err = write_ops(b, ops);
	if (err) {
		index_damaged(ix, err);
		index_failed(ix, "index", err);
	} else {
		index_worked(ix);
	}
	housekeeping_count_index(ix, rows_of(ops));
	return err;
}

/* Takes out what is for behind the batch. True: there is something to write left. */
static bool sort_batch(struct batch *b, struct list *ops, struct list *between,
		       struct list *evicts)
{
	struct op *op, *next;
	bool writes = false;

	list_for_each_safe(op, next, ops, link) {
		if (op->kind != OP_EVICT && op->kind != OP_BETWEEN) {
			writes = writes || op->kind != OP_NOTHING;
			continue;
		}
		list_remove(&op->link);
		list_append(op->kind == OP_EVICT ? evicts : between, &op->link);
		if (op->kind == OP_EVICT) {
			b->evict = true;
			b->evict_bytes += op->bytes;
		}
	}
	return writes;
}

static void run_batch(struct index *ix, struct list *ops)
{
	struct batch b = { .ix = ix };
	struct list evicts = LIST_INIT(evicts), between = LIST_INIT(between);
	bool writes = sort_batch(&b, ops, &between, &evicts);
	struct op *op;
	int err = 0;

	if (writes) {
		err = write_batch(&b, ops);
		ix->wrote = true;
	}
	finish_ops(ops, err);
	trash_empty(ix, &b.trash);
	list_for_each(op, &between, link) {
		op->err = op->between(ix, op->run_arg);
		ix->wrote = true;
	}
	finish_ops(&between, 0);
	if (b.evict || space_excess(&ix->space) > 0)
		housekeeping_evict(ix, b.evict_bytes);
	finish_ops(&evicts, 0);
}

/* --- before there is a thread --- */

static int run_here(struct index *ix, int (*run)(struct index *, struct trash *, void *),
		    void *arg)
{
	struct trash trash = { .all = NULL };
	int err = db_begin(ix->db);

	if (err)
		return err;
	err = run(ix, &trash, arg);
	if (!err)
		err = db_commit(ix->db);
	if (err) {
		db_rollback(ix->db);
		trash_undo(ix, &trash);
	}
	trash_empty(ix, &trash);
	return err;
}

int writer_run(struct index *ix, int (*run)(struct index *, struct trash *, void *), void *arg)
{
	struct op *op;

	if (!ix->running)
		return run_here(ix, run, arg);
	op = op_new(OP_RUN);
	if (!op)
		return -ENOMEM;
	op->run = run;
	op->run_arg = arg;
	return writer_call(ix, op);
}

int writer_between(struct index *ix, int (*between)(struct index *ix, void *arg), void *arg)
{
	struct op *op = op_new(OP_BETWEEN);

	if (!op)
		return -ENOMEM;
	op->between = between;
	op->run_arg = arg;
	return writer_call(ix, op);
}

/* --- the thread --- */

static void *writer_main(void *arg)
{
	struct index *ix = arg;
	struct list posted = LIST_INIT(posted);
	int64_t tick = clock_mono_ms() + TICK_MS;
	bool last = false;

	ballast_keep(ix->dir, ballast_bytes(ix->config.size));
	db_adopt(ix->db);
	if (!ix->config.taken_over)
		housekeeping_leftovers(ix);
	orphans_start(ix);
	keys_start(ix);
	for (;;) {
		struct list ops = LIST_INIT(ops), *first;
		int n = 0;

		last = atomic_load(&ix->stopping);
		if (list_empty(&posted))
			inbox_wait(&ix->inbox, last ? 0 : tick, &posted);
		while (n < BATCH_MAX && (first = list_pop(&posted)) != NULL) {
			list_append(&ops, first);
			n++;
		}
		if (n)
			run_batch(ix, &ops);
		else if (last)
			break;
		if (clock_mono_ms() >= tick && !last) {
			housekeeping_tick(ix);
			tick = clock_mono_ms() + TICK_MS;
		}
	}
	return NULL;
}

int writer_start(struct index *ix)
{
	return -pthread_create(&ix->writer, NULL, writer_main, ix);
}

void writer_stop(struct index *ix)
{
	struct op *op = op_new(OP_NOTHING);

	atomic_store(&ix->stopping, true);
	if (op)
		writer_post(ix, op);	/* wakes it */
	pthread_join(ix->writer, NULL);
	db_adopt(ix->db);
}

void writer_drop_posted(struct index *ix)
{
	struct list ops = LIST_INIT(ops);

	inbox_take(&ix->inbox, &ops);
	finish_ops(&ops, -EINTR);
}
