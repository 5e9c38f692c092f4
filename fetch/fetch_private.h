/* fetch_private.h - what the files of the fetch core share.
 *
 * want.c     the door: serve, join, or start            any thread
 * stored.c   may it be used, and for how long?          any thread
 * purge.c    what is under way is not kept              any thread
 * loop.c     epoll and curl_multi, messages, timers     thread F
 * transfer.c one exchange: begin, redirect, end         thread F
 * transfer_fail.c what went wrong, and another try     thread F
 * request.c  what we send                               thread F
 * response.c what came: headers decide, bytes flow      thread F
 * response_range.c   ... upon a Range request           thread F
 * promise.c  versions of which a listing told thread F, but promise_make()
 * dirs*.c    what origins list: the door, the memory      any thread
 * gather*.c  and asking for it, reading it                thread L
 * fill.c     bytes that readers wait for                thread F
 * narrow.c   how much of them may be under way          thread F
 * resolve.c  why a host has no address                  thread F
 * absent.c   hosts that do not exist                    any thread
 * look.c     what is under way, for people              thread F
 * sight.c    what an exchange cost                      thread F
 * policy.c   headers -> struct meta                     pure
 * turn.c     whose turn it is                           thread F
 *
 * Lock order: fetch.lock -> index.lock -> version.lock -> inbox. */
#ifndef FETCH_PRIVATE_H
#define FETCH_PRIVATE_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/inbox.h"
#include "../base/list.h"
#include "../base/map.h"
#include "decode.h"
#include "dirs.h"
#include "fetch.h"
#include "header_file.h"
#include "headers.h"
#include "hold.h"
#include "lane.h"
#include "policy.h"
#include "sight.h"
#include "url.h"

#define FETCH_WHOLE (4 * 1024 * 1024)	/* bodies up to this come whole ... */
#define FETCH_FIRST (256 * 1024)	/* ... of larger ones this much before a READ asks */
#define FETCH_AHEAD (4 * 1024 * 1024)	/* how far a stream runs ahead of its readers */
#define FETCH_NEAR (512 * 1024)		/* a stream so close before a need will get there */
#define FETCH_LOOK_MS 500		/* a paused stream is looked at after so long */
#define FETCH_IDLE_MS 20000		/* a paused stream that nobody needs ends */
#define FETCH_HOPS_MAX 10		/* redirects */

enum message_kind { MESSAGE_START, MESSAGE_NEED, MESSAGE_ROOM, MESSAGE_LOOK, MESSAGE_RESOLVED };

/* To thread F. */
struct message {
	struct list link;
	enum message_kind kind;
	struct version *v;		/* NEED: a reference */
	int64_t off, end;
};

enum transfer_kind {
	TRANSFER_GET,			/* for wants: brings a new version, or confirms one */
	TRANSFER_RANGE,			/* more bytes of a version that exists */
};

enum transfer_state {
	TRANSFER_QUEUED,		/* waits for a slot */
	TRANSFER_WAITING,		/* for its time to try again */
	TRANSFER_RUNNING,		/* curl has it */
	TRANSFER_PAUSED,		/* curl has it; no reader needs more, or no room */
	TRANSFER_ENDED,
};

struct transfer {
	struct message start;
	_Atomic int refs;		/* F's, and one while thread I records its version */

	/* constant */
	struct fetch *fetch;
	enum transfer_kind kind;
	char *key;
	const struct policy *policy;
	bool warm;			/* nobody waited for it when it began */

	/* guarded by fetch.lock */
	struct map_node node;		/* fetch.inflight while joinable */
	bool joinable;
	bool purged;			/* what it brings is not kept */
	struct list wants;
	bool answered;			/* those who join now get this at once: */
	int answer_err;
	struct version *answer;		/* a reference */
	struct version *meanwhile;	/* what those get who need not wait; constant reference */
	enum cache_status status;

