/* key_filter.h - keys that are certainly not in the index, told without asking it. Private to
 * index/.
 *
 * Most names that are looked up for the first time are in no row, nor is anything below them;
 * SQLite takes several reads to say so. This is a Bloom filter of all keys and of all that
 * they begin with up to a '/': in one miss of 200 it says "maybe", never "no" of what is there.
 * Nothing is taken out of it.
 *
 * Any thread. */
#ifndef INDEX_KEY_FILTER_H
#define INDEX_KEY_FILTER_H

#include <stdbool.h>
#include <stddef.h>

struct key_filter;

/* For so many keys; with more it says "maybe" more often. NULL: no memory. */
struct key_filter *key_filter_new(size_t keys);
void key_filter_free(struct key_filter *f);	/* NULL does nothing */

/* The key and what it begins with. Whoever asks later sees it. */
void key_filter_add(struct key_filter *f, const char *key);

/* Whether key (or, if it ends with '/', one that begins so) may have been added. */
bool key_filter_may_hold(const struct key_filter *f, const char *key);

/* More was added than it is made for. */
bool key_filter_is_full(const struct key_filter *f);
size_t key_filter_added(const struct key_filter *f);	/* keys and beginnings that were new */

#endif
