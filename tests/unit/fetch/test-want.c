/* Each way in which a want is answered, against an origin that says what it is told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../../base/cleanup.h"
#include "../../../base/clock.h"
#include "../../../fetch/fetch.h"

#define STORED "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: \"1\"\r\nCache-Control: max-age=100"

/* --- the origin --- */

static struct {
	int listener;
	char url[64];
	pthread_t thread;
	pthread_mutex_t lock;
	const char *answer;	/* guarded by lock: head and body */
	int64_t zeros;		/* guarded by lock: sent behind it, */
	int64_t rest;		/* and those behind them after `more` */
	sem_t more;
	sem_t hold;		/* taken before each answer while held */
	_Atomic bool held;
	_Atomic int asked;
} origin;

static void send_zeros(int s, int64_t left)
{
	static const char zeros[1 << 16];

	for (ssize_t n = 0; left > 0; left -= n) {
		n = send(s, zeros, left < (int64_t)sizeof zeros ? (size_t)left : sizeof zeros,
			 MSG_NOSIGNAL);
		if (n <= 0)
			return;
	}
}

static void answer(int s)
{
	char request[4096];
	size_t len = 0;
	const char *text;
	int64_t zeros, rest;

	while (len < sizeof request - 1) {
		ssize_t n = recv(s, request + len, sizeof request - 1 - len, 0);

		if (n <= 0)
			return;
		len += (size_t)n;
		request[len] = '\0';
		if (strstr(request, "\r\n\r\n"))
			break;
	}
	atomic_fetch_add(&origin.asked, 1);
	if (atomic_load(&origin.held))
		sem_wait(&origin.hold);
	WITH_LOCK(&origin.lock) {
		text = origin.answer;
		zeros = origin.zeros;
		rest = origin.rest;
	}
	send(s, text, strlen(text), MSG_NOSIGNAL);
	send_zeros(s, zeros);
	if (rest > 0)
		sem_wait(&origin.more);
	send_zeros(s, rest);
}

static void *serve(void *unused)
{
	int s;

	(void)unused;
	while ((s = accept(origin.listener, NULL, NULL)) >= 0) {
		answer(s);
		close(s);
	}
	return NULL;
}

static void say_zeros(const char *text, int64_t zeros, int64_t rest)
{
	WITH_LOCK(&origin.lock) {
		origin.answer = text;
		origin.zeros = zeros;
		origin.rest = rest;
	}
}

static void say(const char *text)
{
	say_zeros(text, 0, 0);
}

static void origin_start(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof a;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	origin.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(origin.listener >= 0);
	assert_int_equal(bind(origin.listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(origin.listener, 16), 0);
	assert_int_equal(getsockname(origin.listener, (struct sockaddr *)&a, &len), 0);
	snprintf(origin.url, sizeof origin.url, "http://127.0.0.1:%d/", ntohs(a.sin_port));
	pthread_mutex_init(&origin.lock, NULL);
	sem_init(&origin.hold, 0, 0);
	sem_init(&origin.more, 0, 0);
	assert_int_equal(pthread_create(&origin.thread, NULL, serve, NULL), 0);
}

static void origin_stop(void)
{
	shutdown(origin.listener, SHUT_RDWR);
	pthread_join(origin.thread, NULL);
	close(origin.listener);
	sem_destroy(&origin.hold);
	sem_destroy(&origin.more);
	pthread_mutex_destroy(&origin.lock);
}

/* --- a fetch of it --- */

static char dir[64];
static struct index *ix;
static struct fetch *f;
static char key[128];

struct wish {
	struct want want;
	sem_t done;
	int err;
	enum cache_status status;
	struct version *v;	/* kept when keep is set */
	bool keep;
};

static void done(struct want *w, int err, struct version *v, int64_t fresh_ms)
{
	struct wish *wish = container_of(w, struct wish, want);

	(void)fresh_ms;
	wish->err = err;
	wish->status = w->status;
	if (wish->keep)
		wish->v = v;
	else
		version_unref(v);
	sem_post(&wish->done);
}

static void wish_for(struct wish *wish, unsigned flags)
{
	*wish = (struct wish){ .want.done = done };
	sem_init(&wish->done, 0, 0);
	fetch_want(f, key, flags, &wish->want);
}

static void wait_for(struct wish *wish)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	assert_int_equal(sem_timedwait(&wish->done, &until), 0);
	sem_destroy(&wish->done);
}