	/* thread F */
	struct list link;		/* fetch.active, .queued or .waiting */
	enum transfer_state state;
	char *url;			/* this hop's */
	int hops, attempt;
	bool foreign;			/* redirected to another origin: no headers of ours */
	bool chain;			/* redirects say how long it may be fresh: */
	int64_t chain_fresh_until_ms;
	bool chain_no_store, chain_revalidate;
	char *chain_vary;		/* what redirects said, or NULL */
	CURL *easy;
	struct curl_slist *fields;
	struct header_lines *lines;	/* of the header_file, as they were sent; reference */
	bool added;			/* easy is in the multi ... */
	bool placed;			/* ... and has told which socket it waits for */
	struct version *stale;		/* what a conditional request is about; reference */
	struct version *promise;	/* what a listing told of its response; reference */
	struct version *v;		/* what it fills; reference */
	struct list record_link;	/* fetch.unrecorded */
	bool recorded;			/* version_record was called */

	int64_t begun_ms;		/* mono: when it was queued first */
	int64_t from;			/* first byte of the body that it was begun for */
	int64_t pos;			/* next byte of the body to come */
	int64_t end;			/* RANGE: where it ends; -1: to the end of the body */
	int64_t target;			/* no byte behind this is wanted for now; -1: no limit */
	bool no_room;			/* paused for lack of space ... */
	bool room_again;		/* ... and about to be resumed */
	int64_t last_progress_ms, last_need_ms;	/* mono */
	int64_t retry_at_ms;		/* WAITING; mono */
	char *unresolved;		/* WAITING to hear why this host has no address */
	struct lane *slots, *rate;	/* of this hop's host; references */
	bool throttled;			/* paused: its host has sent enough for now */

	/* thread F, this exchange */
	struct headers headers;
	int http_status;
	bool headers_done;
	int64_t part_end;		/* as Content-Range says; -1: it is no part */
	bool conditional;		/* it asks whether t->stale is what there is */
	bool whole;			/* its last byte was seen */
	bool body_ignored;		/* of a redirect or an error */
	int64_t ignored;		/* bytes of it so far */
	int64_t skip;			/* bytes of the body to drop first */
	struct decoder *decoder;
	int64_t request_ms, response_ms;	/* wall */
	struct sight sight;
	int64_t retry_after_ms;		/* -1: none */
	CURLcode code;			/* how curl ended it */
	int abort_err;			/* we ended it, and why; 0 */
	char *location;			/* redirect to follow */
	curl_socket_t opened;		/* in this exchange; CURL_SOCKET_BAD: none */
	curl_socket_t narrow;		/* whose buffer may not grow; CURL_SOCKET_BAD: none */
	char curl_error[CURL_ERROR_SIZE];
};

struct fetch {
	struct fetch_config config;	/* constant */
	char *base_origin;		/* "https://host:port" or NULL */
	char *base_host;		/* its host and port, for the address check */
	uint16_t base_port;
	char *base_user;		/* its "user:password" or NULL */

	pthread_mutex_t lock;
	struct map inflight;		/* transfers that can be joined, by key */
	uint64_t generation;		/* grows whenever one leaves */
	struct holds holds;
	struct holds absent;		/* by host */
	struct resolver *resolver;
	struct dirs dirs;		/* has its own lock */

	struct inbox inbox;		/* struct message */
	int wake_fd;			/* eventfd */
	_Atomic bool stopping;
	_Atomic bool offline;		/* nobody is asked for a name */
	_Atomic bool room;		/* there may be room for who paused for it */
	bool started;
	pthread_t thread;

	/* thread F */
	CURLM *multi;
	CURLSH *share;
	int epoll;
	int64_t curl_timeout_ms;	/* mono; -1: none */
	struct list active, queued, waiting;
	struct list unrecorded;		/* transfer.record_link */
	struct transfer *unflushed;	/* what it brought may be kept back; within a call of curl */
	struct list idle_easies;
	int n_running;			/* active and not paused: they take slots */
	bool stuck;			/* nothing of queued can run before something ends */
	struct lanes lanes;
	struct pattern {		/* how readers of a version move; by ino % N */
		uint64_t ino;
		int64_t last_end, size;
	} patterns[256];
	uint32_t random;
};

