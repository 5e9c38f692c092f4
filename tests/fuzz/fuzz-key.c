/* Lines: names that make no difference, a glob, a URL. The key of a URL is its own key, has
 * none of these names, and nothing of what it had left is lost; globs end. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../fetch/glob.h"
#include "../../fetch/policy.h"
#include "../../fetch/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_key(const struct policies *p, const char *url)
{
	char *key = NULL, *again = NULL;

	assert(policies_key(p, url, &key) == 0);
	if (!key)
		return;
	assert(strlen(key) <= strlen(url));
	assert(strncmp(key, url, strcspn(url, "?")) == 0);
	if (!p->general.ignore_query)
		assert(strlen(key) == strlen(url));
	assert(policies_key(p, key, &again) == 0);
	assert(!again);
	free(key);
}

static void check(const char *names, const char *glob, const char *url)
{
	char *match = policy_glob(glob);
	struct policies p = { .general = { .sort_query = true } };

	assert(match);
	p.general.only = (struct globs){ &match, 1 };
	check_key(&p, url);
	p.general.ignore_query = names;
	check_key(&p, url);
	p.general.sort_query = false;
	check_key(&p, url);
	policies_store(&p, url);
	glob_matches(glob, url, strlen(url));
	free(match);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = strndup((const char *)data, len), *rest = text, *url = NULL;
	char *names = strsep(&rest, "\n"), *glob = strsep(&rest, "\n");

	if (glob && rest && url_normalise(rest, &url, NULL) == 0)
		check(names, glob, url);
	free(url);
	free(text);
	return 0;
}
