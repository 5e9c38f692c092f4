/* openread.c - opens, fstats, reads and closes random files of a list, over and
 * over, and prints how often that went per second.
 *
 * openread FOLDER LIST SECONDS PROCESSES: LIST holds a name a line. A file that
 * is shorter than its fstat says ends it with an error. */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char **names;
static size_t names_n;
static char buf[4 << 20];

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
	if (names_n == 0)
		errx(1, "%s: empty", path);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void open_read_close(const char *name)
{
	int fd = open(name, O_RDONLY);
	struct stat st;
	off_t got = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		err(1, "%s", name);
	while (got < st.st_size) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n <= 0)
			err(1, "%s: short", name);
		got += n;
	}
	close(fd);
}

static uint64_t run(double seconds, uint64_t seed)
{
	double end = now() + seconds;
	uint64_t done = 0;

	while (now() < end) {
		for (int i = 0; i < 64; i++, done++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			open_read_close(names[seed % names_n]);
		}
	}
	return done;
}

int main(int argc, char **argv)
{
	uint64_t total = 0, done;
	double seconds;
	int count[2];

	if (argc != 5)
		errx(2, "usage: openread FOLDER LIST SECONDS PROCESSES");
	read_list(argv[2]);
	seconds = atof(argv[3]);
	if (chdir(argv[1]) < 0 || pipe(count) < 0)
		err(1, "%s", argv[1]);
	for (int i = 0; i < atoi(argv[4]); i++) {
		if (fork() != 0)
			continue;
		done = run(seconds, 88172645463325252ULL + (uint64_t)i * 7919);
		if (write(count[1], &done, sizeof(done)) != sizeof(done))
			err(1, "pipe");
		_exit(0);
	}
	for (int i = 0, status; i < atoi(argv[4]); i++) {
		if (wait(&status) < 0 || status != 0)
			errx(1, "a process failed");
		if (read(count[0], &done, sizeof(done)) != sizeof(done))
			err(1, "pipe");
		total += done;
	}
	printf("%.0f\n", (double)total / seconds);
	return 0;
}