/* transfer_new.c */
/* url: what is sent for it; NULL: the key. */
struct transfer *transfer_new(struct fetch *f, enum transfer_kind kind, const char *key,
			      const char *url);
void transfer_unref(struct transfer *t);

/* narrow.c */
void narrow_begin(struct transfer *t);	/* its request is about to be sent */
bool narrow_is_own(const struct transfer *t);	/* headers are in: others do not use its socket */
void narrow_end(struct transfer *t);	/* more of it is wanted, or it ends */

/* want.c */
/* Everyone who waits for it: v (borrowed) or err. It can be joined further on
 * when v is still coming. */
void transfer_answer(struct transfer *t, int err, struct version *v, enum cache_status status);
void transfer_leave(struct transfer *t);	/* cannot be joined any more */
void transfer_leave_locked(struct transfer *t);	/* with fetch.lock held */
/* Starts what brings v, a promise; -EAGAIN: look again. */
int transfer_start_promised(struct fetch *f, struct version *v);

/* Whether the options let url be asked for key: it is that, or where a redirect leads.
 * Whose address it has is seen after DNS. */
bool fetch_may_ask(const struct fetch *f, const char *key, const char *url);
const struct policy *fetch_policy(const struct fetch *f, const char *key);

/* stored.c */
enum stored_use { USE_NOT, USE_FRESH, USE_STALE_WHILE_REVALIDATE, USE_STALE };

/* As index_find(); but what is not to be stored any more is of use only where nothing can be
 * asked for. */
int stored_find(const struct fetch *f, const struct policy *policy, const char *key,
		unsigned flags, struct version **ret);
enum stored_use stored_may_use(const struct fetch *f, struct version *v, unsigned want_flags);
bool stored_may_stand_in(struct version *v);	/* while the origin fails (RFC 5861 4) */
/* Some of it is not there, nobody fetches that any more (it fell out of a window), and
 * another response could not be told to be the same. */
bool stored_is_lost(struct version *v);
/* For how long nobody need ask again. */
int64_t stored_fresh_ms(const struct fetch *f, struct version *v);
/* When it is time to ask again behind; INT64_MAX: not while it is fresh. */
int64_t stored_ahead_ms(const struct policy *p, const struct meta *m);

/* loop.c */
int loop_open(struct fetch *f);
void loop_close(struct fetch *f);
void *loop_main(void *fetch);
void loop_wake(void *fetch);
void loop_watch_idle(struct fetch *f, curl_socket_t s);	/* curl keeps it for reuse */

/* transfer.c */
void transfer_begin(struct transfer *t);	/* queue it, or start it */
void transfer_run_queue(struct fetch *f);
void transfer_done(struct transfer *t, CURLcode code);
void transfer_end(struct transfer *t);		/* takes F's reference */
void transfer_set_state(struct transfer *t, enum transfer_state state);
void transfer_detach(struct transfer *t);	/* from curl */
void transfer_pause(struct transfer *t);
void transfer_paused_by_curl(struct transfer *t);	/* it was told so by a callback */
void transfer_resume(struct transfer *t);
void transfer_came(struct transfer *t, size_t len);	/* bytes: more may have to wait */
void transfer_tick(struct fetch *f, int64_t now_ms);	/* time limits, retries, idle streams */
void transfer_flush_unrecorded(struct fetch *f);
void transfer_complete(struct transfer *t);	/* every byte of t->v is there */

/* transfer_fail.c; from outside of curl's callbacks */
void transfer_abort(struct transfer *t, int err);
bool transfer_try_again(struct transfer *t, int err);	/* false: it makes no sense */

/* turn.c */
void turn_count(const struct transfer *t, int by);	/* around each change of t->state */
int turn_change_lanes(struct transfer *t, bool none);	/* t->url has another host, or t ends */
struct transfer *turn_next(struct fetch *f);	/* of f->queued; NULL: nobody's turn */
void turn_wait(struct transfer *t);		/* paused: until its host may send again */

