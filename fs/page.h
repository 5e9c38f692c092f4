/* page.h - a name that we called a directory may be a page as well. Who opens or stats it
 * may mean that. */
#ifndef FS_PAGE_H
#define FS_PAGE_H

struct fs;
struct fuse_file_info;
struct fuse_req;
struct inode;

/* Replies to req, exactly once: there is no page, or none that can be had now (err). fi is
 * what was handed in. i is NULL, and err -ESTALE, when the directory is gone. */
typedef void page_none(struct fs *fs, struct fuse_req *req, struct inode *i, int err,
		       struct fuse_file_info *fi);

/* Asks for `page`, the key of directory i as a file. If it is there, the answer to req is
 * ESTALE, upon which the kernel walks to the name again and finds it (revisit.h). Else
 * none() answers; fi, which may be NULL, is copied for it. 0, or -ENOMEM: nothing was
 * asked, and req is still the caller's. Any thread; none() may be called before this
 * returns. */
int page_ask(struct fs *fs, struct fuse_req *req, const struct inode *i, const char *page,
	     const struct fuse_file_info *fi, page_none *none);

#endif
