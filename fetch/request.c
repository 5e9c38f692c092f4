/* request.c - what we send, and to which address. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/counters.h"
#include "../base/log.h"
#include "address.h"
#include "fetch_private.h"

/* Whether the address of this hop may be anything: it is the mount's own origin or one
 * with a name, or the options say so. */
static bool any_address(const struct transfer *t)
{
	const struct fetch *f = t->fetch;
	struct url url;
	const char *reason;
	bool own;

	if (f->config.allow_private || t->policy->proxy)
		return true;
	if (!f->base_host)
		return policies_own(f->config.policies, t->key, t->url);
	if (url_parse(t->url, &url, &reason) < 0)
		return false;
	own = strcmp(url.host, f->base_host) == 0 && url.port == f->base_port;
	url_fini(&url);
	return own;
}

static bool may_connect(struct transfer *t, const struct sockaddr *to)
{
	if (any_address(t) || address_is_public(to))
		return true;
	log_info("%s: its address is %s: refused", t->url,
		 address_class_name(address_classify(to)));
	count(refused);
	t->abort_err = -EACCES;
	return false;
}

/* After DNS, before connect(): on every hop and every retry. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct transfer *t = arg;

	(void)purpose;
	if (!may_connect(t, &a->addr))
		return CURL_SOCKET_BAD;
	t->opened = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	return t->opened;
}

/* Before a request is sent: a connection that is used again may have been made for who may
 * have any address. */
static int before_request(void *arg, char *ip, char *own_ip, int port, int own_port)
{
	struct sockaddr_storage to = { .ss_family = strchr(ip, ':') ? AF_INET6 : AF_INET };
	void *at = to.ss_family == AF_INET ?
			   (void *)&((struct sockaddr_in *)&to)->sin_addr :
			   (void *)&((struct sockaddr_in6 *)&to)->sin6_addr;
	char text[INET6_ADDRSTRLEN];

	(void)own_ip;
	(void)port;
	(void)own_port;
	if (!((struct transfer *)arg)->v)
		narrow_begin(arg);
	/* Of a link-local one the interface stands behind it. What is no address is not public. */
	snprintf(text, sizeof text, "%.*s", (int)strcspn(ip, "%"), ip);
	if (inet_pton(to.ss_family, text, at) != 1)
		to.ss_family = AF_UNSPEC;
	return may_connect(arg, (struct sockaddr *)&to) ? CURL_PREREQFUNC_OK :
							  CURL_PREREQFUNC_ABORT;
}

static int add_line(struct transfer *t, const char *line)
{
	struct curl_slist *grown = curl_slist_append(t->fields, line);

	if (!grown)
		return -ENOMEM;
	t->fields = grown;
	return 0;
}

__attribute__((format(printf, 2, 3)))
static int add_field(struct transfer *t, const char *fmt, ...)
{
	struct buf line = BUF_INIT;
	va_list ap;
	int err;

	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	err = buf_ok(&line) ? add_line(t, buf_str(&line)) : -ENOMEM;
	buf_fini(&line);
	return err;
}

static int add_range(struct transfer *t)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(t->v);
	char range[64];
	int err;

	/* A weak validator cannot tell that ranges fit together (RFC 9110 13.1.5). */
	if (fill_is_strong(m->etag))
		err = add_field(t, "If-Range: %s", m->etag);
	else
		err = add_field(t, "If-Range: %s", m->last_modified ? m->last_modified : "");
	if (t->end >= 0)
		snprintf(range, sizeof range, "%" PRId64 "-%" PRId64, t->pos, t->end - 1);
	else
		snprintf(range, sizeof range, "%" PRId64 "-", t->pos);
	curl_easy_setopt(t->easy, CURLOPT_RANGE, range);
	count(upstream_ranges);
	return err;
}

/* A validator is about one resource (RFC 9110 8.8): whether what is stored came from where this
 * request goes, and not from where a redirect led then, or leads now. */
static bool is_where_it_came_from(const struct transfer *t, const struct meta *m)
{
	char *key = NULL;
	bool same = true;

	if (strcmp(t->url, m->url ? m->url : t->key) == 0)
		return true;
	if (t->hops > 0)
		return false;
	/* The key is there in more than one spelling (ignore_query, sort_query). */
	if (m->url && policies_key(t->fetch->config.policies, m->url, &key) < 0)
		return false;
	if (m->url)
		same = key && strcmp(key, t->key) == 0;
	free(key);
	return same;
}

static int add_conditions(struct transfer *t)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(t->stale);
	int err = 0;

	if (m->status / 100 != 2 || !is_where_it_came_from(t, m))
		return 0;
	t->conditional = true;
	if (m->etag)
		err = add_field(t, "If-None-Match: %s", m->etag);
	if (!err && m->last_modified)
		err = add_field(t, "If-Modified-Since: %s", m->last_modified);
	return err;
}

bool request_has_field(const char *const *headers, const char *name)
{
	size_t n = strlen(name);

	for (; headers && *headers; headers++)
		if (strncasecmp(*headers, name, n) == 0 && (*headers)[n] == ':')
			return true;
	return false;
}

