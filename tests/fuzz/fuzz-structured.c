/* A dictionary: what is read of it, written again, is read the same. */
#include <assert.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/buf.h"
#include "../../fetch/structured.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_within(struct span part, const char *data, size_t len)
{
	assert(part.at >= data && part.at + part.len <= data + len);
}

/* Serialises like RFC 8941 4.1; what was skipped is made up. */
static void write_member(struct buf *to, const struct structured_member *m)
{
	buf_append(to, m->key.at, m->key.len);
	switch (m->type) {
	case STRUCTURED_INTEGER:
		buf_printf(to, "=%" PRId64, m->integer);
		break;
	case STRUCTURED_DECIMAL:
		buf_str_append(to, "=0.5");
		break;
	case STRUCTURED_STRING:
		buf_printf(to, "=\"%.*s\"", (int)m->text.len, m->text.at);
		break;
	case STRUCTURED_TOKEN:
		buf_printf(to, "=%.*s", (int)m->text.len, m->text.at);
		break;
	case STRUCTURED_BYTES:
		buf_str_append(to, "=:aGk=:;p=?0");
		break;
	case STRUCTURED_BOOLEAN:
		if (!m->integer)
			buf_str_append(to, "=?0");
		break;
	case STRUCTURED_INNER_LIST:
		buf_str_append(to, "=(1 x \"y\";q)");
		break;
	}
	buf_str_append(to, ", ");
}

/* False: invalid. */
static bool rewrite(const char *data, size_t len, struct buf *to)
{
	struct structured s = structured_begin((struct span){ data, len });
	struct structured_member m;
	int more;

	while ((more = structured_next(&s, &m)) > 0) {
		check_within(m.key, data, len);
		assert(m.key.len);
		if (m.type == STRUCTURED_STRING || m.type == STRUCTURED_TOKEN)
			check_within(m.text, data, len);
		if (m.type == STRUCTURED_INTEGER)
			assert(llabs(m.integer) <= INT64_C(999999999999999));
		write_member(to, &m);
	}
	if (to->len)
		to->len -= 2;	/* the last comma */
	return more == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;

	if (rewrite((const char *)data, len, &once)) {
		assert(rewrite(buf_str(&once), once.len, &twice));
		assert(once.len == twice.len);
		assert(memcmp(buf_str(&once), buf_str(&twice), once.len) == 0);
	}
	buf_fini(&once);
	buf_fini(&twice);
	return 0;
}
