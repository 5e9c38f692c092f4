/* access_log.h - a line for each name that was answered and each request that was sent,
 * for the option access_log. webcachefs(1) has the format.
 *
 * Any thread adds lines, to memory, and never waits for a disk; one thread writes them.
 * Lines for which there is no room in memory or on disk are lost, and counted. */
#ifndef BASE_ACCESS_LOG_H
#define BASE_ACCESS_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct access {
	bool by_kernel;		/* uid and pid count; else it is the daemon's own request */
	uid_t uid;
	pid_t pid;
	const char *url;
	int status;		/* of HTTP; 0: there was none */
	int64_t bytes;		/* -1: unknown */
	int64_t took_us;
	const char *word;	/* "HIT", "MISS", ... */
	const char *reason;
};

/* Before threads: opens it. path: absolute, borrowed for ever. 0 or -errno. */
int access_log_open(const char *path);

/* Whether there is one: else nobody need gather what a line says. */
bool access_log_wanted(void);
void access_log_add(const struct access *a);

/* wake: called by any thread, with no lock held, when there is something to flush. Before
 * threads. */
void access_log_set_wake(void (*wake)(void *arg), void *arg);

/* --- one thread --- */

void access_log_flush(void);
/* Opens the path anew, as after it was renamed; what there was goes to the old file. A
 * failure leaves the old one in use. */
void access_log_reopen(void);
void access_log_close(void);
/* In a process that only waits: access_log_reopen() makes it usable again. */
void access_log_leave(void);

#endif
