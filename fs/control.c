#include "control.h"

#include "control_files.h"

/* By name, as a directory shows it. */
static const struct control_file table[] = {
	{ "check", 0600, control_check_render, control_check_act, NULL },
	{ "config", 0400, control_config_render, NULL, NULL },
	{ "explain", 0400, NULL, NULL, control_explain_render },
	{ "health", 0400, control_health_render, NULL, NULL },
	{ "history", 0400, control_history_render, NULL, NULL },
	{ "metrics", 0400, control_metrics_render, NULL, NULL },
	{ "offline", 0600, control_offline_render, control_offline_act, NULL },
	{ "purge", 0200, NULL, control_purge_act, NULL },
	{ "purged", 0400, control_purged_render, NULL, NULL },
	{ "refresh", 0200, NULL, control_refresh_act, NULL },
	{ "reset", 0200, NULL, control_reset_act, NULL },
	{ "stats", 0400, control_stats_render, NULL, NULL },
	{ "status.html", 0400, control_status_render, NULL, NULL },
	{ "transfers", 0400, control_transfers_render, NULL, NULL },
	{ "version", 0400, control_version_render, NULL, NULL },
	{ "warm", 0600, control_warm_render, control_warm_act, NULL },
};

#define TABLE_N (sizeof table / sizeof *table)

const struct control_file *control_find(const char *name)
{
	for (size_t i = 0; i < TABLE_N; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

const struct control_file *control_at(size_t i)
{
	return i < TABLE_N ? &table[i] : NULL;
}
