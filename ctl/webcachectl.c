/* webcachectl - a thin front for the files in .control of a mount.
 *
 * Exit status: 0; 1 when something failed or health is degraded; 2 for wrong usage or
 * failing health. */
#include "ctl.h"

#include <getopt.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "screen.h"

static const struct command *const commands[] = {
	&command_stats, &command_top, &command_transfers, &command_purge, &command_refresh,
	&command_warm, &command_explain, &command_check, &command_health,
};

#define COMMANDS_N (sizeof commands / sizeof *commands)

void die(int status, const char *fmt, ...)
{
	va_list ap;

	screen_end();
	fflush(stdout);
	fputs("webcachectl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(status);
}

static void print_usage(FILE *to, const struct command *c)
{
	fprintf(to, "usage: webcachectl [-m MOUNTPOINT] %s%s%s\n", c->name, *c->arguments ? " " : "",
		c->arguments);
}

void die_usage(const struct command *c)
{
	fflush(stdout);
	print_usage(stderr, c);
	fprintf(stderr, "See webcachectl %s --help.\n", c->name);
	exit(CTL_USAGE);
}

static void print_help(FILE *to)
{
	fputs("usage: webcachectl [-m MOUNTPOINT] COMMAND [ARGUMENT...]\n\n", to);
	for (size_t i = 0; i < COMMANDS_N; i++)
		fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n"
	      "  -m MOUNTPOINT  which mount; found when there is only one, or we are in it\n"
	      "  -h, --help     print this; behind a COMMAND: what it does\n"
	      "  -V, --version  print the version\n"
	      "\n"
	      "See webcachectl(1) and webcachefs-control(5).\n", to);
}

static int help_command(const struct command *c)
{
	print_usage(stdout, c);
	printf("%s\n%s%s", c->summary, *c->help ? "\n" : "", c->help);
	return CTL_DONE;
}

static bool wants_help(char **argv)
{
	for (; *argv && strcmp(*argv, "--") != 0; argv++)
		if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0)
			return true;
	return false;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS_N; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	die(CTL_USAGE, "no such command: %s; see --help", name);
}

static int run(int argc, char **argv)
{
	const struct command *c;

	if (strcmp(argv[0], "help") == 0) {
		if (argc > 1)
			return help_command(find(argv[1]));
		print_help(stdout);
		return CTL_DONE;
	}
	c = find(argv[0]);
	if (wants_help(argv + 1))
		return help_command(c);
	if (!mount_dir()[0] && !c->no_mount)
		mount_find();
	optind = 0;	/* each command reads its own options */
	return c->run(argc, argv);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { 0 }
	};
	int c, status;

	setlocale(LC_CTYPE, "");
	while ((c = getopt_long(argc, argv, "+m:hV", options, NULL)) != -1) {
		switch (c) {
		case 'm':
			mount_set(optarg);
			break;
		case 'h':
			print_help(stdout);
			return CTL_DONE;
		case 'V':
			puts("webcachectl " WEBCACHEFS_VERSION);
			return CTL_DONE;
		default:
			return CTL_USAGE;
		}
	}
	if (optind == argc) {
		print_help(stderr);
		return CTL_USAGE;
	}
	status = run(argc - optind, argv + optind);
	if (fflush(stdout) != 0)
		die(CTL_FAILED, "standard output: %m");
	return status;
}
