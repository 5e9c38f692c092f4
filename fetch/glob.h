/* glob.h - globs over bytes: '*' any number of them, '?' one, "[a-z]" and "[!a-z]" one of a
 * set, '\\' takes the meaning off the next. As fnmatch(3) without flags in the C locale; but
 * text need not end, and many stars cost no more than one: names come from anybody, and each
 * is compared with each rule. Pure; any thread. */
#ifndef FETCH_GLOB_H
#define FETCH_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* Takes at most strlen(glob) * len steps, whatever either is. */
bool glob_matches(const char *glob, const char *text, size_t len);

#endif
