/* loop.c - thread F: one epoll for curl's sockets and our messages.
 *
 * curl_multi_socket_action() costs the same with one transfer as with thousands,
 * which curl_multi_perform() and curl_multi_poll() do not.
 *
 * A connection that curl keeps for reuse stays watched: an origin that sends
 * something on it unasked would have that taken for the answer to the next
 * request, so such a connection is shut down before curl uses it again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/cleanup.h"
#include "../base/log.h"
#include "fetch_private.h"

enum { TICK_MS = 100, EVENTS = 256 };

/* In epoll's data, above the descriptor. */
#define IDLE ((uint64_t)1 << 32)
#define WAKE ((uint64_t)1 << 33)

void loop_wake(void *fetch)
{
	struct fetch *f = fetch;
	uint64_t one = 1;
	ssize_t n = write(f->wake_fd, &one, sizeof one);

	(void)n;	/* full means that it is awake */
}

static void watch(struct fetch *f, curl_socket_t s, uint32_t events, uint64_t flags)
{
	struct epoll_event ev = { .events = events, .data.u64 = (uint32_t)s | flags };

	if (epoll_ctl(f->epoll, EPOLL_CTL_MOD, s, &ev) < 0 && errno == ENOENT &&
	    epoll_ctl(f->epoll, EPOLL_CTL_ADD, s, &ev) < 0)
		log_error("epoll: %s", strerror(errno));
}

void loop_watch_idle(struct fetch *f, curl_socket_t s)
{
	watch(f, s, EPOLLIN, IDLE);
}

static int on_socket(CURL *easy, curl_socket_t s, int what, void *fetch, void *unused)
{
	struct fetch *f = fetch;
	struct transfer *t = NULL;
	uint32_t events = 0;

	(void)unused;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
	if (what == CURL_POLL_REMOVE) {
		/* Kept for the next request, if it is not about to be closed (then
		 * epoll forgets it); else paused. */
		if (t && t->whole)
			loop_watch_idle(f, s);
		else
			epoll_ctl(f->epoll, EPOLL_CTL_DEL, s, NULL);
		return 0;
	}
	if (t)
		t->placed = true;
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	watch(f, s, events, 0);
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *fetch)
{
	struct fetch *f = fetch;

	(void)multi;
	f->curl_timeout_ms = timeout_ms < 0 ? -1 : clock_mono_ms() + timeout_ms;
	return 0;
}

int loop_open(struct fetch *f)
{
	struct epoll_event wake = { .events = EPOLLIN, .data.u64 = WAKE };

	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->curl_timeout_ms = -1;
	if (f->epoll < 0 || f->wake_fd < 0 ||
	    epoll_ctl(f->epoll, EPOLL_CTL_ADD, f->wake_fd, &wake) < 0)
		return -errno;
	if (getrandom(&f->random, sizeof f->random, 0) < 0)
		f->random = (uint32_t)clock_mono_ns();
	f->multi = curl_multi_init();
	if (!f->multi)
		return -ENOMEM;
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, 256L);
	return 0;
}

void loop_close(struct fetch *f)
{
	if (f->multi)
		curl_multi_cleanup(f->multi);
	if (f->epoll >= 0)
		close(f->epoll);
	if (f->wake_fd >= 0)
		close(f->wake_fd);
}

/* --- one turn --- */

static void take_messages(struct fetch *f)
{
	struct list messages = LIST_INIT(messages), *first;

	inbox_take(&f->inbox, &messages);
	while ((first = list_pop(&messages)) != NULL) {
		struct message *m = list_entry(first, struct message, link);

		if (m->kind == MESSAGE_START) {
			transfer_begin(container_of(m, struct transfer, start));
			continue;
		}
		if (m->kind == MESSAGE_LOOK) {
			look_answer(f, m);
			continue;
		}
		if (m->kind == MESSAGE_RESOLVED) {
			resolve_answer(f, m);
			continue;
		}
		fill_need(f, m->v, m->off, m->end);
		version_unref(m->v);
		free(m);
	}
}

