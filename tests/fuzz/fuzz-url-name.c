/* Any text as a name and as a segment: both ways are each other's inverse. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../fetch/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The segment is what it would be in a key. */
static void check_in_key(const char *segment)
{
	char *url = NULL, *key = NULL;

	assert(asprintf(&url, "http://a/%s", segment) > 0);
	assert(url_normalise(url, &key, NULL) == 0 && !strcmp(url, key));
	free(url);
	free(key);
}

static void check_name(const char *name)
{
	char *segment = NULL, *back = NULL;
	int err = url_name_to_segment(name, &segment);

	if (err < 0) {
		assert(!segment && (err == -EINVAL || err == -ENAMETOOLONG));
		return;
	}
	check_in_key(segment);
	assert(url_segment_to_name(segment, &back) == 0 && !strcmp(back, name));
	free(segment);
	free(back);
}

static void check_segment(const char *text)
{
	char *name = NULL, *segment = NULL, *again = NULL;
	int err = url_segment_to_name(text, &name);

	if (err < 0) {
		assert(!name && (err == -EINVAL || err == -ENAMETOOLONG));
		return;
	}
	assert(*name && strlen(name) <= 1023 && !strchr(name, '/'));
	assert(strcmp(name, ".") && strcmp(name, ".."));
	assert(url_name_to_segment(name, &segment) == 0);
	check_in_key(segment);
	assert(url_segment_to_name(segment, &again) == 0 && !strcmp(again, name));
	free(name);
	free(segment);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = strndup((const char *)data, len);

	if (!text)
		return 0;
	check_name(text);
	check_segment(text);
	free(text);
	return 0;
}
