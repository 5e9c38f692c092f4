/* index.c - open and close, and numbers. */
#include "index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "ballast.h"
#include "blob_file.h"
#include "index_private.h"
#include "lock.h"

enum { INO_BLOCK = 65536 };

/* --- opening --- */

static int make_dirs(const char *path)
{
	_cleanup_(cleanup_free) char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *p = copy + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			if (mkdir(copy, 0755) < 0 && errno != EEXIST)
				return -errno;
			*p = '/';
		}
	return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int open_dir(struct index *ix, char *reason, size_t reason_len)
{
	const char *dir = ix->config.dir;
	pid_t holder = 0;
	int err = make_dirs(dir);

	ix->dir = err ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ix->dir < 0) {
		err = err ? err : -errno;
		snprintf(reason, reason_len, "cache directory %s: %s", dir, strerror(-err));
		return err;
	}
	err = lock_take(ix->dir, &ix->lock_fd, &holder);
	if (err == -EBUSY) {
		snprintf(reason, reason_len,
			 "cache directory %s is in use by another webcachefs (process %d)", dir,
			 (int)holder);
		return err;
	}
	if (!err && mkdirat(ix->dir, "partial", 0700) < 0 && errno != EEXIST)
		err = -errno;
	if (err)
		snprintf(reason, reason_len, "cache directory %s cannot be written: %s", dir,
			 strerror(-err));
	return err;
}

static void pressed(void *arg)
{
	struct op *op = op_new(OP_EVICT);

	if (op)
		writer_post(arg, op);
}

/* What had arrived is begun anew by who still wants it (recover.c), in a file of the same
 * name: nobody else is to find the old one then. */
static void drop_arriving(struct index *ix)
{
	int fd = openat(ix->dir, "partial", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	struct record r;
	bool keep;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.' ||
		    db_find_ino(ix->db, strtoull(entry->d_name, NULL, 10), &r) < 0)
			continue;
		keep = r.blob.kind != BLOB_ARRIVING;
		record_fini(&r);
		if (!keep)
			unlinkat(dirfd(d), entry->d_name, 0);
	}
	closedir(d);
}

/* Of a file that is, or was to be, a blob: what is given back when that is deleted. */
static int64_t bytes_of_blob(const struct stat *st)
{
	return blob_file_disk((uint64_t)st->st_size);
}

static int64_t bytes_of_file(const struct stat *st)
{
	return (int64_t)st->st_blocks * 512;
}

/* Bytes that the files in a directory take; which may be missing. */
static int64_t bytes_in(int dir, const char *path, int64_t (*bytes_of)(const struct stat *st))
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	struct stat st;
	int64_t bytes = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((entry = readdir(d)) != NULL)
		if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			bytes += bytes_of(&st);
	closedir(d);
	return bytes;
}

/* Large bodies and partial ones are files of their own: few, so that looking at
 * each is no scan of the cache. Small ones are in segments (store.h counts them). */
static void count_files(struct index *ix)
{
	char path[16];

	if (ix->config.taken_over)
		drop_arriving(ix);
	for (unsigned i = 0; i < 256; i++) {
		snprintf(path, sizeof path, "blobs/%02x", i);
		space_count(&ix->space, bytes_in(ix->dir, path, bytes_of_blob));
	}
	space_count(&ix->space, bytes_in(ix->dir, "partial", bytes_of_file));
}

static int open_parts(struct index *ix, char *reason, size_t reason_len)
{
	const struct store_config store = { .dir = ix->dir, .space = &ix->space,
					    .compress = ix->config.compress,
					    .level = ix->config.level,
					    .pace = getenv("WEBCACHEFS_PACK_LATER")
							? STORE_LATER : STORE_AS_TIME_ALLOWS,
					    .keep = index_keep_dictionary, .arg = ix };
	const char *what = "index";
	int err = db_open(ix->config.dir, &ix->db);

	if (err == -ENOSPC && ballast_drop(ix->dir))
		err = db_open(ix->config.dir, &ix->db);
	if (!err) {
		space_set_index(&ix->space, db_disk_bytes(ix->db));
		what = "inode numbers";
		err = db_take_inos(ix->db, INO_BLOCK, &ix->next_ino);
	}
	if (!err) {
		ix->end_ino = ix->next_ino + INO_BLOCK;
		ix->first_ino = ix->next_ino;
		what = "store";
		err = store_open(&store, &ix->store);
	}
	if (!err)
		index_load_dictionaries(ix);
	if (!err) {
		ix->checkpointed = db_disk_bytes(ix->db);
		count_files(ix);
		space_count(&ix->space, ballast_bytes(ix->config.size));
	}
	ix->recency = recency_new();
	if (!err && !ix->recency)
		err = -ENOMEM;
	if (err)
		snprintf(reason, reason_len, "cache directory %s: %s: %s", ix->config.dir, what,
			 strerror(-err));
	ix->evict = (struct evict){ .db = ix->db, .recency = ix->recency };
	if (!err)
		evict_load(&ix->evict);
	return err;
}

