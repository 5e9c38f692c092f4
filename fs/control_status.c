/* control_status.c - .control/status.html: a page that needs nothing but itself. What it
 * shows at first is written into it, so that it is of use wherever the file gets to. */
#include <errno.h>
#include <string.h>

#include "../base/clock.h"
#include "control_files.h"
#include "fs.h"
#include "options.h"
#include "status_html.h"

/* A JSON text within a script element: no part of it may end that (HTML, 4.12.1.3). */
static void put_json(struct buf *to, const struct buf *json)
{
	for (size_t i = 0; i < json->len; i++)
		if (json->data[i] == '<')
			buf_str_append(to, "\\u003c");
		else
			buf_char(to, json->data[i]);
}

static int put_file(struct buf *to, const char *name, struct fs *fs,
		    int (*render)(struct fs *fs, struct buf *to), bool text)
{
	struct buf value _cleanup_(buf_fini) = BUF_INIT;
	int err = render(fs, &value);

	buf_printf(to, ",\n\"%s\": ", name);
	/* Thread F does not answer: the page does without. */
	if (err == -ETIMEDOUT)
		buf_str_append(to, "null");
	else if (text)
		buf_json(to, buf_str(&value));
	else
		buf_append(to, buf_str(&value), value.len);
	return err == -ETIMEDOUT ? 0 : err;
}

static int put_data(struct fs *fs, struct buf *to)
{
	int err;

	buf_str_append(to, "{\"source\": ");
	buf_json(to, fs->options->source);
	buf_printf(to, ",\n\"time\": %lld", (long long)(clock_wall_ms() / 1000));
	err = put_file(to, "health", fs, control_health_render, true);
	if (err == 0)
		err = put_file(to, "stats", fs, control_stats_render, false);
	if (err == 0)
		err = put_file(to, "transfers", fs, control_transfers_render, false);
	if (err == 0)
		err = put_file(to, "history", fs, control_history_render, false);
	buf_char(to, '}');
	return err == 0 && !buf_ok(to) ? -ENOMEM : err;
}

int control_status_render(struct fs *fs, struct buf *to)
{
	const char *at = strstr(status_html, STATUS_HTML_DATA);
	struct buf data _cleanup_(buf_fini) = BUF_INIT;
	int err = put_data(fs, &data);

	if (err < 0)
		return err;
	buf_append(to, status_html, (size_t)(at - status_html));
	put_json(to, &data);
	buf_str_append(to, at + strlen(STATUS_HTML_DATA));
	return 0;
}
