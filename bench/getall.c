/* getall.c - gets each name of a list once, with some threads, and prints the
 * seconds and bytes that took.
 *
 * getall path FOLDER LIST THREADS reads files, getall http PORT LIST THREADS
 * asks 127.0.0.1 over one kept connection a thread. Anything but a whole file, or
 * a 200 with a Content-Length, ends it with an error. */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE (256 * 1024)

static char **names;
static size_t names_n;
static atomic_size_t next_name;
static atomic_uint_fast64_t total;
static bool over_http;
static const char *where;

static void read_list(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[4096];

	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		names = realloc(names, (names_n + 1) * sizeof(*names));
		names[names_n++] = strdup(line);
	}
	fclose(file);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void get_path(const char *name, char *buf)
{
	int fd = open(name, O_RDONLY);
	struct stat st;
	off_t got = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		err(1, "%s", name);
	while (got < st.st_size) {
		ssize_t n = read(fd, buf, PIECE);

		if (n <= 0)
			err(1, "%s: short", name);
		got += n;
	}
	close(fd);
	total += (uint64_t)got;
}

static int connect_to(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		err(1, "port %d", port);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* The header section is in buf[0, len) and ends at the empty line. */
static uint64_t body_length(const char *name, const char *head)
{
	const char *field = strcasestr(head, "\r\nContent-Length:");

	if (strncmp(head, "HTTP/1.1 200", 12) != 0 || !field)
		errx(1, "%s: %.40s", name, head);
	return strtoull(field + 17, NULL, 10);
}

static void get_http(int fd, const char *name, char *buf)
{
	size_t len = 0;
	uint64_t body, got;
	char *end;
	int n = snprintf(buf, PIECE, "GET /%s HTTP/1.1\r\nHost: bench\r\n\r\n", name);

	if (write(fd, buf, (size_t)n) != n)
		err(1, "%s", name);
	for (;;) {
		ssize_t r = read(fd, buf + len, PIECE - 1 - len);

		if (r <= 0)
			err(1, "%s: the connection ended", name);
		len += (size_t)r;
		buf[len] = '\0';
		end = strstr(buf, "\r\n\r\n");
		if (end)
			break;
	}
	got = len - (size_t)(end + 4 - buf);
	end[2] = '\0';
	body = body_length(name, buf);
	while (got < body) {
		ssize_t r = read(fd, buf, PIECE - 1);

		if (r <= 0)
			err(1, "%s: the body ended early", name);
		got += (uint64_t)r;
	}
	if (got != body)
		errx(1, "%s: more bytes than announced", name);
	total += body;
}

static void *work(void *arg)
{
	int fd = over_http ? connect_to(atoi(where)) : -1;
	char *buf = malloc(PIECE);
	size_t i;

	(void)arg;
	while ((i = next_name++) < names_n) {
		if (over_http)
			get_http(fd, names[i], buf);
		else
			get_path(names[i], buf);
	}
	free(buf);
	if (fd >= 0)
		close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[256];
	double start;
	int n;

	if (argc != 5 || (n = atoi(argv[4])) < 1 || n > 256)
		errx(2, "usage: getall path FOLDER|http PORT LIST THREADS");
	over_http = strcmp(argv[1], "http") == 0;
	where = argv[2];
	read_list(argv[3]);
	if (!over_http && chdir(where) < 0)
		err(1, "%s", where);
	start = now();
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			errx(1, "no thread");
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	printf("%.6f %llu\n", now() - start, (unsigned long long)total);
	return 0;
}
