/* control_explain.c - .control/explain/NAME: what is known of one name, why, and what an
 * open would do now. Asks no origin. */
#include <errno.h>
#include <inttypes.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../fetch/dirlist.h"
#include "control_files.h"
#include "fs.h"
#include "known.h"
#include "listed.h"
#include "options.h"
#include "path.h"
#include "targets.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Once, in place. False: not percent-encoded, or a NUL. */
static bool decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '%') {
			int high = hex(s[1]), low = high < 0 ? -1 : hex(s[2]);

			if (low < 0 || high + low == 0)
				return false;
			*to++ = (char)(high << 4 | low);
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
	return true;
}

/* --- members of the object --- */

static void put_name(struct buf *to, const char *name)
{
	buf_printf(to, "%s  \"%s\": ", to->len > 2 ? ",\n" : "", name);
}

static void put_text(struct buf *to, const char *name, const char *value)
{
	put_name(to, name);
	if (value)
		buf_json(to, value);
	else
		buf_str_append(to, "null");
}

static void put_bool(struct buf *to, const char *name, bool value)
{
	put_name(to, name);
	buf_str_append(to, value ? "true" : "false");
}

static void put_number(struct buf *to, const char *name, int64_t value)
{
	put_name(to, name);
	buf_printf(to, "%" PRId64, value);
}

/* Seconds since 1970; null: never ends, or was never. */
static void put_time(struct buf *to, const char *name, int64_t ms)
{
	if (ms == INT64_MAX || ms == 0)
		put_text(to, name, NULL);
	else
		put_number(to, name, ms / 1000);
}

/* --- what it says --- */

static const char *state_name(enum version_state state)
{
	switch (state) {
	case VERSION_ARRIVING:
		return "arriving";
	case VERSION_COMPLETE:
		return "complete";
	case VERSION_FAILED:
		break;
	}
	return "failed";
}

static void put_version(struct buf *to, struct version *v, const struct meta *m, int64_t now)
{
	int64_t length = version_length(v);

	put_number(to, "status", m->status);
	put_text(to, "state", state_name(version_state(v)));
	put_bool(to, "fresh", now < m->fresh_until_ms);
	put_text(to, "why", m->reason);
	put_bool(to, "may_be_stored", m->flags & META_STORE);
	put_bool(to, "must_revalidate", m->flags & META_MUST_REVALIDATE);
	put_time(to, "fetched", m->response_ms);
	put_number(to, "age_s", fetch_age_s(m));
	put_time(to, "expires", m->fresh_until_ms);
	put_time(to, "stale_while_revalidate_until", m->swr_until_ms);
	put_time(to, "stale_if_error_until", m->sie_until_ms);
	put_text(to, "etag", m->etag);
	put_text(to, "last_modified", m->last_modified);
	put_text(to, "content_type", m->content_type);
	put_text(to, "redirected_to", m->url);
	if (length < 0)
		put_text(to, "length", NULL);
	else
		put_number(to, "length", length);
	put_number(to, "stored_bytes", version_stored(v));
}

/* The order of fetch_want(). */
static const char *open_of_stored(struct fs *fs, struct version *v, const struct meta *m,
				  int64_t now)
{
	bool found = m->status / 100 == 2;

	if (version_state(v) == VERSION_FAILED || version_length(v) < 0)
		return "fetched: what arrived is not whole";
	if (!fetch_is_offline(fs->fetch) &&
	    !policies_store(&fs->options->policies, version_key(v)))
		return "fetched: it is not to be stored any more";
	if (!fetch_selects(fs->fetch, v))
		return fetch_is_offline(fs->fetch) ?
			       "refused: offline, and what is stored answers other headers (Vary)" :
			       "fetched: what is stored answers other headers (Vary)";
	if (fetch_is_offline(fs->fetch) || now < m->fresh_until_ms)
		return found ? "served from the cache" : "an error, as remembered";
	if (now < m->swr_until_ms)
		return "served stale from the cache, and revalidated behind";
	if (found && (m->etag || m->last_modified))
		return "revalidated: the origin is asked whether it has changed";
	return "fetched: what is stored is stale and has no validator";
}

/* --- what the listing of its directory says --- */

struct listing {
	struct dirlist *list;		/* a reference; NULL: none is remembered */
	char *dir;			/* URL of the directory */
	bool fresh;
	enum listed_as as;
	struct dirlist_entry entry;	/* unless LISTED_NOT */
};

static void listing_fini(struct listing *l)
{
	dirlist_unref(l->list);
	free(l->dir);
}

/* Where the last segment of a key begins, which ends at *ret_end, before a '/' of its own;
 * NULL: that is a whole host. */
static const char *last_segment(const char *key, size_t *ret_end)
{
	const char *host = strstr(key, "://"), *path = host ? strchr(host + 3, '/') : NULL;
	size_t end = strcspn(key, "?"), at;

	if (!path || !path[1])
		return NULL;
	*ret_end = key[end] ? strlen(key) : key[end - 1] == '/' ? end - 1 : end;
	at = key[end] ? end : *ret_end;
	while (key + at > path && key[at - 1] != '/')
		at--;
	return key + at;
}