/* request.c */
int request_build(struct transfer *t);		/* t->easy is ready to be added */
void request_release(struct transfer *t);
bool request_has_field(const char *const *lines, const char *name);	/* NULL: none */
bool request_is_head(const struct transfer *t);

/* response.c */
void response_refuse_leftovers(struct transfer *t);	/* the body is whole */
size_t response_header(char *data, size_t size, size_t n, void *transfer);
size_t response_body(char *data, size_t size, size_t n, void *transfer);
int response_end_of_body(struct transfer *t);	/* flushes the decoder */
int64_t response_length(const struct transfer *t);	/* as Content-Length says; -1: it does not */

/* response_range.c: the headers of an answer to a request for bytes of t->v. 0: they come;
 * -errno: it ends with that; -ENOTSUP: it is about no bytes, an error like any other. */
int response_range(struct transfer *t);

/* The key of a question about a URL, other than for its content: it has a fragment, which
 * no key of a response has. What comes is shared by who waits for it, never stored. */
#define FETCH_HEAD "#head"
#define FETCH_PROPFIND "#propfind"
#define FETCH_LIST "#list"
bool fetch_is_question(const char *key);

/* promise.c */
int promise_take(struct transfer *t, struct meta *m, bool transient);	/* 1: t->v is it now */
void promise_tell_readers(struct transfer *t);		/* and who waits for bytes of it */
void promise_break(struct transfer *t, int err);	/* if it was not kept */
void promise_need(struct fetch *f, struct version *v);	/* somebody reads it: ask for it */

/* fill.c */
void fill_need(struct fetch *f, struct version *v, int64_t off, int64_t end);
bool fill_any_transfer(struct fetch *f, const struct version *v);	/* that brings bytes of v */
bool fill_is_strong(const char *etag);	/* RFC 9110 8.8.3; NULL is not */
bool fill_can_compare(const struct meta *m);	/* tells a second body from another one */
bool fill_can_range(const struct meta *m);
void fill_adjust(struct transfer *t);		/* after bytes came: pause or go on */
void fill_flush(struct fetch *f);	/* what curl handed over is there for readers */

/* resolve.c */
struct resolver;
int resolver_open(struct fetch *f);
void resolver_close(struct fetch *f);
/* t, which is about to wait, hears why its host has no address: it is aborted with
 * -ENOENT or -EHOSTUNREACH, the latter also when its time is over. False: no way. */
bool resolve_why(struct transfer *t);
struct transfer *resolve_late(struct fetch *f, int64_t now_ms);	/* one whose time is over */
void resolve_answer(struct fetch *f, struct message *m);	/* takes m, as does */
void resolve_drop(struct message *m);

/* absent.c */
void absent_add(struct fetch *f, const char *host, int64_t ttl_ms);
bool absent_has(struct fetch *f, const char *key);	/* the host of that URL */
void absent_drop(struct fetch *f, const struct target *targets, size_t n);

/* look.c */
void look_answer(struct fetch *f, struct message *m);	/* takes m */
void look_drop(struct message *m);		/* nobody answers any more: takes m */

/* policy.c; lines are those of the header_file that were sent, or NULL */
struct meta *policy_meta(const struct fetch *f, int status, const struct headers *h,
			 int64_t request_ms, int64_t response_ms, int64_t length,
			 const char *url, const char *key, const struct header_lines *lines);
/* Whether what is stored of key answers the request that we would send (RFC 9111 4.1). */
bool policy_selects(const struct fetch *f, const struct meta *m, const char *key);
/* The 304 h confirms m: merged fields, new freshness. */
struct meta *policy_refresh(const struct fetch *f, const struct meta *m,
			    const struct headers *h, int64_t request_ms, int64_t response_ms,
			    const char *key, const struct header_lines *lines);
/* What is found behind redirects is fresh no longer than each of them. 0 or -ENOMEM. */
int policy_note_redirect(struct transfer *t);
void policy_limit(const struct transfer *t, struct meta *m);

#endif
