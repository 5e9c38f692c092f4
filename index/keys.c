/* keys.c - has the filter of keys filled (db_filter.c), beside the work. */
#include "index_private.h"

static void fill_run(struct job *job)
{
	struct index *ix = container_of(job, struct index, keys_job);

	index_damaged(ix, db_filter_fill(ix->db, &ix->closing));
}

void keys_start(struct index *ix)
{
	if (!db_filter_wanted(ix->db) || db_filter_begin(ix->db) < 0)
		return;
	ix->keys_job.run = fill_run;
	pool_post_long(&ix->pool, &ix->keys_job);
}
