/* dirlist_json.c - nginx's autoindex_format json, and what Caddy's file server gives to
 * who accepts JSON:
 *
 *   [{ "name":"a b", "type":"file", "mtime":"Sun, 13 Sep 2020 12:26:41 GMT", "size":5 }]
 *   [{"name":"a b","size":5,"url":"./a%20b","mod_time":"2020-09-13T12:26:41Z","is_dir":false}]
 *
 * Names are bytes as they are, not percent-encoded. An array whose members do not all
 * look like one of these is other JSON. They are parsed one by one, so that what is none
 * of these takes no memory. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "dirlist.h"
#include "http_date.h"

#define DEPTH 4
#define MEMBER_MAX (16 * 1024)		/* bytes: longer ones are none */

static const char *text_of(struct json_object *o, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	/* A NUL within it: no name, and no date. */
	if (strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value))
		return NULL;
	return json_object_get_string(value);
}

static bool size_of(struct json_object *o, int64_t *ret)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, "size", &value) ||
	    !json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
		return false;
	*ret = json_object_get_int64(value);
	return true;
}

static int add_nginx(struct dirlist *d, struct json_object *o, const char *name,
		     const char *type)
{
	struct dirlist_entry e = { .size = -1, .mtime_s = -1 };
	const char *mtime = text_of(o, "mtime");
	bool sized = size_of(o, &e.size);
	bool dated = mtime && http_date_parse(mtime, 0, &e.mtime_s) == 0;

	e.dir = strcmp(type, "directory") == 0;
	/* Sockets and devices are no files that could be fetched. */
	if (!e.dir && strcmp(type, "file") != 0)
		return 0;
	e.exact = sized && dated;
	return dirlist_add_name(d, name, &e);
}

static int add_caddy(struct dirlist *d, struct json_object *o, const char *base,
		     const char *url, bool is_dir)
{
	struct dirlist_entry e = { .dir = is_dir, .size = -1, .mtime_s = -1 };
	const char *mtime = text_of(o, "mod_time");
	bool sized = size_of(o, &e.size);
	bool dated = mtime && dirlist_value_iso(mtime, &e.mtime_s);

	e.exact = sized && dated;
	return dirlist_add_href(d, base, url, &e);
}

static int add(struct dirlist *d, const char *base, struct json_object *o)
{
	const char *name, *type, *url;
	struct json_object *is_dir;

	if (!json_object_is_type(o, json_type_object))
		return -ENODATA;
	name = text_of(o, "name");
	type = text_of(o, "type");
	if (name && type)
		return add_nginx(d, o, name, type);
	url = text_of(o, "url");
	if (name && url && json_object_object_get_ex(o, "is_dir", &is_dir) &&
	    json_object_is_type(is_dir, json_type_boolean))
		return add_caddy(d, o, base, url, json_object_get_boolean(is_dir));
	return -ENODATA;
}

static size_t blanks(const char *body, size_t len, size_t at)
{
	while (at < len && strchr(" \t\r\n", body[at]) && body[at])
		at++;
	return at;
}

/* The member that begins at *at, which is moved behind it; NULL: there is no whole one. */
static struct json_object *next_member(struct json_tokener *tokener, const char *body,
				       size_t len, size_t *at)
{
	size_t left = len - *at < MEMBER_MAX ? len - *at : MEMBER_MAX;
	struct json_object *o;

	json_tokener_reset(tokener);
	o = json_tokener_parse_ex(tokener, body + *at, (int)left);
	*at += json_tokener_get_parse_end(tokener);
	return o;
}

static int read_members(struct json_tokener *tokener, const char *base, const char *body,
			size_t len, struct dirlist *d)
{
	size_t at = blanks(body, len, 0);

	if (at >= len || body[at] != '[')
		return -ENODATA;
	at = blanks(body, len, at + 1);
	if (at < len && body[at] == ']')
		return blanks(body, len, at + 1) == len ? 0 : -ENODATA;
	while (at < len) {
		struct json_object *o = next_member(tokener, body, len, &at);
		int err = o ? add(d, base, o) : -ENODATA;

		json_object_put(o);
		if (err)
			return err;
		at = blanks(body, len, at);
		if (at < len && body[at] == ']')
			return blanks(body, len, at + 1) == len ? 0 : -ENODATA;
		if (at >= len || body[at] != ',')
			return -ENODATA;
		at = blanks(body, len, at + 1);
	}
	return -ENODATA;
}

int dirlist_read_json(const char *base, const char *body, size_t len, struct dirlist *d)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
	int err = tokener ? read_members(tokener, base, body, len, d) : -ENOMEM;

	if (tokener)
		json_tokener_free(tokener);
	return err;
}
