/* options-tools.h - a mount point and a file to name in options. For the tests that go as
 * far as options_complete().
 *
 * make_top and remove_top are setup and teardown of a group. */
#ifndef TESTS_OPTIONS_TOOLS_H
#define TESTS_OPTIONS_TOOLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../fs/options.h"

static char top[] = "/tmp/test-options-XXXXXX";
static char mnt[64], cache[64], file[64];	/* in it; cache and file are not made */

static inline int make_top(void **state)
{
	(void)state;
	if (!mkdtemp(top))
		return -1;
	snprintf(mnt, sizeof mnt, "%s/mnt", top);
	snprintf(cache, sizeof cache, "%s/cache", top);
	snprintf(file, sizeof file, "%s/file", top);
	return mkdir(mnt, 0700);
}

static inline int remove_top(void **state)
{
	(void)state;
	unlink(file);
	rmdir(mnt);
	return rmdir(top);
}

static inline void write_file(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

#endif