static void expect(int err, enum cache_status status)
{
	struct wish wish;

	wish_for(&wish, 0);
	wait_for(&wish);
	assert_int_equal(wish.err, err);
	assert_string_equal(cache_status_name(wish.status), cache_status_name(status));
}

static void wait_asked(int times)
{
	for (int i = 0; i < 3000 && atomic_load(&origin.asked) < times; i++)
		usleep(10000);
	assert_int_equal(atomic_load(&origin.asked), times);
}

static int begin(void **state)
{
	static int number;
	struct index_config config = { .dir = dir, .size = 1 << 26, .level = 3 };
	static const struct policies policies = { .general = {
		.ttl_ms = -1, .max_ttl_ms = -1, .max_object = -1, .negative_ttl_ms = 100000,
		.stale_if_error_ms = 1000000, .connect_timeout_ms = 10000,
		.stall_timeout_ms = 20000, .user_agent = "test", .rate = -1,
	} };
	struct fetch_config fetch = { .max_transfers = 4, .policies = &policies };
	char reason[256];

	(void)state;
	snprintf(dir, sizeof dir, "/tmp/test-want-XXXXXX");
	assert_non_null(mkdtemp(dir));
	origin_start();
	atomic_store(&origin.asked, 0);
	atomic_store(&origin.held, false);
	snprintf(key, sizeof key, "%sfile%d", origin.url, number++);
	assert_int_equal(index_open(&config, &ix, reason, sizeof reason), 0);
	assert_int_equal(index_start(ix), 0);
	fetch.index = ix;
	fetch.base_url = origin.url;
	assert_int_equal(fetch_new(&fetch, &f), 0);
	assert_int_equal(fetch_start(f), 0);
	return 0;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	fetch_stop(f);
	fetch_free(f);
	index_close(ix);
	origin_stop();
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

/* --- the statuses --- */

static void miss_then_hit(void **state)
{
	(void)state;
	say(STORED "\r\n\r\none");
	expect(0, CACHE_MISS);
	expect(0, CACHE_HIT);
	wait_asked(1);
}

static void revalidated(void **state)
{
	(void)state;
	say(STORED "\r\n\r\none");
	expect(0, CACHE_MISS);
	clock_shift_ms(200000);
	say("HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n");
	expect(0, CACHE_REVALIDATED);
	expect(0, CACHE_HIT);
	wait_asked(2);
}

static void expired(void **state)
{
	(void)state;
	say(STORED "\r\n\r\none");
	expect(0, CACHE_MISS);
	clock_shift_ms(200000);
	say("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: \"2\"\r\n"
	    "Cache-Control: max-age=100\r\n\r\ntwo");
	expect(0, CACHE_EXPIRED);
	expect(0, CACHE_HIT);
}

static void stale_when_the_origin_fails(void **state)
{
	(void)state;
	say(STORED "\r\n\r\none");
	expect(0, CACHE_MISS);
	clock_shift_ms(200000);
	say("HTTP/1.1 500 Odd\r\nContent-Length: 0\r\n\r\n");
	expect(0, CACHE_STALE);
}

/* The first one is answered at once and has it asked for behind; so are all who come
 * before that is answered. */
static void updating_while_it_is_asked_for_behind(void **state)
{
	(void)state;
	say(STORED ", stale-while-revalidate=1000\r\n\r\none");
	expect(0, CACHE_MISS);
	clock_shift_ms(200000);
	atomic_store(&origin.held, true);
	expect(0, CACHE_STALE);
	wait_asked(2);
	expect(0, CACHE_UPDATING);
	expect(0, CACHE_UPDATING);
	wait_asked(2);
	atomic_store(&origin.held, false);
	sem_post(&origin.hold);
}

static void bypass_of_what_may_not_be_stored(void **state)
{
	(void)state;
	say("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nCache-Control: no-store\r\n\r\none");
	expect(0, CACHE_BYPASS);
	expect(0, CACHE_BYPASS);
	wait_asked(2);
}

static void negative(void **state)
{
	(void)state;
	say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	expect(-ENOENT, CACHE_MISS);
	expect(-ENOENT, CACHE_NEGATIVE);
	wait_asked(1);
}

static void offline(void **state)
{
	struct wish wish;

	(void)state;
	say(STORED "\r\n\r\none");
	expect(0, CACHE_MISS);
	fetch_set_offline(f, true);
	clock_shift_ms(200000);
	expect(0, CACHE_STALE);
	wish_for(&wish, WANT_CACHED);
	wait_for(&wish);
	assert_int_equal(wish.err, 0);
	key[strlen(key) - 1] ^= 1;
	expect(-ENETDOWN, CACHE_MISS);
	wait_asked(1);
}

/* --- */

static void those_who_wait_for_the_same_share_a_request(void **state)
{
	struct wish wishes[10];

	(void)state;
	say(STORED "\r\n\r\none");
	atomic_store(&origin.held, true);
	for (size_t i = 0; i < 10; i++)
		wish_for(&wishes[i], 0);
	wait_asked(1);
	atomic_store(&origin.held, false);
	sem_post(&origin.hold);
	for (size_t i = 0; i < 10; i++) {
		wait_for(&wishes[i]);
		assert_int_equal(wishes[i].err, 0);
	}
	wait_asked(1);
}

static void who_leaves_is_not_called(void **state)
{
	struct wish first, second;

	(void)state;
	say(STORED "\r\n\r\none");
	atomic_store(&origin.held, true);
	wish_for(&first, 0);
	wish_for(&second, 0);
	wait_asked(1);
	assert_true(fetch_cancel(f, &first.want));
	atomic_store(&origin.held, false);
	sem_post(&origin.hold);
	wait_for(&second);
	assert_int_equal(second.err, 0);
	assert_int_equal(sem_trywait(&first.done), -1);
	sem_destroy(&first.done);
}

static void stop_lets_everyone_go(void **state)
{
	struct wish wish;

	(void)state;
	atomic_store(&origin.held, true);
	wish_for(&wish, 0);
	wait_asked(1);
	fetch_stop(f);
	wait_for(&wish);
	assert_int_equal(wish.err, -EINTR);
	say("");
	sem_post(&origin.hold);
}

/* --- bodies --- */

struct reader {
	struct waiter waiter;
	sem_t woken;
};

static void wake(struct waiter *w)
{
	sem_post(&container_of(w, struct reader, waiter)->woken);
}

static void read_all(struct version *v, int64_t from, int64_t end)
{
	struct reader r = { .waiter.wake = wake };

	sem_init(&r.woken, 0, 0);
	while (from < end) {
		struct bytes b = { .fd = -1 };
		int err = version_read(v, from, 1 << 17, &r.waiter, &b);

		if (err == -EAGAIN) {
			fetch_need(f, v, from, from + (1 << 17));
			sem_wait(&r.woken);
			continue;
		}
		assert_int_equal(err, 0);
		assert_true(b.len > 0);
		from += (int64_t)b.len;
		bytes_fini(&b);
	}
	sem_destroy(&r.woken);
}

/* Thread F may see a need when who had it was served long ago: there is nothing left to do,
 * least of all to fail the version because that cannot be had again. */
static void a_need_that_was_served_is_none(void **state)
{
	const int64_t length = 100 << 20, most = 90 << 20;
	struct wish wish = { .want.done = done, .keep = true };

	(void)state;
	say_zeros("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\nCache-Control: max-age=100\r\n\r\n",
		  most, length - most);
	sem_init(&wish.done, 0, 0);
	fetch_want(f, key, 0, &wish.want);
	wait_for(&wish);
	assert_int_equal(wish.err, 0);
	read_all(wish.v, 0, most);
	assert_int_equal(version_missing(wish.v, 0), 0);	/* no room for all of it */
	fetch_need(f, wish.v, 0, 4096);
	/* Time for thread F to see it; with less the test only notices less. */
	for (int i = 0; i < 20; i++) {
		assert_int_equal(version_state(wish.v), VERSION_ARRIVING);
		usleep(5000);
	}
	sem_post(&origin.more);
	read_all(wish.v, most, length);
	assert_int_equal(atomic_load(&origin.asked), 1);
	version_unref(wish.v);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(miss_then_hit),
		TEST(revalidated),
		TEST(expired),
		TEST(stale_when_the_origin_fails),
		TEST(updating_while_it_is_asked_for_behind),
		TEST(bypass_of_what_may_not_be_stored),
		TEST(negative),
		TEST(offline),
		TEST(those_who_wait_for_the_same_share_a_request),
		TEST(who_leaves_is_not_called),
		TEST(stop_lets_everyone_go),
		TEST(a_need_that_was_served_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
