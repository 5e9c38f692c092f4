/* ops.h - the operations of the kernel, each in the file of its name; thread W.
 *
 * Each answers req once, now or later, and borrows its other arguments until it
 * returns. */
#ifndef FS_OPS_H
#define FS_OPS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fs;
struct fuse_file_info;
struct fuse_lowlevel_ops;
struct fuse_req;
struct inode;
struct path;
struct stat;
struct version;

/* The table for libfuse; its userdata is the struct fs. */
extern const struct fuse_lowlevel_ops ops_table;

/* lookup.c */
void lookup_op(struct fuse_req *req, uint64_t parent, const char *name);
/* Answers with v (borrowed), to be trusted for entry_ms. */
void lookup_answer_version(struct fs *fs, struct fuse_req *req, uint64_t parent,
			   const char *name, struct version *v, int64_t entry_ms);
/* Answers with what the origin has at p->file. */
void lookup_ask(struct fs *fs, struct fuse_req *req, uint64_t parent, const char *name,
		const struct path *p);

/* getattr.c */
void getattr_op(struct fuse_req *req, uint64_t ino, struct fuse_file_info *fi);

/* opendir.c */
void opendir_op(struct fuse_req *req, uint64_t ino, struct fuse_file_info *fi);

/* read.c */
void read_op(struct fuse_req *req, uint64_t ino, size_t size, off_t off,
	     struct fuse_file_info *fi);

/* edit.c */
void edit_unlink(struct fuse_req *req, uint64_t parent, const char *name);
void edit_rmdir(struct fuse_req *req, uint64_t parent, const char *name);
void edit_mkdir(struct fuse_req *req, uint64_t parent, const char *name, mode_t mode);

/* control_ops.c: .control and its files. i is the directory or the file; borrowed. */
void control_lookup(struct fs *fs, struct fuse_req *req, const struct inode *i,
		    const char *name);
void control_write(struct fs *fs, struct fuse_req *req, const struct inode *i,
		   const char *data, size_t len);
void control_setattr(struct fs *fs, struct fuse_req *req, const struct inode *i,
		     const struct stat *attr, int to_set);

/* xattr.c */
void xattr_get(struct fuse_req *req, uint64_t ino, const char *name, size_t size);
void xattr_list(struct fuse_req *req, uint64_t ino, size_t size);

#endif
