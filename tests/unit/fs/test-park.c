/* Parked requests against a libfuse, a fetch and versions that are made here: each
 * request must be answered once, whatever comes first. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../base/counters.h"
#include "../../../fs/access.h"
#include "../../../fs/fs.h"
#include "../../../fs/reply.h"

#include <fuse_lowlevel.h>

/* --- requests, as lib/fuse_lowlevel.c keeps them --- */

struct fuse_req {
	pthread_mutex_t lock;
	fuse_interrupt_func_t func;	/* guarded by lock */
	void *data;
	bool interrupted;
	bool calling;			/* func runs: no need to disarm */
	_Atomic int replies;
	int err;
	size_t len;
};

static struct fuse_req *req_new(void)
{
	struct fuse_req *req = calloc(1, sizeof(*req));

	assert_non_null(req);
	pthread_mutex_init(&req->lock, NULL);
	return req;
}

static void req_free(struct fuse_req *req)
{
	pthread_mutex_destroy(&req->lock);
	free(req);
}

void fuse_req_interrupt_func(fuse_req_t req, fuse_interrupt_func_t func, void *data)
{
	pthread_mutex_lock(&req->lock);
	req->func = func;
	req->data = data;
	if (req->interrupted && func) {
		func(req, data);
		/* libfuse would free the request with its lock held. */
		assert_int_equal(atomic_load(&req->replies), 0);
	}
	pthread_mutex_unlock(&req->lock);
}

static void req_interrupt(struct fuse_req *req)
{
	pthread_mutex_lock(&req->lock);
	req->interrupted = true;
	/* fuse_free_req() takes the function away; libfuse holds a count meanwhile. */
	req->calling = true;
	if (req->func && atomic_load(&req->replies) == 0)
		req->func(req, req->data);
	req->calling = false;
	pthread_mutex_unlock(&req->lock);
}

static void answer_req(struct fuse_req *req, int err, size_t len)
{
	assert_true(!req->func || req->calling);
	req->err = err;
	req->len = len;
	atomic_fetch_add(&req->replies, 1);
}

void reply_err(struct fuse_req *req, int err)
{
	answer_req(req, err, 0);
}

void reply_failed(struct fuse_req *req, int err)
{
	answer_req(req, err, 0);
}

void reply_bytes(struct fuse_req *req, struct bytes *b)
{
	answer_req(req, 0, b->len);
}

/* --- a fetch --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list wants = LIST_INIT(wants);	/* guarded by lock */
static bool answer_at_once;
static struct fuse_req *interrupt_now;	/* just before it would wait */
static _Atomic int needs;

void fetch_want(struct fetch *f, const char *key, unsigned flags, struct want *w)
{
	(void)f;
	(void)key;
	(void)flags;
	if (interrupt_now)
		req_interrupt(interrupt_now);
	if (answer_at_once) {
		w->done(w, -ENOENT, NULL, 10);
		return;
	}
	WITH_LOCK(&lock)
		list_append(&wants, &w->link);
}

/* Directories are not what is tested here. */
void fetch_list(struct fetch *f, const char *key, struct dir_want *w)
{
	(void)f;
	(void)key;
	w->done(w, -ENODATA, NULL);
}

bool fetch_list_cancel(struct fetch *f, struct dir_want *w)
{
	(void)f;
	(void)w;
	return false;
}

bool fetch_cancel(struct fetch *f, struct want *w)
{
	bool queued = false;

	(void)f;
	WITH_LOCK(&lock) {
		queued = !list_empty(&w->link);
		list_remove(&w->link);
	}
	return queued;
}

static struct want *take_want(void)
{
	struct list *l = NULL;

	WITH_LOCK(&lock)
		l = list_pop(&wants);
	return l ? list_entry(l, struct want, link) : NULL;
}

void fetch_need(struct fetch *f, struct version *v, int64_t off, int64_t end)
{
	(void)f;
	(void)v;
	assert_true(off < end);
	atomic_fetch_add(&needs, 1);
}

/* --- a version --- */

struct version {
	_Atomic int refs;
	int64_t arrived, length;	/* guarded by lock */
	int err;
	struct list waiters;
};

static struct version body;

struct version *version_ref(struct version *v)
{
	atomic_fetch_add(&v->refs, 1);
	return v;
}

void version_unref(struct version *v)
{
	if (v)
		atomic_fetch_sub(&v->refs, 1);
}

void version_unrefp(struct version **v)
{
	version_unref(*v);
}

const char *version_key(const struct version *v)
{
	(void)v;
	return "http://a.example/";
}

