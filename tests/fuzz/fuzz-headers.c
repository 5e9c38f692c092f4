/* Lines of a header section, then (behind a line "=") those of a 304. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../fetch/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct headers *h)
{
	size_t i, bytes = 0;

	assert(h->n <= HEADERS_MAX_FIELDS && h->bytes <= HEADERS_MAX_BYTES);
	for (i = 0; i < h->n; i++) {
		const char *name = h->fields[i].name, *value = h->fields[i].value;
		size_t value_len = strlen(value);

		assert(*name && !name[strcspn(name, " \t\r\n:\"")]);
		assert(!value[strcspn(value, "\r\n")]);
		assert(!value_len || !strchr(" \t", value[0]));
		assert(!value_len || !strchr(" \t", value[value_len - 1]));
		assert(headers_get(h, name));
		bytes += strlen(name) + value_len + 3;
	}
	assert(bytes == h->bytes);
}

/* What is stored is read again as it was. */
static void check_round_trip(const struct headers *h)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct headers again;

	headers_render(h, &once);
	assert(headers_parse(buf_str(&once), &again) == 0);
	check(&again);
	assert(again.n == h->n);
	headers_render(&again, &twice);
	assert(strcmp(buf_str(&once), buf_str(&twice)) == 0);
	headers_fini(&again);
	buf_fini(&once);
	buf_fini(&twice);
}

static void check_drop(struct headers *h)
{
	headers_drop_hop_by_hop(h);
	check(h);
	assert(!headers_get(h, "Connection") && !headers_get(h, "Transfer-Encoding"));
}

static void check_update(struct headers *stored, struct headers *fresh)
{
	char *length = headers_get_joined(stored, "Content-Length");
	char *after;
	size_t i;

	if (headers_update(stored, fresh) < 0)
		goto out;
	check(stored);
	after = headers_get_joined(stored, "Content-Length");
	assert(!length == !after && (!length || strcmp(length, after) == 0));
	free(after);
	check_drop(fresh);
	for (i = 0; i < fresh->n; i++)
		if (strncasecmp(fresh->fields[i].name, "Content-", 8) != 0)
			assert(headers_get(stored, fresh->fields[i].name));
out:
	free(length);
}

/* Each line in memory of its own size. The length of what was read. */
static size_t add_lines(struct headers *h, const char *data, size_t len)
{
	size_t pos = 0;

	while (pos < len) {
		const char *end = memchr(data + pos, '\n', len - pos);
		size_t line_len = end ? (size_t)(end - data) + 1 - pos : len - pos;
		char *line = malloc(line_len);

		assert(line);
		memcpy(line, data + pos, line_len);
		pos += line_len;
		if (line_len == 2 && line[0] == '=') {
			free(line);
			break;
		}
		headers_add_line(h, line, line_len);
		free(line);
	}
	return pos;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct headers stored = HEADERS_INIT, fresh = HEADERS_INIT;
	size_t pos = add_lines(&stored, (const char *)data, len);

	add_lines(&fresh, (const char *)data + pos, len - pos);
	check(&stored);
	check(&fresh);
	check_round_trip(&stored);
	check_update(&stored, &fresh);
	check_round_trip(&stored);
	check_drop(&stored);
	headers_fini(&stored);
	headers_fini(&fresh);
	return 0;
}
