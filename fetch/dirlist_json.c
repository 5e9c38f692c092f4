/* dirlist_json.c - nginx's autoindex_format json, and what Caddy's file server gives to
 * who accepts JSON:
 *
 *   [{ "name":"a b", "type":"file", "mtime":"Sun, 13 Sep 2020 12:26:41 GMT", "size":5 }]
 *   [{"name":"a b","size":5,"url":"./a%20b","mod_time":"2020-09-13T12:26:41Z","is_dir":false}]
 *
 * Names are bytes as they are, not percent-encoded. An array whose members do not all
 * look like one of these is other JSON. */
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#include "dirlist.h"
#include "http_date.h"

#define DEPTH 4

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

int dirlist_read_json(const char *base, const char *body, size_t len, struct dirlist *d)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
	struct json_object *all = NULL;
	int err = tokener ? 0 : -ENOMEM;

	if (!err && len <= INT_MAX)
		all = json_tokener_parse_ex(tokener, body, (int)len);
	/* "null" is what Caddy says of an empty directory; but so may anybody. */
	if (!err && !json_object_is_type(all, json_type_array))
		err = -ENODATA;
	for (size_t i = 0; !err && i < json_object_array_length(all); i++)
		err = add(d, base, json_object_array_get_idx(all, i));
	json_object_put(all);
	if (tokener)
		json_tokener_free(tokener);
	return err;
}
