/* control_files.h - what stands behind each line of control.c's table. Private to
 * the control_*.c files; see control.h for what they do. */
#ifndef FS_CONTROL_FILES_H
#define FS_CONTROL_FILES_H

#include "control.h"

int control_check_render(struct fs *fs, struct buf *to);
int control_config_render(struct fs *fs, struct buf *to);
int control_explain_render(struct fs *fs, const char *name, struct buf *to);
int control_health_render(struct fs *fs, struct buf *to);
int control_history_render(struct fs *fs, struct buf *to);
int control_metrics_render(struct fs *fs, struct buf *to);
int control_offline_render(struct fs *fs, struct buf *to);
int control_purged_render(struct fs *fs, struct buf *to);
int control_stats_render(struct fs *fs, struct buf *to);
int control_status_render(struct fs *fs, struct buf *to);
int control_transfers_render(struct fs *fs, struct buf *to);
int control_version_render(struct fs *fs, struct buf *to);
int control_warm_render(struct fs *fs, struct buf *to);

int control_check_act(struct fs *fs, const struct control_writer *by, const char *text,
		      size_t len);
int control_offline_act(struct fs *fs, const struct control_writer *by, const char *text,
			size_t len);
int control_purge_act(struct fs *fs, const struct control_writer *by, const char *text,
		      size_t len);
int control_refresh_act(struct fs *fs, const struct control_writer *by, const char *text,
			size_t len);
int control_reset_act(struct fs *fs, const struct control_writer *by, const char *text,
		      size_t len);
int control_warm_act(struct fs *fs, const struct control_writer *by, const char *text,
		     size_t len);

#endif