static int find_listing(struct fs *fs, const char *key, struct listing *ret)
{
	size_t end = 0, i;
	const char *at = last_segment(key, &end);
	char *segment _cleanup_(cleanup_free) = NULL;
	bool found;

	if (!at)
		return 0;
	segment = strndup(at, (size_t)(key + end - at));
	ret->dir = strndup(key, (size_t)(at - key));
	if (!segment || !ret->dir)
		return -ENOMEM;
	ret->list = fetch_list_known(fs->fetch, ret->dir, &ret->fresh);
	if (!ret->list)
		return 0;
	i = dirlist_find(ret->list, segment, &found);
	if (found) {
		ret->entry = dirlist_get(ret->list, i);
		ret->as = ret->entry.dir ? LISTED_DIR : LISTED_FILE;
	}
	return 0;
}

static void put_listing(struct buf *to, const struct listing *l, int64_t now)
{
	static const char *const kinds[] = {
		[LISTED_NOT] = NULL, [LISTED_DIR] = "directory", [LISTED_FILE] = "file",
	};

	put_text(to, "listed_in", l->dir);
	put_text(to, "listed_as", kinds[l->as]);
	put_number(to, "listed_age_s", (now - l->list->fetched_ms) / 1000);
	put_bool(to, "listed_fresh", l->fresh);
	if (l->as != LISTED_FILE)
		return;
	if (l->entry.size < 0)
		put_text(to, "listed_length", NULL);
	else
		put_number(to, "listed_length", l->entry.size);
	if (l->entry.mtime_s < 0)
		put_text(to, "listed_modified", NULL);
	else
		put_number(to, "listed_modified", l->entry.mtime_s);
	put_bool(to, "listed_exact", l->entry.exact);
}

/* --- the whole --- */

static const char *open_of_unknown(struct fs *fs, bool below, enum path_guess guess)
{
	if (below)
		return "opened as a directory";
	if (fetch_is_offline(fs->fetch))
		return "refused: offline, and not cached";
	return guess == PATH_FILE ? "fetched: nothing is stored" :
				    "fetched when opened as a file; until then a directory";
}

static const char *kind_of(const struct meta *m, bool below, enum listed_as listed)
{
	if (m ? m->status / 100 == 2 : listed == LISTED_FILE)
		return below ? "file and directory" : "file";
	if (below)
		return "directory";
	return m ? "absent" : "unknown";
}

static enum path_guess guess_of(const char *key)
{
	size_t end = strcspn(key, "?");

	if (key[end])
		return PATH_FILE;
	return path_is_file_name(strrchr(key, '/') + 1) ? PATH_FILE : PATH_EITHER;
}

static int known_below_key(struct fs *fs, const char *key, bool *ret)
{
	struct buf dir _cleanup_(buf_fini) = BUF_INIT;

	*ret = false;
	if (strchr(key, '?'))
		return 0;
	buf_str_append(&dir, key);
	if (key[strlen(key) - 1] != '/')
		buf_char(&dir, '/');
	if (!buf_ok(&dir))
		return -ENOMEM;
	*ret = known_below(fs, buf_str(&dir));
	return 0;
}

static int explain(struct fs *fs, const char *key, struct buf *to)
{
	struct version *v _cleanup_(version_unrefp) = NULL;
	struct meta *m _cleanup_(meta_unrefp) = NULL;
	struct listing listing _cleanup_(listing_fini) = { 0 };
	int64_t now = clock_wall_ms();
	enum path_guess guess;
	bool below;
	int err = index_find(fs->index, key, &v);

	if (err < 0 && err != -ENOENT)
		return err;
	err = known_below_key(fs, key, &below);
	if (err == 0)
		err = find_listing(fs, key, &listing);
	if (err < 0)
		return err;
	below |= listing.as == LISTED_DIR;
	guess = listing.as == LISTED_FILE ? PATH_FILE : guess_of(key);
	m = v ? version_meta(v) : NULL;
	buf_str_append(to, "{\n");
	put_text(to, "url", key);
	put_text(to, "is", kind_of(m, below, listing.as));
	put_text(to, "rule", policies_find(&fs->options->policies, key)->from);
	put_text(to, "open", m ? open_of_stored(fs, v, m, now) :
				 open_of_unknown(fs, below && listing.as != LISTED_FILE, guess));
	if (listing.list)
		put_listing(to, &listing, now);
	if (m)
		put_version(to, v, m, now);
	buf_str_append(to, "\n}\n");
	return 0;
}

int control_explain_render(struct fs *fs, const char *name, struct buf *to)
{
	char *text _cleanup_(cleanup_free) = strdup(name);
	char *key _cleanup_(cleanup_free) = NULL;
	int err;

	if (!text)
		return -ENOMEM;
	if (!decode(text))
		return -EINVAL;
	err = targets_key(fs->options, text, &key);
	if (err < 0)
		return err;
	/* The root of `web` has no URL. */
	return *key ? explain(fs, key, to) : -EINVAL;
}