static int wait_ms(const struct fetch *f)
{
	int64_t now = clock_mono_ms(), wait = -1;

	if (!list_empty(&f->active) || !list_empty(&f->waiting) || !list_empty(&f->queued))
		wait = TICK_MS;
	if (f->curl_timeout_ms >= 0 && (wait < 0 || f->curl_timeout_ms - now < wait))
		wait = f->curl_timeout_ms > now ? f->curl_timeout_ms - now : 0;
	return (int)wait;
}

/* curl sends a request before it tells what to wait for: then these bytes may be
 * the answer. */
static bool may_be_in_use(struct fetch *f)
{
	struct transfer *t;

	list_for_each(t, &f->active, link)
		if (t->added && !t->placed)
			return true;
	return false;
}

static void on_event(struct fetch *f, const struct epoll_event *ev)
{
	curl_socket_t s = (curl_socket_t)(uint32_t)ev->data.u64;
	int mask = 0, running;
	uint64_t count;

	if (ev->data.u64 & WAKE) {
		while (read(f->wake_fd, &count, sizeof count) > 0)
			;
		return;
	}
	if (ev->data.u64 & IDLE) {
		epoll_ctl(f->epoll, EPOLL_CTL_DEL, s, NULL);
		/* Bytes nobody asked for, or the end: curl finds it dead. */
		if (!may_be_in_use(f))
			shutdown(s, SHUT_RDWR);
		return;
	}
	if (ev->events & EPOLLIN)
		mask |= CURL_CSELECT_IN;
	if (ev->events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (ev->events & (EPOLLERR | EPOLLHUP))
		mask |= CURL_CSELECT_ERR | CURL_CSELECT_IN;
	curl_multi_socket_action(f->multi, s, mask, &running);
	fill_flush(f);
}

static void take_done(struct fetch *f)
{
	struct CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(f->multi, &left)) != NULL) {
		struct transfer *t = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
		transfer_done(t, msg->data.result);
	}
}

static struct transfer *next_to_resume(struct fetch *f)
{
	struct transfer *t;

	list_for_each(t, &f->active, link)
		if (t->room_again)
			return t;
	return NULL;
}

/* Each once: to resume one moves it in the list, and it may pause again at once. */
static void resume_for_room(struct fetch *f)
{
	struct transfer *t;

	list_for_each(t, &f->active, link)
		t->room_again = t->no_room;
	while ((t = next_to_resume(f)) != NULL) {
		t->room_again = t->no_room = false;
		transfer_resume(t);
	}
}

static void end_all(struct fetch *f)
{
	struct list *lists[] = { &f->active, &f->queued, &f->waiting };

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		while (!list_empty(lists[i]))
			transfer_abort(list_entry(lists[i]->next, struct transfer, link), -EINTR);
}

void *loop_main(void *fetch)
{
	struct fetch *f = fetch;
	struct epoll_event events[EVENTS];
	int64_t tick = 0;

	for (;;) {
		int64_t now;
		int n = epoll_wait(f->epoll, events, EVENTS, wait_ms(f)), running;

		/* Idle ones first: curl may close them, and their numbers be given to
		 * other sockets. */
		for (int i = 0; i < n; i++)
			if (events[i].data.u64 & IDLE)
				on_event(f, &events[i]);
		for (int i = 0; i < n; i++)
			if (!(events[i].data.u64 & IDLE))
				on_event(f, &events[i]);
		now = clock_mono_ms();
		if (f->curl_timeout_ms >= 0 && f->curl_timeout_ms <= now) {
			f->curl_timeout_ms = -1;
			curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
			fill_flush(f);
		}
		take_done(f);
		transfer_flush_unrecorded(f);
		take_messages(f);
		if (atomic_exchange(&f->room, false))
			resume_for_room(f);
		transfer_run_queue(f);
		if (now - tick >= TICK_MS) {
			transfer_tick(f, now);
			tick = now;
		}
		transfer_flush_unrecorded(f);
		if (atomic_load(&f->stopping))
			break;
	}
	take_messages(f);
	end_all(f);
	return NULL;
}
