/* promise.c - a listing told size and time of a file, and now its response comes: does
 * it say the same?
 *
 * If so, what was shown is what it fills. If not, it is another version: who was shown
 * the promise and reads it gets ESTALE, for its size is wrong, and who looks it up again
 * sees what there is. Nothing is ever cut or padded to what was promised. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/counters.h"
#include "../base/log.h"
#include "fetch_private.h"

int fetch_promise(struct fetch *f, const char *key, int64_t size, int64_t mtime_s,
		  struct version **ret)
{
	_cleanup_(meta_unrefp) struct meta *m = meta_new();
	char *reason = strdup("listed");

	if (!m || !reason) {
		free(reason);
		return -ENOMEM;
	}
	m->length = size;
	m->mtime_s = mtime_s;
	free(m->reason);
	m->reason = reason;
	return index_promise(f->config.index, key, m, ret);
}

/* --- HEAD --- */

char *fetch_head_key(const char *key)
{
	char *question;

	return asprintf(&question, "%s" FETCH_HEAD, key) < 0 ? NULL : question;
}

/* RFC 9110 8.6; with a transfer or content coding it is not the size of the file. */
static int64_t size_of(const struct headers *h)
{
	const char *value = headers_get(h, "Content-Length");
	const char *coding = headers_get(h, "Content-Encoding");
	size_t n = value ? strspn(value, "0123456789") : 0;

	if (n == 0 || n > 18 || value[n] || headers_get(h, "Transfer-Encoding") ||
	    (coding && strcmp(coding, "identity") != 0))
		return -1;
	return strtoll(value, NULL, 10);
}

void fetch_head_read(struct version *head, int64_t *ret_size, int64_t *ret_mtime_s)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(head);
	struct headers h = HEADERS_INIT;

	*ret_size = headers_parse(m->headers, &h) == 0 ? size_of(&h) : -1;
	*ret_mtime_s = m->last_modified ? m->mtime_s : -1;
	headers_fini(&h);
}

/* --- thread F --- */

/* Under fetch.lock. */
int promise_take(struct transfer *t, struct meta *m, bool transient)
{
	_cleanup_(meta_unrefp) struct meta *told = t->promise ? version_meta(t->promise) : NULL;

	if (!told || t->v || version_state(t->promise) != VERSION_ARRIVING ||
	    m->status != 200 || m->length != told->length ||
	    (m->last_modified && m->mtime_s != told->mtime_s))
		return 0;
	if (version_keep(t->promise, m, transient) < 0)
		return 0;
	t->v = version_ref(t->promise);
	return 1;
}

/* They asked before anything was under way. Not from within curl: as a message. */
void promise_tell_readers(struct transfer *t)
{
	int64_t end = 0, off = version_wanted(t->v, 0, &end);

	if (off >= 0)
		fetch_need(t->fetch, t->v, off, end);
}

void promise_break(struct transfer *t, int err)
{
	_cleanup_(meta_unrefp) struct meta *m = NULL;

	if (!t->promise || t->promise == t->v)
		return;
	m = version_meta(t->promise);
	/* Unless another transfer has kept it. */
	if (version_state(t->promise) == VERSION_ARRIVING && m->status == 0) {
		log_debug("%s: not what was listed: %s", t->key, strerror(-err));
		count(promises_broken);
		dirs_distrust(&t->fetch->dirs, t->key);
		version_fail(t->promise, err);
	}
	version_unref(TAKE_PTR(t->promise));
}

void promise_need(struct fetch *f, struct version *v)
{
	const char *key = version_key(v);
	int err = fetch_may_ask(f, key, key) ? -EAGAIN : -EACCES;

	if (err == -EAGAIN && fetch_is_offline(f))
		err = -ENETDOWN;
	while (err == -EAGAIN) {
		struct version *now = index_find_promise(f->config.index, key);

		/* Another listing told something else since. */
		err = now == v ? transfer_start_promised(f, v) : -ESTALE;
		version_unref(now);
	}
	if (err)
		version_fail(v, err);
}
