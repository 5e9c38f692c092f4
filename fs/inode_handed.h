/* inode_handed.h - the records of inodes that a daemon which takes over is to have
 * (handover.h). Private to the inode table; with its lock held but for inode_adopt(). */
#ifndef FS_INODE_HANDED_H
#define FS_INODE_HANDED_H

#include "inode.h"

void handed_add(struct inodes *t, struct inode *i);	/* i was entered; one of no use is none */
void handed_drop(struct inodes *t, struct inode *i);
void handed_count(struct inode *i);			/* its nlookup has changed */

/* Enters what the daemon before knew. Takes i; frees it when there is one like it.
 * 0 or -ENOMEM. */
int inode_adopt(struct inodes *t, struct inode *i, uint64_t nlookup);

#endif
