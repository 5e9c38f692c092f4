#include "cache_dir.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/cleanup.h"

#define NAME_LONGEST 200	/* of the 255 that a name may have */

/* FNV-1a; only tells long URLs apart. */
static uint64_t hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	return hash;
}

char *cache_dir_name(const char *base_url)
{
	struct buf name = BUF_INIT;
	const char *rest = strstr(base_url, "://");
	size_t len = strlen(base_url);

	if (rest) {
		buf_append(&name, base_url, (size_t)(rest - base_url));
		buf_char(&name, '_');
		len -= (size_t)(rest + 3 - base_url);
		rest += 3;
	} else {
		rest = base_url;
	}
	if (len && rest[len - 1] == '/')
		len--;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)rest[i];

		if (c == '/')
			buf_char(&name, '_');
		else if (isascii(c) && (isalnum(c) || strchr(".:~-", c)))
			buf_char(&name, (char)c);
		else
			buf_printf(&name, "%%%02X", c);
	}
	if (name.len > NAME_LONGEST) {
		name.len = NAME_LONGEST - 17;
		buf_printf(&name, "_%016llx", (unsigned long long)hash_text(base_url));
	}
	return buf_take(&name);
}

/* The specification: unset, empty and relative values do not count. */
static int user_cache_home(uid_t who, struct buf *to)
{
	const char *home = getenv("XDG_CACHE_HOME");
	const struct passwd *user;

	if (home && *home == '/') {
		buf_str_append(to, home);
		return 0;
	}
	home = getenv("HOME");
	if (!home || *home != '/') {
		user = getpwuid(who);
		home = user ? user->pw_dir : NULL;
	}
	if (!home || *home != '/')
		return -ENOENT;
	buf_printf(to, "%s/.cache", home);
	return 0;
}

int cache_dir_default(const char *base_url, uid_t who, char **ret)
{
	struct buf path _cleanup_(buf_fini) = BUF_INIT;
	char *name _cleanup_(cleanup_free) = cache_dir_name(base_url);
	int err = 0;

	if (!name)
		return -ENOMEM;
	if (who == 0)
		buf_str_append(&path, "/var/cache");
	else
		err = user_cache_home(who, &path);
	if (err < 0)
		return err;
	buf_printf(&path, "/webcachefs/%s", name);
	*ret = buf_take(&path);
	return *ret ? 0 : -ENOMEM;
}

/* Cuts the last name off path (absolute, not "/"). */
static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == path)
		slash++;
	*slash = '\0';
}

/* As if it stood in the current directory; no trailing '/'. */
static char *make_absolute(const char *path)
{
	struct buf whole = BUF_INIT;
	char cwd[PATH_MAX];

	if (*path != '/') {
		if (!getcwd(cwd, sizeof cwd))
			return NULL;
		buf_printf(&whole, "%s/", cwd);
	}
	buf_str_append(&whole, path);
	while (buf_ok(&whole) && whole.len > 1 && whole.data[whole.len - 1] == '/')
		whole.data[--whole.len] = '\0';
	return buf_take(&whole);
}

int cache_dir_resolve(const char *path, char **ret)
{
	char *whole _cleanup_(cleanup_free) = make_absolute(path);
	char *there _cleanup_(cleanup_free) = NULL;
	char *real _cleanup_(cleanup_free) = NULL;
	struct buf result = BUF_INIT;
	const char *missing;

	if (!whole || !(there = strdup(whole)))
		return -ENOMEM;
	while (!(real = realpath(there, NULL))) {
		if (errno != ENOENT || strcmp(there, "/") == 0)
			return -errno;
		cut_last(there);
	}
	missing = whole + strlen(there);
	/* What is not there yet cannot be left again. */
	if (strstr(missing, "/../") || (strlen(missing) >= 3 &&
	    strcmp(missing + strlen(missing) - 3, "/..") == 0))
		return -ENOENT;
	while (*missing == '/')
		missing++;
	buf_str_append(&result, real);
	if (*missing)
		buf_printf(&result, "%s%s", strcmp(real, "/") == 0 ? "" : "/", missing);
	*ret = buf_take(&result);
	return *ret ? 0 : -ENOMEM;
}

bool cache_dir_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return true;
	return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

int cache_dir_disk(const char *path, int64_t *ret_total, int64_t *ret_free)
{
	char *there _cleanup_(cleanup_free) = strdup(path);
	struct statvfs disk;

	if (!there)
		return -ENOMEM;
	while (statvfs(there, &disk) < 0) {
		if (errno != ENOENT || strcmp(there, "/") == 0)
			return -errno;
		cut_last(there);
	}
	*ret_total = (int64_t)(disk.f_blocks * disk.f_frsize);
	*ret_free = (int64_t)(disk.f_bavail * disk.f_frsize);
	return 0;
}
