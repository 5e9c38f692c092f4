#include "facts.h"

#include "../base/clock.h"
#include "../base/counters.h"
#include "fs.h"

int facts_take(struct fs *fs, struct fact ret[FACTS_MAX])
{
	struct index_sums sums = { 0 };
	int n = 0;

	index_sums(fs->index, &sums);
	ret[n++] = (struct fact){ "objects", "responses that are stored", sums.objects };
	ret[n++] = (struct fact){ "bytes_logical", "bytes of their bodies", sums.bytes_logical };
	ret[n++] = (struct fact){ "bytes_stored", "bytes of their bodies as stored",
				  sums.bytes_stored };
	ret[n++] = (struct fact){ "bytes_used",
				  "bytes that the cache directory takes on disk, all included",
				  sums.bytes_used };
	ret[n++] = (struct fact){ "bytes_limit", "bytes that it may take", sums.bytes_limit };
	return n;
}

double facts_hit_rate(void)
{
	double here = (double)(counter_value(COUNT_hits) + counter_value(COUNT_negative_hits) +
			       counter_value(COUNT_stale_served));
	double there = (double)(counter_value(COUNT_misses) + counter_value(COUNT_coalesced));

	return here + there > 0 ? here / (here + there) : 0;
}
