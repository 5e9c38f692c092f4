/* warm_list.h - the lines of a warm list: what is to be fetched ahead of its readers.
 * Pure; any thread.
 *
 *   https://host/a.jpg   a URL             delay 500ms   pause before each line below
 *   a b.jpg  /docs/x     a path, as ls     jobs 4        so many at the same time, below
 *   # ...                a comment         list NAME     the lines below are counted as NAME
 *
 * Blank lines are skipped. A path that looks like a word is written with a '/' before it. */
#ifndef FS_WARM_LIST_H
#define FS_WARM_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/list.h"

#define WARM_NAME_MAX 32	/* bytes, with the 0 */
#define WARM_LIST_DEFAULT "default"

struct options;

struct warm_item {
	struct list link;
	int64_t delay_ms;		/* since the one before was asked for */
	int jobs;			/* at the same time at most; 0: as many as is usual */
	int tries;
	bool looked;			/* it is known not to be fresh */
	bool durable;			/* kept over a restart */
	char list[WARM_NAME_MAX];
	char key[];
};

struct warm_list {
	struct list items;
	size_t n, bytes;		/* bytes: of memory, about */
	size_t wrong, first_wrong;	/* lines that were skipped; the number of the first one */
};

/* All of text. -ENOMEM, or -EINVAL when a line is wrong: it is no URL or path, it has a
 * word that only purges know, or it is not below the root directory of the mount that o is of.
 * lenient: wrong lines are skipped and counted. *ret is the caller's also after an error:
 * warm_list_free(). */
int warm_list_parse(const struct options *o, const char *text, size_t len, bool lenient,
		    struct warm_list *ret);
void warm_list_free(struct warm_list *l);

size_t warm_list_cost(const struct warm_item *item);	/* bytes of memory, about */

bool warm_list_is_name(const char *name);	/* letters, digits, and -._ */

#endif
