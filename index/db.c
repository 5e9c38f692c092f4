#include "db_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/log.h"

/* Connections for reading that are kept open: as many as read at once when all
 * is well. More are opened when needed, as waiting for one could mean waiting
 * for oneself (db_list() calls back). */
#define POOL 8

static const char *const suffix[] = { "", "-wal", "-shm" };

int db_borrow(struct db *db, struct conn **ret)
{
	struct list *idle = NULL;
	unsigned generation = 0;
	int err;

	WITH_LOCK(&db->lock) {
		idle = list_pop(&db->idle);
		if (idle)
			db->n_idle--;
		generation = db->generation;
	}
	if (!idle) {
		err = conn_open(db->path, false, ret);
		if (!err)
			(*ret)->generation = generation;
		return err;
	}
	*ret = list_entry(idle, struct conn, idle);
	return 0;
}

void db_return(struct db *db, struct conn *c)
{
	bool keep = false, old = false;

	WITH_LOCK(&db->lock) {
		old = c->generation != db->generation;
		keep = !old && db->n_idle < POOL;
		if (keep) {
			list_prepend(&db->idle, &c->idle);
			db->n_idle++;
		}
	}
	if (old)
		conn_abandon(c);
	else if (!keep)
		conn_close(c);
}

void db_adopt(struct db *db)
{
	db->writer->owner = pthread_self();
}

/* Both ends of every tree. Most of what can be wrong with a file that was cut or
 * overwritten is seen here, in a time that does not depend on its size. */
static int look(struct conn *c)
{
	static const char *const sql[] = {
		"SELECT ino FROM version ORDER BY ino LIMIT 1",
		"SELECT length(headers) FROM version ORDER BY ino DESC LIMIT 1",
		"SELECT length(headers) FROM version WHERE current = 1"
		" ORDER BY key " DB_TREE " LIMIT 1",
		"SELECT length(headers) FROM version WHERE current = 1"
		" ORDER BY key " DB_TREE " DESC LIMIT 1",
		"SELECT ino FROM version INDEXED BY version_leftover"
		" WHERE current = 0 OR kind = 1 ORDER BY ino DESC LIMIT 1",
		"SELECT blob_id FROM version INDEXED BY version_segment"
		" WHERE kind = 3 ORDER BY blob_id DESC LIMIT 1",
		"SELECT usable_until_ms FROM version INDEXED BY version_usable"
		" WHERE usable_until_ms < 9223372036854775807"
		" ORDER BY usable_until_ms DESC LIMIT 1",
		"SELECT length(key) FROM declared LIMIT 1",
	};
	int64_t unused;
	int err = -ENOENT;

	for (size_t i = 0; err == -ENOENT || !err; i++) {
		if (i == sizeof(sql) / sizeof(sql[0]))
			return 0;
		err = conn_pragma(c, sql[i], &unused);
	}
	return err;
}

static uint64_t last_ino(struct conn *c)
{
	int64_t ino;

	return conn_pragma(c, "SELECT max(ino) FROM version", &ino) ? 0 : ino;
}

/* Tables and sums; all that a damaged file may make fail. */
static int open_writer(struct db *db)
{
	struct stat st;
	int err;

	err = conn_open(db->path, true, &db->writer);
	if (err)
		return err;
	err = db_schema_migrate(db->writer);
	if (!err)
		err = look(db->writer);
	if (!err)
		err = db_sums_load(db);
	if (!err && stat(db->path, &st) < 0)
		err = -errno;
	if (err) {
		conn_close(db->writer);
		db->writer = NULL;
		return err;
	}
	db->device = st.st_dev;
	db->inode = st.st_ino;
	return 0;
}

bool db_is_there(struct db *db)
{
	char wal[PATH_MAX];
	struct stat st;

	/* What was committed since the last checkpoint is in the WAL alone. */
	if (snprintf(wal, sizeof(wal), "%s-wal", db->path) < PATH_MAX &&
	    stat(wal, &st) < 0 && errno == ENOENT)
		return false;
	if (stat(db->path, &st) < 0)
		return errno != ENOENT;
	return st.st_dev == db->device && st.st_ino == db->inode;
}

