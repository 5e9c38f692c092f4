/* log.h - what the daemon says. Any thread.
 *
 * To stderr while in the foreground, to syslog once log_to_syslog() was called.
 * One line a message, no newline in fmt. Whoever decides what to do about an
 * error logs it, once; whoever passes it up does not. More than a few a minute from one
 * place (one fmt) are counted instead of said (log_limit.h), but at level DEBUG. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);	/* default INFO */
bool log_wants(enum log_level level);
void log_to_syslog(const char *ident);		/* ident is borrowed for ever */
void log_message(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_message(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                         \
	do {                                                                   \
		if (log_wants(LOG_LEVEL_DEBUG))                                \
			log_message(LOG_LEVEL_DEBUG, __VA_ARGS__);             \
	} while (0)

#endif
