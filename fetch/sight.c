#include "sight.h"

#include <string.h>

#include "../base/access_log.h"
#include "../base/clock.h"
#include "../base/histogram.h"
#include "../base/origins.h"
#include "fetch_private.h"

void sight_sent(struct transfer *t)
{
	t->sight = (struct sight){
		.open = true,
		.what = t->v ? "range" : t->stale ? "revalidate" : "get",
		.sent_ns = clock_mono_ns(),
	};
	count_at(t->url, upstream_requests);
}

void sight_headers(struct transfer *t)
{
	int64_t us = (clock_mono_ns() - t->sight.sent_ns) / 1000;

	histogram_add(histogram_of(HISTOGRAM_ttfb), us);
	origin_add_ttfb(t->url, us);
}

void sight_bytes(struct transfer *t, size_t n)
{
	t->sight.bytes += (int64_t)n;
	count_by_at(t->url, upstream_bytes, (int64_t)n);
}

void sight_paused(struct transfer *t, bool paused)
{
	struct sight *s = &t->sight;

	if (paused && !s->paused_since_ns)
		s->paused_since_ns = clock_mono_ns();
	if (paused || !s->paused_since_ns)
		return;
	s->paused_ns += clock_mono_ns() - s->paused_since_ns;
	s->paused_since_ns = 0;
}

static const char *outcome(const struct transfer *t, int err)
{
	if (t->location)
		return "redirect";
	/* A status says it all. */
	if (!err || (t->headers_done && t->http_status >= 400))
		return t->sight.what;
	return t->curl_error[0] ? t->curl_error : strerror(-err);
}

void sight_ended(struct transfer *t, int err)
{
	struct access line = { .url = t->url, .word = "FETCH", .status = t->http_status };

	if (!t->sight.open)
		return;
	sight_paused(t, false);
	t->sight.open = false;
	line.took_us = (clock_mono_ns() - t->sight.sent_ns - t->sight.paused_ns) / 1000;
	if (t->headers_done)
		histogram_add(histogram_of(HISTOGRAM_fetch_duration), line.took_us);
	if (!access_log_wanted())
		return;
	line.bytes = t->sight.bytes;
	line.reason = outcome(t, err);
	access_log_add(&line);
}
