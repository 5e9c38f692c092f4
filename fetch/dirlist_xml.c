/* dirlist_xml.c - listings for programs: the multistatus of WebDAV (RFC 4918 14.16)
 * and S3's ListBucketResult.
 *
 * No entity is expanded and nothing is loaded from elsewhere: a document that declares
 * a type is none of these. */
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "dirlist.h"
#include "http_date.h"
#include "url_normalise.h"

#define DAV "DAV:"

void dirlist_init(void)
{
	xmlInitParser();
}

static xmlDoc *parse(const char *body, size_t len)
{
	xmlDoc *doc = NULL;

	if (len > 0 && len <= INT_MAX && dirlist_is_bounded(body, len))
		doc = xmlReadMemory(body, (int)len, NULL, NULL,
				    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (doc && xmlGetIntSubset(doc)) {
		xmlFreeDoc(doc);
		return NULL;
	}
	return doc;
}

/* space NULL: any. */
static bool is(const xmlNode *node, const char *space, const char *name)
{
	if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, name) != 0)
		return false;
	return !space || (node->ns && strcmp((const char *)node->ns->href, space) == 0);
}

static const xmlNode *child(const xmlNode *node, const char *space, const char *name)
{
	for (const xmlNode *c = node ? node->children : NULL; c; c = c->next)
		if (is(c, space, name))
			return c;
	return NULL;
}

/* The text of a child, malloc()ed; NULL: there is none. */
static char *text_of(const xmlNode *node, const char *space, const char *name)
{
	const xmlNode *c = child(node, space, name);
	xmlChar *text = c ? xmlNodeGetContent(c) : NULL;
	char *copy = text ? strdup((const char *)text) : NULL;

	xmlFree(text);
	return copy;
}

static bool number(const char *text, int64_t *ret)
{
	size_t n = text ? strspn(text, "0123456789") : 0;

	if (n == 0 || n > 18 || text[n])
		return false;
	*ret = strtoll(text, NULL, 10);
	return true;
}

/* --- WebDAV --- */

/* What was found, as opposed to the properties that a resource does not have. */
static bool is_ok(const xmlNode *propstat)
{
	_cleanup_(cleanup_free) char *status = text_of(propstat, DAV, "status");

	return status && strstr(status, " 200");
}

static void read_prop(const xmlNode *prop, struct dirlist_entry *e, bool *sized, bool *dated)
{
	_cleanup_(cleanup_free) char *size = text_of(prop, DAV, "getcontentlength");
	_cleanup_(cleanup_free) char *mtime = text_of(prop, DAV, "getlastmodified");
	const xmlNode *type = child(prop, DAV, "resourcetype");

	if (child(type, DAV, "collection"))
		e->dir = true;
	if (number(size, &e->size))
		*sized = true;
	if (mtime && http_date_parse(mtime, 0, &e->mtime_s) == 0)
		*dated = true;
}

static int read_response(const char *base, const xmlNode *response, struct dirlist *d)
{
	_cleanup_(cleanup_free) char *href = text_of(response, DAV, "href");
	struct dirlist_entry e = { .size = -1, .mtime_s = -1 };
	bool sized = false, dated = false;

	for (const xmlNode *c = response->children; c; c = c->next)
		if (is(c, DAV, "propstat") && is_ok(c))
			read_prop(child(c, DAV, "prop"), &e, &sized, &dated);
	e.exact = sized && dated;
	return href ? dirlist_add_href(d, base, href, &e) : 0;
}

int dirlist_read_dav(const char *base, const char *body, size_t len, struct dirlist *d)
{
	xmlDoc *doc = parse(body, len);
	const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
	int err = root && is(root, DAV, "multistatus") ? 0 : -ENODATA;

	for (const xmlNode *c = err ? NULL : root->children; c && !err; c = c->next)
		if (is(c, DAV, "response"))
			err = read_response(base, c, d);
	xmlFreeDoc(doc);
	return err;
}

/* --- S3 --- */

/* encoding-type=url: as in a form. Anything else is as it is. */
static char *decoded(char *text, bool encoded)
{
	struct buf to = BUF_INIT;

	if (!text || !encoded)
		return text;
	for (char *p = text; *p; p++)
		if (*p == '+')
			*p = ' ';
	url_normalise_decode(&to, text, strlen(text));
	free(text);
	if (to.len != strlen(buf_str(&to))) {
		buf_fini(&to);
		return NULL;
	}
	return buf_take(&to);
}

/* What is behind the prefix, without the '/' at the end of a directory. NULL: it is
 * not directly below. */
static const char *below(char *key, const char *prefix, bool dir)
{
	size_t n = strlen(prefix), len = key ? strlen(key) : 0;

	if (len <= n || strncmp(key, prefix, n) != 0)
		return NULL;
	if (dir && key[len - 1] == '/')
		key[len - 1] = '\0';
	return key + n;
}

/* S3 takes a '+' of a path for a space, as in a form. */
static int add_key(struct dirlist *d, const char *name, const struct dirlist_entry *e)
{
	struct buf segment _cleanup_(buf_fini) = BUF_INIT;

	for (; *name; name++) {
		if (*name == '+')
			buf_str_append(&segment, "%2B");
		else
			url_normalise_literal(&segment, name, 1, URL_KEEP_SEGMENT);
	}
	return buf_ok(&segment) ? dirlist_add_segment(d, buf_str(&segment), e) : -ENOMEM;
}

static int read_contents(const xmlNode *node, const char *prefix, bool encoded,
			 struct dirlist *d)
{
	_cleanup_(cleanup_free) char *key = decoded(text_of(node, NULL, "Key"), encoded);
	_cleanup_(cleanup_free) char *size = text_of(node, NULL, "Size");
	_cleanup_(cleanup_free) char *mtime = text_of(node, NULL, "LastModified");
	struct dirlist_entry e = { .size = -1, .mtime_s = -1 };
	const char *name = below(key, prefix, false);
	bool sized = number(size, &e.size);
	bool dated = mtime && dirlist_value_iso(mtime, &e.mtime_s);

	e.exact = sized && dated;
	return name ? add_key(d, name, &e) : 0;
}

static int read_prefix(const xmlNode *node, const char *prefix, bool encoded,
		       struct dirlist *d)
{
	_cleanup_(cleanup_free) char *key = decoded(text_of(node, NULL, "Prefix"), encoded);
	const struct dirlist_entry e = { .dir = true, .size = -1, .mtime_s = -1 };
	const char *name = below(key, prefix, true);

	return name ? add_key(d, name, &e) : 0;
}

static bool says(const xmlNode *root, const char *name, const char *value)
{
	_cleanup_(cleanup_free) char *text = text_of(root, NULL, name);

	return text && strcmp(text, value) == 0;
}

int dirlist_read_s3(const char *prefix, const char *body, size_t len, struct dirlist *d,
		    char **ret_more)
{
	xmlDoc *doc = parse(body, len);
	const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
	int err = root && is(root, NULL, "ListBucketResult") ? 0 : -ENODATA;
	bool encoded = !err && says(root, "EncodingType", "url");

	*ret_more = NULL;
	for (const xmlNode *c = err ? NULL : root->children; c && !err; c = c->next) {
		if (is(c, NULL, "Contents"))
			err = read_contents(c, prefix, encoded, d);
		else if (is(c, NULL, "CommonPrefixes"))
			err = read_prefix(c, prefix, encoded, d);
	}
	if (!err && says(root, "IsTruncated", "true"))
		*ret_more = text_of(root, NULL, "NextContinuationToken");
	xmlFreeDoc(doc);
	return err;
}
