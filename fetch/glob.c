#include "glob.h"

/* glob points behind the '['. Returns what is behind the ']', or NULL: there is none, so the
 * '[' is a byte like others. */
static const char *match_set(const char *glob, unsigned char c, bool *ret_matches)
{
	bool negated = *glob == '!' || *glob == '^', found = false, first = true;

	glob += negated;
	for (; *glob && (*glob != ']' || first); first = false) {
		unsigned char from, to;

		if (*glob == '\\' && glob[1])
			glob++;
		from = to = (unsigned char)*glob++;
		if (glob[0] == '-' && glob[1] && glob[1] != ']') {
			glob += glob[1] == '\\' && glob[2] ? 2 : 1;
			to = (unsigned char)*glob++;
		}
		found |= from <= c && c <= to;
	}
	if (!*glob)
		return NULL;
	*ret_matches = found != negated;
	return glob + 1;
}

/* One byte against what glob begins with, which is no '*'. Returns what is behind that, or
 * NULL: it does not match. */
static const char *match_one(const char *glob, unsigned char c)
{
	bool matches;
	const char *behind;

	if (*glob == '?')
		return glob + 1;
	if (*glob == '[') {
		behind = match_set(glob + 1, c, &matches);
		if (behind)
			return matches ? behind : NULL;
	}
	if (*glob == '\\' && glob[1])
		glob++;
	return *glob && (unsigned char)*glob == c ? glob + 1 : NULL;
}

/* The last '*' takes a byte more each time what is behind it does not fit: those before it
 * need never be tried again. */
bool glob_matches(const char *glob, const char *text, size_t len)
{
	const char *star = NULL, *next;
	size_t i = 0, again = 0;

	while (i < len) {
		if (*glob == '*') {
			star = ++glob;
			again = i;
			continue;
		}
		next = match_one(glob, (unsigned char)text[i]);
		if (next) {
			glob = next;
			i++;
		} else if (star) {
			glob = star;
			i = ++again;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}
