/* A body in some Content-Encoding: the first byte says which. Pushed whole or byte
 * by byte it gives the same, and an error is an error ever after. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/buf.h"
#include "../../fetch/decode.h"

#define OUTPUT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int collect(void *arg, const void *data, size_t len)
{
	struct buf *to = arg;

	assert(len > 0 && len <= DECODER_PIECE);
	if (to->len + len > OUTPUT_MAX)
		return -EFBIG;
	buf_append(to, data, len);
	return 0;
}

static int decode(const char *coding, const uint8_t *data, size_t len, size_t piece,
		  struct buf *ret)
{
	struct decoder *d = NULL;
	int err;

	assert(decoder_new(coding, &d) == 0 && d);
	for (err = 0; len && !err; data += piece, len -= piece) {
		piece = piece < len ? piece : len;
		err = decoder_push(d, data, piece, collect, ret);
	}
	if (err)
		assert(decoder_push(d, "", 1, collect, ret) == err && decoder_end(d) == err);
	else
		err = decoder_end(d);
	decoder_free(d);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const codings[] = {
		"gzip", "deflate", "gzip, gzip", "deflate, gzip, deflate",
	};
	struct buf whole = BUF_INIT, bytes = BUF_INIT;
	const char *coding;
	size_t same;
	int err, other;

	if (!len)
		return 0;
	coding = codings[data[0] % 4];
	err = decode(coding, data + 1, len - 1, len, &whole);
	other = decode(coding, data + 1, len - 1, 1, &bytes);
	assert(!err || err == -EBADMSG || err == -EFBIG || err == -ENOMEM);
	/* An error ends them at different places, so that one may get too large before
	 * it meets what the other fails for; what came before is the same. */
	assert(err == other || (err && other));
	same = whole.len < bytes.len ? whole.len : bytes.len;
	assert(err || whole.len == bytes.len);
	assert(!same || !memcmp(whole.data, bytes.data, same));
	buf_fini(&whole);
	buf_fini(&bytes);
	return 0;
}
