#include "../base/counters.h"
#include "../base/histogram.h"
#include "../base/origins.h"
#include "control_files.h"

/* Whatever is written: `echo > reset` is as clear as `echo 1 > reset`. */
int control_reset_act(struct fs *fs, const struct control_writer *by, const char *text, size_t len)
{
	(void)fs;
	(void)by;
	(void)text;
	(void)len;
	counters_reset();
	histograms_reset();
	origins_reset();
	return 0;
}