/* No log is open. */
void access_note(struct fuse_req *req, const char *key, int err, struct version *v,
		 enum cache_status status, int http_status, int64_t since_ns)
{
	(void)req;
	(void)err;
	(void)v;
	(void)status;
	(void)http_status;
	(void)since_ns;
	fail_msg("%s", key);
}

int64_t version_length(struct version *v)
{
	return v->length;
}

int version_read(struct version *v, int64_t off, size_t len, struct waiter *w,
		 struct bytes *ret)
{
	int err = 0;

	if (interrupt_now && w)
		req_interrupt(interrupt_now);
	WITH_LOCK(&lock) {
		if (v->err)
			err = v->err;
		else if (off + (int64_t)len > v->arrived)
			err = -EAGAIN;
		if (err == -EAGAIN && w) {
			assert_true(list_empty(&w->link));
			list_append(&v->waiters, &w->link);
		}
	}
	*ret = (struct bytes){ .fd = -1, .len = len };
	return err;
}

bool version_cancel(struct version *v, struct waiter *w)
{
	bool queued = false;

	(void)v;
	WITH_LOCK(&lock) {
		queued = !list_empty(&w->link);
		list_remove(&w->link);
	}
	return queued;
}

static bool wake_one(void)
{
	struct list *l = NULL;

	WITH_LOCK(&lock)
		l = list_pop(&body.waiters);
	if (!l)
		return false;
	list_entry(l, struct waiter, link)->wake(list_entry(l, struct waiter, link));
	return true;
}

/* --- --- */

static void answered(struct fs *fs, struct fuse_req *req, void *arg, int err,
		     struct version *v, int64_t fresh_ms, enum cache_status status)
{
	(void)fs;
	(void)v;
	(void)fresh_ms;
	(void)status;
	assert_string_equal(arg, "arg");
	reply_err(req, err);
}

static int setup(void **state)
{
	static struct fs fs;

	list_init(&wants);
	answer_at_once = false;
	interrupt_now = NULL;
	atomic_store(&needs, 0);
	body = (struct version){ .length = 1000 };
	list_init(&body.waiters);
	*state = &fs;
	return park_init(&fs.park);
}

static int teardown(void **state)
{
	struct fs *fs = *state;
	bool empty = list_empty(&fs->park.all);

	park_fini(&fs->park);
	return empty && counter_value(COUNT_parked) == 0 && atomic_load(&body.refs) == 0 ? 0 : -1;
}

static void park_a_want(struct fs *fs, struct fuse_req *req)
{
	park_want(fs, req, "http://a/", 0, answered, strdup("arg"));
}

static void assert_answered(struct fuse_req *req, int err)
{
	assert_int_equal(atomic_load(&req->replies), 1);
	assert_int_equal(req->err, err);
	req_free(req);
}

static void test_a_want_is_answered_when_it_is_done(void **state)
{
	struct fuse_req *req = req_new();
	struct want *w;

	park_a_want(*state, req);
	assert_int_equal(atomic_load(&req->replies), 0);
	assert_int_equal(counter_value(COUNT_parked), 1);
	w = take_want();
	version_ref(&body);
	w->done(w, 0, &body, 10);
	assert_answered(req, 0);
}

static void test_a_want_may_be_done_before_it_is_parked(void **state)
{
	struct fuse_req *req = req_new();

	answer_at_once = true;
	park_a_want(*state, req);
	assert_answered(req, -ENOENT);
}

static void test_an_interrupt_cancels_a_want(void **state)
{
	struct fuse_req *req = req_new();

	park_a_want(*state, req);
	req_interrupt(req);
	assert_null(take_want());
	assert_answered(req, -EINTR);
}

static void test_an_interrupt_before_parking_counts(void **state)
{
	struct fuse_req *req = req_new();

	req_interrupt(req);
	park_a_want(*state, req);
	assert_null(take_want());
	assert_answered(req, -EINTR);

	req = req_new();
	req_interrupt(req);
	park_read(*state, req, &body, 0, 10);
	assert_false(wake_one());
	assert_answered(req, -EINTR);
}

static void test_an_interrupt_while_it_is_being_parked_counts(void **state)
{
	struct fuse_req *req = interrupt_now = req_new();

	park_a_want(*state, req);
	assert_null(take_want());
	assert_answered(req, -EINTR);

	req = interrupt_now = req_new();
	park_read(*state, req, &body, 0, 10);
	assert_false(wake_one());
	assert_answered(req, -EINTR);
}

