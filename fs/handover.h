/* handover.h - what a daemon leaves behind for the one that takes over its mount
 * (keeper.h): memory that both share, so that it outlasts a crash.
 *
 * It holds the kernel's INIT request, and a log of what the kernel knows under an inode
 * number that is in no row: directories and control files (inode.c). Each record has the
 * kernel's count of lookups, kept up to date in place; one whose count is 0 is dead. When
 * most are, the log is written anew in the other half of the memory, and then takes its
 * place at once: whenever a daemon dies, one of the two is whole.
 *
 * Threads: the caller's lock, but for handover_set_init(), handover_set_device() and
 * handover_end_life(), which are for before other threads. */
#ifndef FS_HANDOVER_H
#define FS_HANDOVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct handover;

/* In the log; the caller may change the count and nothing else. */
struct handed {
	uint32_t len;			/* bytes of data */
	uint32_t size;			/* of all of it in the log */
	uint64_t sum;			/* of data: what crashed may have written anywhere */
	_Atomic uint64_t nlookup;
	char data[];
};

/* Before the first fork. 0 or -errno. */
int handover_new(struct handover **ret);
void handover_free(struct handover *h);		/* NULL does nothing */

/* The bytes of the INIT request as they came. 0, or -EMSGSIZE. */
int handover_set_init(struct handover *h, const void *data, size_t len);
const void *handover_init(const struct handover *h, size_t *ret_len);	/* len 0: none */

/* unmount_device() of the mount. */
void handover_set_device(struct handover *h, uint64_t device);
uint64_t handover_device(const struct handover *h);

/* Daemons that have had it before this one. */
unsigned handover_lives(const struct handover *h);
void handover_end_life(struct handover *h);	/* by the keeper: the next is about to begin */

/* A record, stays where it is until the log is rewritten; NULL: there is no room. */
struct handed *handover_add(struct handover *h, const void *data, size_t len, uint64_t nlookup);

/* Bytes that a record of len takes. */
size_t handover_size(size_t len);

/* The log is long beside the live bytes that are in it, or nearly full of others. */
bool handover_wants_rewrite(const struct handover *h, size_t live);

/* handover_add() goes to the other half from begin on, and what it has counts from end on. */
void handover_begin_rewrite(struct handover *h);
void handover_end_rewrite(struct handover *h);

/* Every live record whose bytes are what was written, until each returns false. */
void handover_each(const struct handover *h,
		   bool (*each)(void *arg, const void *data, size_t len, uint64_t nlookup),
		   void *arg);

#endif
