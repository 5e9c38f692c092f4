/* response.c - what came: the headers decide, then bytes flow into the version.
 *
 * Called by curl on thread F. Ending a transfer from in here is done by leaving
 * abort_err behind and refusing the data; transfer_done() takes it from there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/origins.h"
#include "../base/log.h"
#include "fetch_private.h"
#include "outcome.h"
#include "retry.h"
#include "url_normalise.h"

enum { IGNORED_MAX = 64 * 1024 };

static int give_up(struct transfer *t, int err)
{
	t->abort_err = err;
	return err;
}

/* --- redirects --- */

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Servers encode as they like what they were asked for. */
static bool only_adds_slash(const char *from, const char *to)
{
	struct buf a _cleanup_(buf_fini) = BUF_INIT;
	struct buf b _cleanup_(buf_fini) = BUF_INIT;
	size_t n = strlen(to);

	if (n == 0 || to[n - 1] != '/' || strchr(from, '?') || strchr(to, '?'))
		return false;
	url_normalise_decode(&a, from, strlen(from));
	url_normalise_decode(&b, to, n - 1);
	return buf_ok(&a) && buf_ok(&b) && a.len == b.len &&
	       memcmp(buf_str(&a), buf_str(&b), a.len) == 0;
}

static int on_redirect(struct transfer *t)
{
	const char *location = headers_get(&t->headers, "Location");
	char *to = NULL;

	if (url_resolve(t->url, location, &to) < 0)
		return give_up(t, -EIO);
	/* The name is a directory. */
	if (only_adds_slash(t->url, to)) {
		free(to);
		return give_up(t, -EISDIR);
	}
	/* Never down to a scheme where others can read what was sent in secret. */
	if (strncmp(t->url, "https:", 6) == 0 && strncmp(to, "http:", 5) == 0) {
		free(to);
		return give_up(t, -EACCES);
	}
	if (!fetch_may_ask(t->fetch, t->key, to)) {
		log_info("%s: redirects to a host that is not allowed", t->url);
		count(refused);
		free(to);
		return give_up(t, -EACCES);
	}
	t->location = to;
	t->body_ignored = true;
	return 0;
}

/* --- a new version --- */

/* Under fetch.lock with the look at purged: a purge either finds the version in
 * the index, or keeps it from being shown. */
static int begin_version(struct transfer *t, struct meta *m)
{
	struct version *v = NULL;
	int err = 0, kept = 0;

	WITH_LOCK(&t->fetch->lock) {
		bool transient = t->purged || !(m->flags & META_STORE) || fetch_is_question(t->key);

		kept = promise_take(t, m, transient);
		if (kept == 0)
			err = version_begin(t->fetch->config.index, t->key, m, transient, &v);
		t->status = !(m->flags & META_STORE) ? CACHE_BYPASS
			    : t->stale		     ? CACHE_EXPIRED
						     : CACHE_MISS;
	}
	if (err)
		return give_up(t, err);
	if (!(m->flags & META_STORE))
		count_at(t->key, bypassed);
	if (kept) {
		promise_tell_readers(t);
		return 0;
	}
	promise_break(t, -ESTALE);
	t->v = v;
	return 0;
}

int64_t response_length(const struct transfer *t)
{
	const char *value = headers_get(&t->headers, "Content-Length");
	curl_off_t length = -1;

	/* curl has checked it; with chunked it does not count (RFC 9112 6.3). */
	if (!value || headers_get(&t->headers, "Transfer-Encoding"))
		return -1;
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return length;
}

/* Two lengths that differ, or one beyond what can be counted, which curl takes for none:
 * where does the body end? (RFC 9112 6.3) */
static bool length_is_unclear(const struct headers *h)
{
	const char *first = headers_get(h, "Content-Length"), *other;

	for (size_t i = 1; (other = headers_get_nth(h, "Content-Length", i)) != NULL; i++)
		if (strcmp(first, other) != 0)
			return true;
	return first && strtoll(first, NULL, 10) == INT64_MAX;
}

