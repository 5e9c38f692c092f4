/* health.c - how the index is: what it holds, and what failed. Any thread. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/counters.h"
#include "../base/log.h"
#include "index_private.h"

enum { LOG_AGAIN_MS = 60000 };

void index_sums(struct index *ix, struct index_sums *ret)
{
	struct db_sums sums;

	db_sums(ix->db, &sums);
	*ret = (struct index_sums){
		.objects = sums.objects,
		.bytes_logical = sums.bytes_logical,
		.bytes_stored = sums.bytes_stored,
		.bytes_used = space_used(&ix->space),
		.bytes_limit = ix->config.size,
	};
}

void index_failed(struct index *ix, const char *what, int err)
{
	int64_t now = clock_mono_ms();
	bool first = false;

	count(store_errors);
	WITH_LOCK(&ix->health_lock) {
		/* Several at once take turns. */
		first = !ix->store_errno ||
			(ix->store_errno != -err && now > ix->logged_ms + LOG_AGAIN_MS);
		if (first)
			ix->logged_ms = now;
		ix->store_errno = -err;
		ix->store_what = what;
	}
	if (first)
		log_error("cache directory %s: %s: %s; serving without storing",
			  ix->config.dir, what, strerror(-err));
}

void index_damaged(struct index *ix, int err)
{
	if (err != -EBADMSG)
		return;
	if (!atomic_exchange(&ix->damaged, true))
		index_failed(ix, "index", err);
}

bool index_is_well(struct index *ix)
{
	bool well = true;

	WITH_LOCK(&ix->health_lock)
		well = ix->store_errno == 0;
	return well && !atomic_load(&ix->damaged);
}

void index_worked(struct index *ix)
{
	bool recovered = false;

	if (atomic_load(&ix->damaged))
		return;
	WITH_LOCK(&ix->health_lock) {
		recovered = ix->store_errno != 0;
		ix->store_errno = 0;
	}
	if (recovered)
		log_info("cache directory %s works again", ix->config.dir);
}

enum health index_health(struct index *ix, char *reason, size_t reason_len)
{
	struct stat st;
	enum health health = HEALTH_OK;

	WITH_LOCK(&ix->health_lock)
		if (ix->store_errno) {
			snprintf(reason, reason_len, "%s: %s", ix->store_what,
				 strerror(ix->store_errno));
			health = HEALTH_DEGRADED;
		}
	if (fstat(ix->dir, &st) < 0 || st.st_nlink == 0) {
		snprintf(reason, reason_len, "cache directory is gone");
		health = HEALTH_DEGRADED;
	}
	return health;
}
