#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "log_limit.h"

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

/* What is said to find a fault is said whole. */
static bool may_say(enum log_level level, const void *place, unsigned *ret_kept_back)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* leaf */
	static struct log_limit limit;					/* guarded by lock */
	bool may = true;

	*ret_kept_back = 0;
	if (level >= LOG_LEVEL_DEBUG || log_wants(LOG_LEVEL_DEBUG))
		return true;
	WITH_LOCK(&lock)
		may = log_limit_allow(&limit, place, clock_mono_ms(), ret_kept_back);
	return may;
}

static void say(enum log_level level, const char *line)
{
	static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
	static const char *const names[] = { "error", "warning", "info", "debug" };
	struct timespec now;
	struct tm tm;

	if (atomic_load(&to_syslog)) {
		syslog(priorities[level], "%s", line);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	fprintf(stderr, "%02d:%02d:%02d.%03ld %s: %s\n", tm.tm_hour, tm.tm_min, tm.tm_sec,
		now.tv_nsec / 1000000, names[level], line);
}

void log_message(enum log_level level, const char *fmt, ...)
{
	unsigned kept_back;
	char line[2048];
	va_list ap;
	size_t n;

	if (!log_wants(level) || !may_say(level, fmt, &kept_back))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	n = strlen(line);
	if (kept_back)
		snprintf(line + n, sizeof line - n, " (and %u like this before)", kept_back);
	say(level, line);
}
