/* A URL, or a line with a base URL and a line with a reference: what comes out is
 * normal, and normal for ever. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../fetch/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_key(const char *key)
{
	const char *reason = NULL;
	struct url u;
	char *again, *origin;

	assert(url_parse(key, &u, &reason) == 0);
	assert(!u.user && u.port && u.path[0] == '/');
	assert(!strcmp(u.scheme, "http") || !strcmp(u.scheme, "https"));
	assert(!strstr(u.path, "/../") && !strstr(u.path, "/./"));
	assert(key[strcspn(key, " #\\\"<>\n")] == '\0');
	for (const char *p = key; *p; p++)
		assert(*p > 0x20 && *p < 0x7f);
	again = url_format(&u);
	origin = url_origin(&u);
	assert(again && !strcmp(again, key));
	assert(origin && !strncmp(origin, key, strlen(origin)));
	assert(url_same_origin(origin, key));
	free(again);
	free(origin);
	url_fini(&u);
}

static void check_normalise(const char *text)
{
	const char *reason = NULL;
	char *key = NULL;

	if (url_normalise(text, &key, &reason) < 0) {
		assert(!key && reason && *reason);
		return;
	}
	check_key(key);
	free(key);
}

static void check_resolve(const char *base, const char *reference)
{
	char *key = NULL, *again = NULL;

	if (url_resolve(base, reference, &key) < 0) {
		assert(!key);
		return;
	}
	check_key(key);
	/* An absolute reference does not care about its base. */
	assert(url_resolve("http://other/x?y", key, &again) == 0 && !strcmp(again, key));
	free(again);
	free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = strndup((const char *)data, len);
	char *newline;

	if (!text)
		return 0;
	newline = strchr(text, '\n');
	if (newline)
		*newline = '\0';
	check_normalise(text);
	check_resolve("https://host:8443/dir/file?query", text);
	if (newline)
		check_resolve(text, newline + 1);
	free(text);
	return 0;
}
