/* What is accepted makes sense, and says the same when it is written again. */
#include <assert.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../fetch/content_range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_range(const struct content_range *r)
{
	assert(r->length >= -1 && r->length < INT64_MAX);
	if (r->off < 0) {
		assert(r->off == -1 && r->end == -1 && r->length >= 0);
		return;
	}
	assert(r->end > r->off);
	assert(r->length == -1 || r->end <= r->length);
}

static void check_again(const struct content_range *r)
{
	char range[64] = "*", length[32] = "*", text[128];
	struct content_range again;

	if (r->off >= 0)
		snprintf(range, sizeof(range), "%" PRId64 "-%" PRId64, r->off, r->end - 1);
	if (r->length >= 0)
		snprintf(length, sizeof(length), "%" PRId64, r->length);
	snprintf(text, sizeof(text), "bytes %s/%s", range, length);
	assert(content_range_parse(text, &again) == 0);
	assert(again.off == r->off && again.end == r->end && again.length == r->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct content_range range;
	char *text = strndup((const char *)data, len);

	if (!text)
		return 0;
	if (content_range_parse(text, &range) == 0) {
		check_range(&range);
		check_again(&range);
	}
	free(text);
	return 0;
}