static int on_success(struct transfer *t)
{
	_cleanup_(cleanup_free) char *coding = headers_get_joined(&t->headers, "Content-Encoding");
	_cleanup_(meta_unrefp) struct meta *m = NULL;
	int64_t length = response_length(t);
	int err = decoder_new(coding, &t->decoder);

	if (err)
		return give_up(t, -EIO);
	if (t->http_status == 206)
		return give_up(t, -EIO);	/* nobody asked for a part */
	if (t->http_status == 204 || t->http_status == 205)
		length = 0;
	/* What its headers say of a body does not come. */
	if (request_is_head(t))
		length = 0;
	else if (length_is_unclear(&t->headers))
		return give_up(t, -EIO);
	if (t->policy->max_object >= 0 && length > t->policy->max_object)
		return give_up(t, -EFBIG);
	if (t->decoder)
		length = -1;
	if (t->chain_vary && headers_add(&t->headers, "Vary", t->chain_vary) < 0)
		return give_up(t, -ENOMEM);
	m = policy_meta(t->fetch, t->http_status, &t->headers, t->request_ms, t->response_ms, length,
			t->url, t->key, t->lines);
	if (!m)
		return give_up(t, -ENOMEM);
	if (t->decoder)
		m->flags |= META_DECODED;
	policy_limit(t, m);
	err = begin_version(t, m);
	if (err)
		return err;
	/* Of unknown length: shown when it is whole, since it cannot grow then. */
	if (length >= 0)
		list_append(&t->fetch->unrecorded, &t->record_link);
	if (length == 0)
		t->body_ignored = true;
	if (length <= FETCH_WHOLE || !fill_can_range(m) || !narrow_is_own(t))
		narrow_end(t);
	return 0;
}

/* --- 304 --- */

/* RFC 9110 8.8.3.2 */
static bool same_weakly(const char *a, const char *b)
{
	return strcmp(a + (strncmp(a, "W/", 2) ? 0 : 2), b + (strncmp(b, "W/", 2) ? 0 : 2)) == 0;
}

/* The same URL again, which counts as a hop: no origin can make it endless. */
static int ask_without_conditions(struct transfer *t)
{
	t->location = strdup(t->url);
	if (!t->location)
		return give_up(t, -ENOMEM);
	version_unref(TAKE_PTR(t->stale));
	t->body_ignored = true;
	return 0;
}

static int on_not_modified(struct transfer *t)
{
	_cleanup_(meta_unrefp) struct meta *old = version_meta(t->stale), *m = NULL;
	const char *etag = headers_get(&t->headers, "ETag");

	/* Nobody asked for that of what is not there. */
	if (old->status / 100 != 2)
		return give_up(t, -EIO);
	/* One that is about something else confirms nothing (RFC 9111 4.3.4). */
	if (etag && (!old->etag || !same_weakly(etag, old->etag)))
		return ask_without_conditions(t);
	m = policy_refresh(t->fetch, old, &t->headers, t->request_ms, t->response_ms, t->key,
			   t->lines);
	if (!m)
		return give_up(t, -ENOMEM);
	policy_limit(t, m);
	/* Of before a purge or a refresh: it says nothing of after it. */
	WITH_LOCK(&t->fetch->lock)
		if (!t->purged)
			version_set_meta(t->stale, m);
	count_at(t->key, revalidated);
	t->body_ignored = true;
	transfer_answer(t, 0, t->stale, CACHE_REVALIDATED);
	return 0;
}

/* --- all of them --- */

/* Whether what came is worth more than the copy that it would take the place of. */
static bool gives_way(const struct transfer *t, int err)
{
	_cleanup_(meta_unrefp) struct meta *m = t->stale ? version_meta(t->stale) : NULL;

	return m && m->status / 100 == 2 && (outcome_may_retry(err) || err == -ETIMEDOUT);
}

