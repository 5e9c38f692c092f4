/* inode.h - the numbers that the kernel holds, and what they stand for.
 *
 * A file's number is its version's (durable, one for all names that show it). A
 * directory's is taken when it is first shown, and kept while the kernel remembers
 * it: it is known by its parent and name, so that no directory ever has two names.
 * A control file's is taken for each LOOKUP: its text never changes.
 *
 * With a keeper (handover.h) directories and control files are noted for the daemon that
 * may have to take over; files are found by their rows.
 *
 * Any thread. References: inodes_find() and the makers give one, back with
 * inode_unref(). What the kernel counts (nlookup) is apart from that. */
#ifndef FS_INODE_H
#define FS_INODE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/map.h"

struct control_file;
struct handed;
struct handover;
struct index;
struct version;

enum inode_kind {
	INODE_DIR,
	INODE_CACHED_DIR,		/* .cached, and below it */
	INODE_FILE,
	INODE_CONTROL_DIR,
	INODE_CONTROL_FILE,
};

struct inode {
	/* Constant. */
	uint64_t ino;
	enum inode_kind kind;
	uint64_t parent;		/* directories: 0 for the root */
	char *name;			/* directories; as the kernel says it */
	char *key;			/* INODE_DIR, INODE_CACHED_DIR: ends in '/'; "" for the root of `web` */
	struct version *version;	/* INODE_FILE: a reference */
	const struct control_file *control;	/* INODE_CONTROL_FILE */
	char *text;			/* INODE_CONTROL_FILE: what was rendered; NULL: lost, if len */
	size_t len;
	int64_t made_s;			/* wall time */

	/* Guarded by the table's lock. */
	uint64_t nlookup;
	int refs;			/* those of callers, and one while nlookup > 0 */
	struct map_node by_ino, by_name;
	struct map_node by_shown;	/* files: under the name they were last shown as */
	struct handed *handed;		/* its record; NULL: none */

	_Atomic bool adopted;		/* shown by the daemon before, and not since */
};

struct inodes {
	pthread_mutex_t lock;		/* leaf */
	struct map by_ino;		/* struct inode; guarded by lock */
	struct map by_name;		/* directories, by parent and name; guarded by lock */
	struct map by_shown;		/* files, by hash of parent and name; guarded by lock */

	/* Constant once others may use the table. */
	struct handover *handover;	/* borrowed; NULL: nobody will take over */
	struct index *shown;		/* to find files that the daemon before showed; NULL: none */

	size_t handed_bytes;		/* of live records; guarded by lock */
};

#define INODE_ROOT 1

void inodes_init(struct inodes *t);
void inodes_fini(struct inodes *t);	/* drops all, whatever nlookup says */

/* Before other threads: notes in h from now on, and has what is in it already. ix: where
 * files are found that the kernel holds since before; NULL: it holds none. 0 or -ENOMEM. */
int inodes_take_over(struct inodes *t, struct handover *h, struct index *ix);

/* NULL: not one that the kernel holds. */
struct inode *inodes_find(struct inodes *t, uint64_t ino);
void inode_unref(struct inodes *t, struct inode *i);

/* Each finds or makes one and counts a lookup: to be undone with inodes_forget()
 * when the reply fails. 0, -ENOMEM or an error of the index. */
int inodes_show_root(struct inodes *t, const char *key);
int inodes_show_version(struct inodes *t, struct version *v, struct inode **ret);
int inodes_show_dir(struct inodes *t, struct index *ix, enum inode_kind kind,
		    uint64_t parent, const char *name, const char *key, struct inode **ret);
/* Takes text. */
int inodes_show_text(struct inodes *t, struct index *ix, const struct control_file *control,
		     char *text, size_t len, struct inode **ret);

void inodes_forget(struct inodes *t, uint64_t ino, uint64_t nlookup);

/* i, a file, is about to be the answer for name in parent. Whether the kernel holds
 * another file that was: then it may have asked in order to revalidate that one. Two names
 * of the same hash may be taken for each other. */
bool inodes_name_changes(struct inodes *t, struct inode *i, uint64_t parent, const char *name);

/* No file is the answer for name in parent any more. Whether the kernel holds one that
 * was; asked once more it does not. */
bool inodes_name_fails(struct inodes *t, uint64_t parent, const char *name);

/* The number under which that directory is known to the kernel, or 0. */
uint64_t inodes_dir_ino(struct inodes *t, uint64_t parent, const char *name);

#endif