static void close_parts(struct index *ix)
{
	store_close(ix->store);
	recency_free(ix->recency);
	free(ix->gathered.data);
	db_close(ix->db);
	map_fini(&ix->by_ino);
	map_fini(&ix->by_key);
	map_fini(&ix->by_promise);
	writer_drop_posted(ix);
	inbox_fini(&ix->inbox);
	space_fini(&ix->space);
	pthread_mutex_destroy(&ix->lock);
	pthread_mutex_destroy(&ix->health_lock);
	if (ix->lock_fd >= 0)
		close(ix->lock_fd);
	if (ix->dir >= 0)
		close(ix->dir);
	free(ix);
}

int index_open(const struct index_config *config, struct index **ret, char *reason,
	       size_t reason_len)
{
	struct index *ix = calloc(1, sizeof *ix);
	int err;

	if (!ix)
		return -ENOMEM;
	ix->config = *config;
	ix->dir = ix->lock_fd = -1;
	pthread_mutex_init(&ix->lock, NULL);
	pthread_mutex_init(&ix->health_lock, NULL);
	check_init(&ix->checker);
	list_init(&ix->purges);
	list_init(&ix->waiting_for_room);
	inbox_init(&ix->inbox, NULL, NULL);
	space_init(&ix->space, config->size, pressed, ix);
	ix->place.space = &ix->space;
	err = open_dir(ix, reason, reason_len);
	ix->place.dir = ix->dir;
	if (!err)
		err = open_parts(ix, reason, reason_len);
	*ret = ix;
	if (err)
		close_parts(ix);
	return err;
}

int index_start(struct index *ix)
{
	int err = pool_start(&ix->pool);

	if (err)
		return err;
	ix->running = true;	/* before thread I posts the first job to C */
	err = writer_start(ix);
	if (err) {
		ix->running = false;
		pool_stop(&ix->pool);
	}
	return err;
}

void index_leaving(struct index *ix)
{
	atomic_store(&ix->leaving, true);
	lock_end(ix->lock_fd);
}

void index_close(struct index *ix)
{
	if (!ix)
		return;
	check_fini(&ix->checker);
	atomic_store(&ix->closing, true);
	if (ix->running) {
		/* C feeds I and I never waits for C: so this order. */
		index_drain(ix);
		pool_stop(&ix->pool);
		writer_stop(ix);
		evict_save(&ix->evict);
		db_checkpoint(ix->db);
	}
	close_parts(ix);
}

void index_drain(struct index *ix)
{
	/* A body may be posted by I's answer, and a row by C's: twice round. */
	for (int i = 0; i < 2; i++) {
		struct op *op = op_new(OP_NOTHING);

		pool_drain(&ix->pool);
		if (op)
			writer_call(ix, op);
	}
}

/* --- numbers --- */

uint64_t index_next_ino(struct index *ix)
{
	uint64_t ino = 0, first;

	WITH_LOCK(&ix->lock) {
		if (ix->next_ino == ix->end_ino) {
			ix->next_ino = ix->ahead_ino;
			ix->end_ino = ix->ahead_end;
			ix->ahead_ino = ix->ahead_end = 0;
		}
		if (ix->next_ino < ix->end_ino)
			ino = ix->next_ino++;
	}
	if (ino)
		return ino;
	/* Faster than thread I could take a block ahead. */
	if (db_take_inos(ix->db, INO_BLOCK, &first) < 0)
		return 0;
	WITH_LOCK(&ix->lock)
		if (ix->next_ino == ix->end_ino) {
			ix->next_ino = first + 1;
			ix->end_ino = first + INO_BLOCK;
		}
	return first;
}

int index_take_ino(struct index *ix, uint64_t *ret)
{
	*ret = index_next_ino(ix);
	return *ret ? 0 : -EIO;
}

/* --- files --- */

bool index_unlink_partial(struct index *ix, uint64_t ino)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof path, "partial/%" PRIu64, ino);
	if (fstatat(ix->dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || unlinkat(ix->dir, path, 0) < 0)
		return false;
	space_release(&ix->space, (int64_t)st.st_blocks * 512);
	return true;
}
