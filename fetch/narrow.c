/* narrow.c - of a stream that nobody reads on from, little is to be under way.
 *
 * What is behind a paused stream in the buffers of its socket was sent in vain when readers
 * go elsewhere, and the kernel lets these grow to megabytes as soon as the first bytes are
 * read. So they stay small from before the request is sent until it is known that all of the
 * body is wanted, or more than its beginning. Thread F. */
#include <sys/socket.h>

#include "fetch_private.h"

/* Bytes; the kernel takes twice as many, half of which it offers. */
enum { NARROW = 64 * 1024, GROWS = 0 };

void narrow_begin(struct transfer *t)
{
	int bytes = NARROW, grows = GROWS;

	/* Connected: else the window could never be larger than what these hold. A connection
	 * that is used again has what it has. Before Linux 5.14 there is no way back. */
	if (t->opened != CURL_SOCKET_BAD &&
	    setsockopt(t->opened, SOL_SOCKET, SO_BUF_LOCK, &grows, sizeof grows) == 0 &&
	    setsockopt(t->opened, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0)
		t->narrow = t->opened;
}

bool narrow_is_own(const struct transfer *t)
{
	long version = 0;

	curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
	return version < CURL_HTTP_VERSION_2_0;
}

void narrow_end(struct transfer *t)
{
	int grows = GROWS;

	if (t->narrow == CURL_SOCKET_BAD)
		return;
	setsockopt(t->narrow, SOL_SOCKET, SO_BUF_LOCK, &grows, sizeof grows);
	t->narrow = CURL_SOCKET_BAD;
}
