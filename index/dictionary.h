/* dictionary.h - what small bodies of one kind have in common. Private to index/.
 *
 * Bodies of one origin and content type resemble each other, and most of the web is too
 * small for zstd to find out within one of them. So samples of each such group are put
 * by; when there are enough, zstd trains a dictionary on most of them, and it is kept if
 * the others become smaller by it. The frames say by which dictionary they are made.
 *
 * Bodies of 1 to 30 kB of JSON-like text (bench/store) take 0.305 of their length by one
 * of 16 KiB and 0.332 without, those below 4 kB 0.318 and 0.399; dictionaries of 32 to
 * 112 KiB do not pay (0.305 to 0.306). Training takes a few tenths of a second, once.
 *
 * A dictionary is written to the index before the first frame that needs it is, and is
 * never deleted or changed: there are DICTIONARIES at most.
 *
 * Any thread; dictionaries_train() takes long: pool threads. Errors: -errno. */
#ifndef INDEX_DICTIONARY_H
#define INDEX_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DICTIONARIES 16
#define DICTIONARY_BODY (64 * 1024)	/* bytes; larger bodies do without */

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;
struct dictionaries;
struct dictionary;

/* Writes the value of a new dictionary where the next run finds it: 0 once frames may
 * rely on it. NULL: they live as long as this run. */
typedef int dictionary_keep(void *arg, uint32_t id, const void *value, size_t len);

int dictionaries_new(int level, dictionary_keep *keep, void *arg, struct dictionaries **ret);
void dictionaries_free(struct dictionaries *ds);

/* A value that was kept. -EBADMSG: it is damaged; frames by it are as well then. */
int dictionaries_load(struct dictionaries *ds, const void *value, size_t len);

/* All of them, for an index that is begun anew; stops at an error and returns it. */
int dictionaries_each(struct dictionaries *ds, dictionary_keep *each, void *arg);

/* The one of a group, or NULL. It stays until dictionaries_free(). */
const struct dictionary *dictionaries_of(struct dictionaries *ds, uint64_t group);

/* A body of a group that has none yet, which compresses: may be a sample. */
void dictionaries_learn(struct dictionaries *ds, uint64_t group, const void *data, size_t len);

/* Trains a dictionary when there are samples enough. False: there are not. */
bool dictionaries_train(struct dictionaries *ds);
bool dictionaries_due(struct dictionaries *ds);		/* there are samples enough */

/* One frame. -ENOMEM. */
int dictionary_pack(const struct dictionary *d, struct ZSTD_CCtx_s *cctx, const void *src,
		    size_t len, void *dst, size_t cap, size_t *ret_len);

/* Frames that hold exactly len bytes, by the dictionary that they name, if any. Trusts
 * nothing in src. -EBADMSG. */
int dictionaries_unpack(struct dictionaries *ds, struct ZSTD_DCtx_s *dctx, const void *src,
			size_t src_len, void *dst, size_t len);

#endif
