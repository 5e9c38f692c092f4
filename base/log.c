#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>

static _Atomic int level_wanted = LOG_LEVEL_INFO;
static _Atomic bool to_syslog;

void log_set_level(enum log_level level)
{
	atomic_store(&level_wanted, (int)level);
}

bool log_wants(enum log_level level)
{
	return (int)level <= atomic_load(&level_wanted);
}

void log_to_syslog(const char *ident)
{
	openlog(ident, LOG_PID, LOG_DAEMON);
	atomic_store(&to_syslog, true);
}

void log_message(enum log_level level, const char *fmt, ...)
{
	static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
	static const char *const names[] = { "error", "warning", "info", "debug" };
	char line[2048];
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (atomic_load(&to_syslog)) {
		syslog(priorities[level], "%s", line);
	} else {
		struct timespec now;
		struct tm tm;

		clock_gettime(CLOCK_REALTIME, &now);
		localtime_r(&now.tv_sec, &tm);
		fprintf(stderr, "%02d:%02d:%02d.%03ld %s: %s\n", tm.tm_hour, tm.tm_min,
			tm.tm_sec, now.tv_nsec / 1000000, names[level], line);
	}
}
