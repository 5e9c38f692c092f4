#include "facts.h"

#include "../base/clock.h"
#include "../base/origins.h"
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

static double share(int64_t here, int64_t there)
{
	return here + there > 0 ? (double)here / (double)(here + there) : 0;
}

double facts_hit_rate(void)
{
	return share(counter_value(COUNT_hits) + counter_value(COUNT_negative_hits) +
			     counter_value(COUNT_stale_served),
		     counter_value(COUNT_misses) + counter_value(COUNT_coalesced));
}

double facts_hit_rate_of(const struct origin_view *o)
{
	const int64_t *v = o->values;

	return share(v[ORIGIN_hits] + v[ORIGIN_negative_hits] + v[ORIGIN_stale_served],
		     v[ORIGIN_misses] + v[ORIGIN_coalesced]);
}
