#include "control_files.h"
#include "fs.h"

/* The first word decides; the rest is for people. */
int control_health_render(struct fs *fs, struct buf *to)
{
	char reason[256] = "";

	switch (index_health(fs->index, reason, sizeof reason)) {
	case HEALTH_OK:
		buf_str_append(to, "ok\n");
		break;
	case HEALTH_DEGRADED:
		buf_printf(to, "degraded: %s\n", reason);
		break;
	case HEALTH_FAILING:
		buf_printf(to, "failing: %s\n", reason);
		break;
	}
	return 0;
}