/* What the origin says about the name is kept as long as it says. */
static int keep_status(struct transfer *t, struct meta *m)
{
	struct version *v = NULL;
	int err = 0;

	WITH_LOCK(&t->fetch->lock)
		err = version_begin(t->fetch->config.index, t->key, m,
				    t->purged || fetch_is_question(t->key), &v);
	if (err)
		return give_up(t, err);
	version_record(v, NULL, NULL);
	t->status = CACHE_MISS;
	transfer_answer(t, 0, v, CACHE_MISS);
	version_unref(v);
	return 0;
}

static int on_error_status(struct transfer *t)
{
	const char *after = headers_get(&t->headers, "Retry-After");
	_cleanup_(meta_unrefp) struct meta *m = NULL;

	t->body_ignored = true;
	if (after)
		t->retry_after_ms = retry_after_parse(after, t->response_ms);
	if (t->kind != TRANSFER_GET || t->v ||
	    gives_way(t, outcome_errno_of_status(t->http_status)))
		return 0;
	m = policy_meta(t->fetch, t->http_status, &t->headers, t->request_ms, t->response_ms, 0,
			t->url, t->key, t->lines);
	if (!m)
		return give_up(t, -ENOMEM);
	policy_limit(t, m);
	if ((m->flags & META_STORE) && m->fresh_until_ms > m->response_ms)
		return keep_status(t, m);
	return 0;
}

/* Where a redirect led is often a URL for a while only: who asks for the key again is told
 * another one. */
static bool is_gone_from_where_it_was(const struct transfer *t)
{
	switch (t->http_status) {
	case 401:
	case 403:
	case 404:
	case 410:
		return t->kind == TRANSFER_RANGE && t->hops == 0 && strcmp(t->url, t->key) != 0;
	}
	return false;
}

static int ask_the_key(struct transfer *t)
{
	t->location = strdup(t->key);
	t->body_ignored = true;
	return t->location ? 0 : give_up(t, -ENOMEM);
}

static int on_headers(struct transfer *t)
{
	t->response_ms = clock_wall_ms();
	if (is_redirect(t->http_status) && headers_get(&t->headers, "Location"))
		return policy_note_redirect(t) < 0 ? give_up(t, -ENOMEM) : on_redirect(t);
	if (t->v && is_gone_from_where_it_was(t)) {
		return ask_the_key(t);
	} else if (t->v) {
		int err = response_range(t);

		if (err != -ENOTSUP)
			return err ? give_up(t, err) : 0;
	} else if (t->http_status == 304 && t->stale && t->conditional) {
		return on_not_modified(t);
	} else if (t->http_status / 100 == 2) {
		return on_success(t);
	}
	return on_error_status(t);
}

size_t response_header(char *data, size_t size, size_t n, void *transfer)
{
	struct transfer *t = transfer;
	size_t len = size * n;
	int err;

	t->last_progress_ms = clock_mono_ms();
	if (t->headers_done)
		return len;	/* trailers are nothing to us */
	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) {
		const char *code = memchr(data, ' ', len);

		headers_fini(&t->headers);
		t->http_status = code ? (int)strtol(code + 1, NULL, 10) : 0;
		return len;
	}
	if (data[0] == '\r' || data[0] == '\n') {
		if (t->http_status / 100 == 1)
			return len;	/* the real one follows */
		t->headers_done = true;
		headers_drop_hop_by_hop(&t->headers);
		sight_headers(t);
		return on_headers(t) < 0 ? 0 : len;
	}
	err = headers_add_line(&t->headers, data, len);
	if (err == -E2BIG || err == -ENOMEM) {
		give_up(t, err == -E2BIG ? -EIO : err);
		return 0;
	}
	return len;
}

/* --- bytes --- */

/* What an origin sends behind a body must not become the answer to somebody else's
 * request: curl 7.88 uses such a connection again. */
