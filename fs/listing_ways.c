/* listing_ways.c - the option listing. */
#include <errno.h>
#include <string.h>

#include "kinds.h"

static const char *const listing_ways[] = {
	[LISTING_AUTO] = "auto",	    [LISTING_OFF] = "off",	[LISTING_HTML] = "html",
	[LISTING_JSON] = "nginx-json", [LISTING_DAV] = "webdav", [LISTING_S3] = "s3",
};

static int parse_listing(struct options *o, const struct setting *option, const char *value,
			 const char **ret_reason)
{
	(void)option;
	(void)ret_reason;
	for (size_t i = 0; i < sizeof listing_ways / sizeof *listing_ways; i++)
		if (strcmp(value, listing_ways[i]) == 0) {
			o->fetch.listing = (enum listing_way)i;
			return 0;
		}
	return -EINVAL;
}

static void print_listing(const struct options *o, const struct setting *option, struct buf *to)
{
	(void)option;
	buf_str_append(to, listing_ways[o->fetch.listing]);
}

const struct kind kind_listing = { parse_listing, print_listing,
				   "auto, off, html, nginx-json, webdav or s3", false };