static bool wants_ranges(const struct transfer *t)
{
	_cleanup_(meta_unrefp) struct meta *m = version_meta(t->v);

	return fill_can_range(m);
}

static bool has_field_of(const char *const *lines, const char *line)
{
	size_t n = strcspn(line, ":") + 1;

	for (; lines && *lines; lines++)
		if (strncasecmp(*lines, line, n) == 0)
			return true;
	return false;
}

/* But for those fields that `instead` has. */
static int add_lines(struct transfer *t, const char *const *lines, const char *const *instead)
{
	int err = 0;

	for (; lines && *lines && !err; lines++)
		if (!has_field_of(instead, *lines))
			err = add_line(t, *lines);
	return err;
}

static int add_fields(struct transfer *t)
{
	const char *const *headers = t->foreign ? NULL : t->policy->headers;
	const char *const *file = NULL;
	int err = 0;

	header_lines_unref(t->lines);
	t->lines = header_file_lines(t->policy->header_file);
	if (t->lines && !t->foreign)
		file = (const char *const *)t->lines->lines;
	if (!request_has_field(headers, "Accept-Encoding") &&
	    !request_has_field(file, "Accept-Encoding"))
		err = add_line(t, "Accept-Encoding: identity");
	if (!err)
		err = add_lines(t, headers, file);
	if (!err)
		err = add_lines(t, file, NULL);
	if (!err && t->v)
		err = wants_ranges(t) ? add_range(t) : 0;
	else if (!err && t->stale)
		err = add_conditions(t);
	return err;
}

static void set_network(struct transfer *t)
{
	const struct policy *p = t->policy;
	CURL *e = t->easy;

	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	/* In clear text it would make everyone wait for the first response. */
	curl_easy_setopt(e, CURLOPT_PIPEWAIT, strncmp(t->url, "https:", 6) == 0 ? 1L : 0L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)p->connect_timeout_ms);
	/* What was read from the socket at once is given at once, paused or not. */
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, p->rate > 0 ? 16L * 1024 : 256L * 1024);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, 60L);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
	if (p->user_agent)
		curl_easy_setopt(e, CURLOPT_USERAGENT, p->user_agent);
	if (p->cacert)
		curl_easy_setopt(e, CURLOPT_CAINFO, p->cacert);
	/* Never what the environment says by accident. */
	curl_easy_setopt(e, CURLOPT_PROXY, p->proxy ? p->proxy : "");
	curl_easy_setopt(e, CURLOPT_NOPROXY, "");
	/* Not even a name server that is silent makes this thread wait for its own. */
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	if (p->netrc && !t->foreign)
		curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
}

static int set_user(struct transfer *t)
{
	struct url url;
	const char *reason;

	if (t->foreign || !t->fetch->config.base_url)
		return 0;
	if (url_parse(t->fetch->config.base_url, &url, &reason) < 0)
		return -EINVAL;
	if (url.user)
		curl_easy_setopt(t->easy, CURLOPT_USERPWD, url.user);
	url_fini(&url);
	return 0;
}

/* --- questions --- */

static bool asks(const struct transfer *t, const char *question)
{
	const char *fragment = strchr(t->key, '#');

	return fragment && strcmp(fragment, question) == 0;
}

bool fetch_is_question(const char *key)
{
	return strchr(key, '#') != NULL;
}

bool request_is_head(const struct transfer *t)
{
	return asks(t, FETCH_HEAD);
}

/* RFC 4918 9.1: what is in the directory, but not what is below that. */
static int set_method(struct transfer *t)
{
	static const char body[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
		"<propfind xmlns=\"DAV:\"><prop><resourcetype/><getcontentlength/>"
		"<getlastmodified/></prop></propfind>";
	int err;

	if (request_is_head(t))
		curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
	if (!asks(t, FETCH_PROPFIND))
		return 0;
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, "PROPFIND");
	err = add_line(t, "Depth: 1");
	return err ? err : add_line(t, "Content-Type: application/xml; charset=utf-8");
}

int request_build(struct transfer *t)
{
	int err;

	t->easy = curl_easy_init();
	if (!t->easy)
		return -ENOMEM;
	set_network(t);
	err = set_user(t);
	if (!err)
		err = add_fields(t);
	if (!err)
		err = set_method(t);
	if (err)
		return err;
	t->curl_error[0] = '\0';
	curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
	curl_easy_setopt(t->easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->fields);
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->curl_error);
	curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, response_header);
	curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, response_body);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	t->request_ms = clock_wall_ms();
	sight_sent(t);
	log_debug("GET %s%s%s", t->url, t->stale ? " (revalidated)" : "", t->v ? " (range)" : "");
	return 0;
}

void request_release(struct transfer *t)
{
	if (t->easy)
		curl_easy_cleanup(t->easy);
	t->easy = NULL;
	curl_slist_free_all(t->fields);
	t->fields = NULL;
}