void response_refuse_leftovers(struct transfer *t)
{
	curl_socket_t s = CURL_SOCKET_BAD;
	long version = 0;
	char byte;

	t->whole = true;
	curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &s);
	curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
	if (s != CURL_SOCKET_BAD && version < CURL_HTTP_VERSION_2_0 &&
	    recv(s, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
}

static int write_bytes(struct transfer *t, const char *data, size_t len)
{
	int64_t max = t->policy->max_object;
	int err;

	if (max >= 0 && t->pos + (int64_t)len > max)
		return -EFBIG;
	err = version_append(t->v, t->pos, data, len);
	if (!err)
		t->pos += (int64_t)len;
	return err;
}

/* Decoded bytes cannot be handed back to curl to come again. */
static int write_decoded(void *arg, const void *data, size_t len)
{
	struct transfer *t = arg;
	int err = write_bytes(t, data, len);

	if (err != -ENOBUFS)
		return err;
	version_no_room(t->v);
	return write_bytes(t, data, len);
}

static void room(void *fetch)
{
	struct fetch *f = fetch;

	atomic_store(&f->room, true);
	loop_wake(f);
}

static size_t pause_for_room(struct transfer *t)
{
	int64_t there;

	t->no_room = true;
	transfer_paused_by_curl(t);
	version_on_room(t->v, room, t->fetch);
	/* A reader may have come closer before it knew whom to tell. */
	there = version_room(t->v, t->pos);
	if (there > 0 && there < INT64_MAX)
		room(t->fetch);
	return CURL_WRITEFUNC_PAUSE;
}

/* A body that nobody needs: short ones are read to keep the connection. */
static size_t ignore_body(struct transfer *t, size_t len)
{
	t->ignored += (int64_t)len;
	if (t->ignored <= IGNORED_MAX)
		return len;
	t->abort_err = t->location || t->answered ? 0 : outcome_errno_of_status(t->http_status);
	return 0;
}

/* More than the headers said: what stands behind a range is not what comes next in the body. */
static bool is_too_much(const struct transfer *t, size_t len)
{
	int64_t end = t->part_end >= 0 ? t->part_end : version_length(t->v);

	return end >= 0 && t->pos + (int64_t)len > end;
}

size_t response_body(char *data, size_t size, size_t n, void *transfer)
{
	struct transfer *t = transfer;
	struct fetch *f = t->fetch;
	size_t len = size * n, from = 0;
	int64_t length;
	int err;

	t->last_progress_ms = clock_mono_ms();
	/* curl goes on behind what was refused while it was unpaused. */
	if (t->abort_err)
		return 0;
	if (t->body_ignored || !t->v)
		return ignore_body(t, len);
	if (t->skip) {
		from = t->skip < (int64_t)len ? (size_t)t->skip : len;
		if (t->skip > (int64_t)len || from == len) {
			t->skip -= (int64_t)len;
			sight_bytes(t, len);
			return len;
		}
	}
	if (f->unflushed != t)
		fill_flush(f);
	if (t->decoder)
		err = decoder_push(t->decoder, data, len, write_decoded, t);
	else if (is_too_much(t, len - from))
		err = -EIO;
	else
		err = write_bytes(t, data + from, len - from);
	if (err == -ENOBUFS)
		return pause_for_room(t);
	if (err) {
		give_up(t, err == -EBADMSG || err == -EPROTONOSUPPORT ? -EIO : err);
		return 0;
	}
	t->skip = 0;
	length = version_length(t->v);
	f->unflushed = t;
	if (length >= 0 && t->pos == (t->end >= 0 ? t->end : length)) {
		if (!t->decoder)
			response_refuse_leftovers(t);
		fill_flush(f);
	}
	fill_adjust(t);
	transfer_came(t, len);
	/* Behind it: readers have their bytes, and no-store ends with the body. */
	sight_bytes(t, len);
	return len;
}

int response_end_of_body(struct transfer *t)
{
	int err = t->decoder ? decoder_end(t->decoder) : 0;

	return err == -EBADMSG ? -EIO : err;
}