/* Its name goes last: until then the next start finds the same damage. */
static int move_aside(const char *path)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (int i = 2; i >= 0; i--) {
		if (snprintf(from, sizeof(from), "%s%s", path, suffix[i]) >= PATH_MAX ||
		    snprintf(to, sizeof(to), "%s.damaged%s", path, suffix[i]) >= PATH_MAX)
			return -ENAMETOOLONG;
		if (rename(from, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int open_or_renew(struct db *db)
{
	int err;

	err = open_writer(db);
	if (err != -EBADMSG)
		return err;
	log_warn("%s is damaged: it is moved to %s.damaged, the cache begins anew", db->path,
		 db->path);
	db->was_damaged = true;
	err = move_aside(db->path);
	return err ? err : open_writer(db);
}

int db_renew(struct db *db)
{
	struct list idle = LIST_INIT(idle), *l;
	struct conn *old = db->writer;
	int err;

	db_rollback(db);
	err = move_aside(db->path);
	if (!err)
		err = open_writer(db);
	if (err) {
		db->writer = old;
		return err;
	}
	/* Its directory may be another one. */
	err = inos_reopen(&db->inos, db->path);
	if (err)
		log_warn("inode numbers of %s cannot be noted: %s", db->path, strerror(-err));
	db->inos_noted = 0;
	WITH_LOCK(&db->lock) {
		list_splice(&idle, &db->idle);
		db->n_idle = 0;
		db->generation++;
	}
	while ((l = list_pop(&idle)))
		conn_abandon(list_entry(l, struct conn, idle));
	conn_abandon(old);
	return 0;
}

/* SQLite would say ENOENT when it may not make a file. */
static int check_dir(const char *dir)
{
	_cleanup_(cleanup_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return -errno;
	return 0;
}

/* What no run gets to is a bit that flipped. */
static uint64_t plausible(uint64_t ino)
{
	return ino < UINT64_C(1) << 62 ? ino : 0;
}

int db_open(const char *dir, struct db **ret)
{
	struct db *db;
	uint64_t next;
	int err;

	assert(sqlite3_threadsafe());
	err = check_dir(dir);
	if (err)
		return err;
	db = calloc(1, sizeof(*db));
	if (!db)
		return -ENOMEM;
	pthread_mutex_init(&db->lock, NULL);
	list_init(&db->idle);
	err = -ENOMEM;
	if (asprintf(&db->path, "%s/index.db", dir) < 0)
		goto fail_path;
	err = open_or_renew(db);
	if (err)
		goto fail_writer;
	next = plausible(last_ino(db->writer) + 1);
	db->inos_noted = plausible(db_inos_noted(db));
	err = inos_open(&db->inos, dir, next > db->inos_noted ? next : db->inos_noted);
	if (err)
		goto fail_inos;
	*ret = db;
	return 0;

fail_inos:
	conn_close(db->writer);
fail_writer:
	free(db->path);
fail_path:
	pthread_mutex_destroy(&db->lock);
	free(db);
	return err;
}

/* The writer goes last: only a connection that may write can move the WAL into
 * the database when it is the last one. */
void db_close(struct db *db)
{
	struct list *idle;

	if (!db)
		return;
	if (db->in_tx)
		db_rollback(db);
	while ((idle = list_pop(&db->idle)))
		conn_close(list_entry(idle, struct conn, idle));
	conn_close(db->writer);
	inos_close(&db->inos);
	pthread_mutex_destroy(&db->lock);
	db_filters_free(db);
	free(db->path);
	free(db);
}

void db_sums(struct db *db, struct db_sums *ret)
{
	WITH_LOCK(&db->lock)
		*ret = db->sums;
}

int64_t db_disk_bytes(struct db *db)
{
	char path[PATH_MAX];
	struct stat st;
	int64_t bytes = 0;

	for (int i = 0; i < 6; i++) {
		if (snprintf(path, sizeof(path), "%s%s%s", db->path, i < 3 ? "" : ".damaged",
			     suffix[i % 3]) >= PATH_MAX)
			continue;
		if (stat(path, &st) == 0)
			bytes += (int64_t)st.st_blocks * 512;
	}
	if (fstat(db->inos.fd, &st) == 0)
		bytes += (int64_t)st.st_blocks * 512;
	return bytes;
}

int db_take_inos(struct db *db, uint32_t n, uint64_t *ret_first)
{
	return inos_take(&db->inos, n, ret_first);
}

bool db_was_damaged(struct db *db)
{
	return db->was_damaged;
}
