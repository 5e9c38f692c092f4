/* multi.c - many transfers at a time through curl_multi_poll() and through
 * curl_multi_socket_action() with epoll, which is what thread F does.
 *
 * multi [CONCURRENT [REQUESTS [DELAY_MS [ROUNDS]]]] - default 1000 6000 1000 3
 * Prints per round and way: seconds, CPU seconds of the client, requests per CPU second.
 * The origin is a process of its own on loopback, which answers 2,000 bytes to each
 * request DELAY_MS after it came.
 *
 * cc -O2 bench/multi.c -o multi -lcurl */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <curl/curl.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SOCKETS 65536

static int concurrent = 1000, requests = 6000, delay_ms = 1000;
static char url[64];

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- the origin: all wait equally long, so they are due in the order they came --- */

struct due {
	int64_t at_ms;
	int fd;
};

static void answer(int fd)
{
	static char text[2100];
	static int len;

	if (!len) {
		len = snprintf(text, sizeof text,
			       "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n");
		memset(text + len, 'x', 2000);
		len += 2000;
	}
	if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		close(fd);
}

static void accept_all(int epoll, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
	}
}

static void serve(int listener)
{
	static struct due queue[SOCKETS];
	size_t first = 0, last = 0;
	int epoll = epoll_create1(0);
	struct epoll_event events[256], ev = { .events = EPOLLIN, .data.fd = listener };

	fcntl(listener, F_SETFL, O_NONBLOCK);
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev);
	for (;;) {
		int n = epoll_wait(epoll, events, 256, first == last ? -1 : 1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			char request[4096];

			if (fd == listener)
				accept_all(epoll, listener);
			else if (recv(fd, request, sizeof request, 0) > 0)
				queue[last++ % SOCKETS] = (struct due){ now_ms() + delay_ms, fd };
			else
				close(fd);
		}
		while (first != last && queue[first % SOCKETS].at_ms <= now_ms())
			answer(queue[first++ % SOCKETS].fd);
	}
}

static pid_t start_origin(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof a;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(listener, 4096) < 0 ||
	    getsockname(listener, (struct sockaddr *)&a, &len) < 0)
		err(1, "listening");
	snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(a.sin_port));
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0)
		serve(listener);
	close(listener);
	return pid;
}

/* --- the client --- */

static int started, ended, failed;

static size_t drop(char *data, size_t size, size_t n, void *unused)
{
	(void)data;
	(void)unused;
	return size * n;
}

static void add(CURLM *multi)
{
	CURL *e = curl_easy_init();

	if (!e)
		errx(1, "no memory");
	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, drop);
	curl_multi_add_handle(multi, e);
	started++;
}

static void take_done(CURLM *multi)
{
	struct CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(multi, &left)) != NULL) {
		CURL *e = msg->easy_handle;

		if (msg->msg != CURLMSG_DONE)
			continue;
		failed += msg->data.result != CURLE_OK;
		ended++;
		curl_multi_remove_handle(multi, e);
		curl_easy_cleanup(e);
		if (started < requests)
			add(multi);
	}
}

static void with_poll(CURLM *multi)
{
	int running;

	while (ended < requests) {
		curl_multi_perform(multi, &running);
		take_done(multi);
		curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
}

static int epoll;
static int64_t timer_ms = -1;

static int on_socket(CURL *easy, curl_socket_t s, int what, void *unused, void *known)
{
	struct epoll_event ev = { .data.fd = s };

	(void)easy;
	(void)unused;
	(void)known;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(epoll, EPOLL_CTL_DEL, s, NULL);
		return 0;
	}
	ev.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	if (epoll_ctl(epoll, EPOLL_CTL_MOD, s, &ev) < 0)
		epoll_ctl(epoll, EPOLL_CTL_ADD, s, &ev);
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *unused)
{
	(void)multi;
	(void)unused;
	timer_ms = ms < 0 ? -1 : now_ms() + ms;
	return 0;
}

static void with_sockets(CURLM *multi)
{
	struct epoll_event events[256];
	int running;

	while (ended < requests) {
		int64_t wait = timer_ms < 0 ? 1000 : timer_ms - now_ms();
		int n = epoll_wait(epoll, events, 256, wait > 0 ? (int)wait : 0);

		for (int i = 0; i < n; i++) {
			uint32_t now = events[i].events;
			int mask = (now & EPOLLIN ? CURL_CSELECT_IN : 0) |
				   (now & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
				   (now & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

			curl_multi_socket_action(multi, events[i].data.fd, mask, &running);
		}
		if (timer_ms >= 0 && timer_ms <= now_ms()) {
			timer_ms = -1;
			curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
		}
		take_done(multi);
	}
}

static int run(bool sockets)
{
	CURLM *multi = curl_multi_init();

	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)concurrent);
	if (sockets) {
		epoll = epoll_create1(0);
		curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
		curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	}
	while (started < concurrent && started < requests)
		add(multi);
	if (sockets)
		with_sockets(multi);
	else
		with_poll(multi);
	return failed != 0;
}

/* In a process of its own, so that what it used is told by the kernel. */
static double measure(bool sockets)
{
	int64_t begin = now_ms();
	struct rusage used;
	double cpu;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run(sockets));
	if (pid < 0 || wait4(pid, &status, 0, &used) < 0)
		err(1, "client");
	if (status != 0)
		errx(1, "transfers failed");
	cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	      (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	printf("%-8s %6.2f s %6.2f CPU s %8.0f requests/CPU s\n", sockets ? "socket" : "poll",
	       (double)(now_ms() - begin) / 1000, cpu, requests / cpu);
	fflush(stdout);
	return cpu;
}

int main(int argc, char **argv)
{
	int rounds = argc > 4 ? atoi(argv[4]) : 3;
	struct rlimit files = { SOCKETS, SOCKETS };
	pid_t origin;

	if (argc > 1)
		concurrent = atoi(argv[1]);
	if (argc > 2)
		requests = atoi(argv[2]);
	if (argc > 3)
		delay_ms = atoi(argv[3]);
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		warn("%d descriptors", SOCKETS);
	curl_global_init(CURL_GLOBAL_ALL);
	origin = start_origin();
	for (int i = 0; i < rounds; i++) {
		double poll = measure(false), sockets = measure(true);

		printf("ratio    %6.2f of the CPU\n", poll / sockets);
	}
	kill(origin, SIGTERM);
	waitpid(origin, NULL, 0);
	return 0;
}
