/* control_transfers.c - .control/transfers: a JSON array, one transfer a line. */
#include <inttypes.h>

#include "control_files.h"
#include "fs.h"

static void put(const struct fetch_transfer *t, struct buf *to)
{
	buf_str_append(to, "  { \"url\": ");
	buf_json(to, t->key);
	buf_printf(to,
		   ", \"kind\": \"%s\", \"state\": \"%s\", \"from\": %" PRId64
		   ", \"bytes\": %" PRId64 ", \"length\": ",
		   t->kind, t->state, t->from, t->bytes);
	if (t->length < 0)
		buf_str_append(to, "null");
	else
		buf_printf(to, "%" PRId64, t->length);
	buf_printf(to, ", \"age_ms\": %" PRId64 ", \"retries\": %d }", t->age_ms, t->retries);
}

int control_transfers_render(struct fs *fs, struct buf *to)
{
	struct fetch_transfer *list;
	size_t n;
	int err = fetch_transfers(fs->fetch, &list, &n);

	if (err < 0)
		return err;
	buf_str_append(to, "[");
	for (size_t i = 0; i < n; i++) {
		buf_str_append(to, i ? ",\n" : "\n");
		put(&list[i], to);
	}
	buf_str_append(to, n ? "\n]\n" : "]\n");
	fetch_transfers_free(list, n);
	return 0;
}
