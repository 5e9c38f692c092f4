/* buf.h - growable bytes.
 *
 * Always terminated by a 0 that len does not count, so data can be used as a
 * string. An allocation that fails leaves `failed` set and makes every later
 * append a no-op: check buf_ok() once, at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;		/* owned; never NULL to readers: see buf_str() */
	size_t len;
	size_t cap;
	bool failed;
};

#define BUF_INIT { NULL, 0, 0, false }

void buf_fini(struct buf *b);		/* leaves it empty and usable */
void buf_reset(struct buf *b);		/* len = 0, keeps the memory */
int buf_reserve(struct buf *b, size_t more);	/* 0 or -ENOMEM */
void buf_append(struct buf *b, const void *data, size_t len);
void buf_str_append(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);

/* Append s as a JSON string with its quotes. Bytes that are not UTF-8 are
 * written as U+FFFD. */
void buf_json(struct buf *b, const char *s);

static inline bool buf_ok(const struct buf *b)
{
	return !b->failed;
}

/* Borrowed until the next call on b. */
static inline const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

/* Hands the memory over (NULL if failed); b is empty after. The caller frees. */
char *buf_take(struct buf *b);

#endif
