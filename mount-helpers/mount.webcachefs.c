/* mount.webcachefs.c - what mount(8) runs for `-t webcachefs` and for fstab.
 *
 *   mount.webcachefs SOURCE DIR [-fnsv] [-t TYPE] [-o OPTIONS]
 *
 * Becomes the daemon's command, so its exit status is ours. All options are handed on:
 * the daemon itself knows which only concern mount(8). */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAEMON "webcachefs"

/* As mount(8) has them. */
enum { EXIT_USAGE = 1, EXIT_MOUNT = 32 };

enum { OPTIONS_MAX = 64 };	/* -o; mount(8) gives one with all of them */

struct call {
	const char *source, *dir;
	const char *options[OPTIONS_MAX];	/* as they were given */
	int n_options;
	bool fake, sloppy, verbose;
};

static int complain(const char *what, const char *words)
{
	fprintf(stderr, "mount.webcachefs: %s%s%s\n", what, words ? ": " : "", words ? words : "");
	return EXIT_USAGE;
}

static int usage(void)
{
	return complain("usage: mount.webcachefs SOURCE DIR [-fnsv] [-o OPTIONS]", NULL);
}

/* mount(8) puts SOURCE and DIR first, people put them anywhere. */
static int parse(int argc, char **argv, struct call *ret)
{
	int c;

	opterr = 0;
	while ((c = getopt(argc, argv, "-:fnsvt:N:o:")) >= 0) {
		switch (c) {
		case 1:
			if (ret->dir)
				return usage();
			*(ret->source ? &ret->dir : &ret->source) = optarg;
			break;
		case 'f':
			ret->fake = true;
			break;
		case 's':
			ret->sloppy = true;
			break;
		case 'v':
			ret->verbose = true;
			break;
		case 'n':	/* mtab is the kernel's */
		case 't':
			break;
		case 'o':
			if (ret->n_options == OPTIONS_MAX)
				return complain("-o", "too many of them");
			ret->options[ret->n_options++] = optarg;
			break;
		case 'N':
			return complain("-N", "mounting in another namespace is not supported");
		default:
			return usage();
		}
	}
	for (; optind < argc; optind++) {
		if (ret->dir)
			return usage();
		*(ret->source ? &ret->dir : &ret->source) = argv[optind];
	}
	return ret->source && ret->dir ? 0 : usage();
}

/* The daemon that belongs to this helper, installed or just built; else whichever PATH
 * has. */
static const char *find_daemon(char path[PATH_MAX])
{
	static const char *const places[] = { "", "../bin/", "../fs/" };
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (len < 0)
		return DAEMON;
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return DAEMON;
	slash[1] = '\0';
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		int n = snprintf(path, PATH_MAX, "%s%s" DAEMON, self, places[i]);

		if (n < PATH_MAX && access(path, X_OK) == 0)
			return path;
	}
	return DAEMON;
}

int main(int argc, char **argv)
{
	struct call call = { 0 };
	char path[PATH_MAX];
	const char *words[2 * OPTIONS_MAX + 6];
	const char *daemon;
	int n = 0, status = parse(argc, argv, &call);

	if (status != 0)
		return status;
	daemon = find_daemon(path);
	words[n++] = daemon;
	if (call.sloppy)
		words[n++] = "-s";
	for (int i = 0; i < call.n_options; i++)
		if (*call.options[i]) {
			words[n++] = "-o";
			words[n++] = call.options[i];
		}
	words[n++] = "--";
	words[n++] = call.source;
	words[n++] = call.dir;
	words[n] = NULL;
	/* Neither source nor options: there may be passwords in them. */
	if (call.verbose)
		printf("mount.webcachefs: %s %s on %s\n", call.fake ? "would run" : "running",
		       daemon, call.dir);
	if (call.fake)
		return EXIT_SUCCESS;
	fflush(stdout);
	execvp(daemon, (char *const *)words);
	complain(daemon, strerror(errno));
	return EXIT_MOUNT;
}
