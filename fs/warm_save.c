#include "warm_save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/log.h"
#include "values.h"

void warm_save_init(struct warm_save *s)
{
	*s = (struct warm_save){ .failed = false };
	pthread_mutex_init(&s->lock, NULL);
}

void warm_save_fini(struct warm_save *s)
{
	pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s->aside);
}

int warm_save_open(struct warm_save *s, const char *cache_dir)
{
	struct buf path = BUF_INIT, aside = BUF_INIT;

	buf_printf(&path, "%s/" WARM_SAVE_NAME, cache_dir);
	buf_printf(&aside, "%s/" WARM_SAVE_NAME ".new", cache_dir);
	s->path = buf_take(&path);
	s->aside = buf_take(&aside);
	return s->path && s->aside ? 0 : -ENOMEM;
}

void warm_save_item(const struct warm_item *item, const struct warm_item *last, struct buf *to)
{
	if (!last || strcmp(item->list, last->list) != 0)
		buf_printf(to, "list %s\n", item->list);
	if (!last || item->jobs != last->jobs)
		buf_printf(to, "jobs %d\n", item->jobs);
	if (!last || item->delay_ms != last->delay_ms) {
		buf_str_append(to, "delay ");
		value_print_duration(to, item->delay_ms);
		buf_char(to, '\n');
	}
	buf_printf(to, "%s\n", item->key);
}

static void complain(struct warm_save *s, int err)
{
	if (!s->failed)
		log_warn("%s: %s: what is queued to be warmed would not survive a restart",
			 s->path, strerror(-err));
	s->failed = true;
}

static int write_all(int fd, const struct buf *text)
{
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

static int write_file(const char *path, int flags, const struct buf *text)
{
	int fd _cleanup_(cleanup_close) = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

	return fd < 0 ? -errno : write_all(fd, text);
}

void warm_save_append(struct warm_save *s, const struct buf *text)
{
	int err = buf_ok(text) ? write_file(s->path, O_APPEND, text) : -ENOMEM;

	if (err < 0)
		complain(s, err);
}

void warm_save_replace(struct warm_save *s, const struct buf *text)
{
	int err = buf_ok(text) ? 0 : -ENOMEM;

	if (!err && text->len == 0) {
		if (unlink(s->path) < 0 && errno != ENOENT)
			err = -errno;
	} else if (!err) {
		err = write_file(s->aside, O_TRUNC, text);
		if (!err && rename(s->aside, s->path) < 0)
			err = -errno;
		if (err)
			unlink(s->aside);
	}
	if (err < 0)
		complain(s, err);
	else
		s->failed = false;
}

int warm_save_read(const char *path, size_t most, struct buf *ret)
{
	int fd _cleanup_(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC);
	char piece[16384];
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	while (n != 0) {
		n = read(fd, piece, sizeof piece);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			buf_append(ret, piece, (size_t)n);
		if (ret->len > most)
			return -EFBIG;
	}
	return buf_ok(ret) ? 0 : -ENOMEM;
}