static void test_an_interrupt_that_comes_too_late_does_nothing(void **state)
{
	struct fuse_req *req = req_new();
	struct want *w;

	park_a_want(*state, req);
	w = take_want();
	req_interrupt(req);
	assert_int_equal(atomic_load(&req->replies), 0);
	w->done(w, -EIO, NULL, 0);
	req_interrupt(req);
	assert_answered(req, -EIO);
}

static void test_a_read_of_what_is_there_is_not_parked(void **state)
{
	struct fuse_req *req = req_new();

	body.arrived = 100;
	park_read(*state, req, &body, 90, 10);
	assert_int_equal(req->len, 10);
	assert_int_equal(atomic_load(&needs), 0);
	assert_answered(req, 0);
}

static void test_a_read_tries_again_each_time_it_is_woken(void **state)
{
	struct fuse_req *req = req_new();

	park_read(*state, req, &body, 0, 10);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(atomic_load(&needs), i + 1);
		assert_true(wake_one());
		assert_int_equal(atomic_load(&req->replies), 0);
	}
	body.arrived = 10;
	assert_true(wake_one());
	assert_int_equal(req->len, 10);
	assert_answered(req, 0);
}

static void test_a_read_is_told_what_failed(void **state)
{
	struct fuse_req *req = req_new();

	park_read(*state, req, &body, 0, 10);
	body.err = -ETIMEDOUT;
	assert_true(wake_one());
	assert_answered(req, -ETIMEDOUT);
}

static void test_an_interrupt_cancels_a_read(void **state)
{
	struct fuse_req *req = req_new();

	park_read(*state, req, &body, 0, 10);
	req_interrupt(req);
	assert_false(wake_one());
	assert_answered(req, -EINTR);
}

static void test_drain_answers_everyone(void **state)
{
	struct fuse_req *reqs[20];

	for (int i = 0; i < 20; i++) {
		reqs[i] = req_new();
		if (i % 2)
			park_a_want(*state, reqs[i]);
		else
			park_read(*state, reqs[i], &body, i, 10);
	}
	park_drain(*state);
	for (int i = 0; i < 20; i++)
		assert_answered(reqs[i], -EINTR);
}

/* --- all at once --- */

#define STORM 3000

static struct fuse_req *storm[STORM];
static _Atomic int parked_n, ended;

static void *complete(void *arg)
{
	(void)arg;
	while (!atomic_load(&ended)) {
		struct want *w = take_want();

		if (w)
			w->done(w, -ENOENT, NULL, 0);
		if (!wake_one() && !w)
			sched_yield();
	}
	return NULL;
}

static void *interrupt_some(void *arg)
{
	(void)arg;
	for (int i = 0; i < STORM; i++) {
		while (atomic_load(&parked_n) < i)
			sched_yield();
		if (i % 3)
			req_interrupt(storm[i]);
	}
	return NULL;
}

static void test_each_is_answered_once_in_a_storm(void **state)
{
	pthread_t completer, interrupter;

	for (int i = 0; i < STORM; i++)
		storm[i] = req_new();
	pthread_create(&completer, NULL, complete, NULL);
	pthread_create(&interrupter, NULL, interrupt_some, NULL);
	for (int i = 0; i < STORM; i++) {
		if (i % 2)
			park_a_want(*state, storm[i]);
		else
			park_read(*state, storm[i], &body, 0, 10);
		atomic_store(&parked_n, i + 1);
		if (i == STORM / 2)
			WITH_LOCK(&lock)
				body.arrived = 10;
	}
	pthread_join(interrupter, NULL);
	park_drain(*state);
	atomic_store(&ended, 1);
	pthread_join(completer, NULL);
	for (int i = 0; i < STORM; i++) {
		assert_int_equal(atomic_load(&storm[i]->replies), 1);
		req_free(storm[i]);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_want_is_answered_when_it_is_done),
		TEST(test_a_want_may_be_done_before_it_is_parked),
		TEST(test_an_interrupt_cancels_a_want),
		TEST(test_an_interrupt_before_parking_counts),
		TEST(test_an_interrupt_while_it_is_being_parked_counts),
		TEST(test_an_interrupt_that_comes_too_late_does_nothing),
		TEST(test_a_read_of_what_is_there_is_not_parked),
		TEST(test_a_read_tries_again_each_time_it_is_woken),
		TEST(test_a_read_is_told_what_failed),
		TEST(test_an_interrupt_cancels_a_read),
		TEST(test_drain_answers_everyone),
		TEST(test_each_is_answered_once_in_a_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
