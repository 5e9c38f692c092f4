#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../../../base/buf.h"
#include "../../../fetch/decode.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

enum { GZIP = 15 + 16, ZLIB = 15, RAW = -15 };	/* zlib's windowBits */

static const char text[] = "Of the wide world I stand alone, and think, till love and fame.";

static void compress_to(struct buf *to, int window_bits, const void *data, size_t len)
{
	z_stream z = { .next_in = (unsigned char *)data, .avail_in = len };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(buf_reserve(to, deflateBound(&z, len) + 64), 0);
	z.next_out = (unsigned char *)to->data + to->len;
	z.avail_out = to->cap - to->len;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	to->len += z.total_out;
	deflateEnd(&z);
}

static int collect(void *arg, const void *data, size_t len)
{
	assert_true(len > 0 && len <= DECODER_PIECE);
	buf_append(arg, data, len);
	return 0;
}

/* Pushes `encoded` in pieces of that size; what came of it, decoder_end included. */
static int decode(const char *coding, const struct buf *encoded, size_t piece, struct buf *ret)
{
	struct decoder *d = NULL;
	int err = decoder_new(coding, &d);

	assert_int_equal(err, 0);
	assert_non_null(d);
	buf_reset(ret);
	for (size_t i = 0; i < encoded->len && !err; i += piece) {
		size_t len = encoded->len - i < piece ? encoded->len - i : piece;
		/* Of exactly that size: a byte read too far is seen. */
		char *copy = malloc(len);

		assert_non_null(copy);
		memcpy(copy, encoded->data + i, len);
		err = decoder_push(d, copy, len, collect, ret);
		free(copy);
	}
	if (err)
		assert_int_equal(decoder_end(d), err);
	err = decoder_end(d);
	decoder_free(d);
	return err;
}

static void assert_decodes(const char *coding, const struct buf *encoded,
			   const void *plain, size_t len)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 1000, 1 << 20 };
	struct buf got = BUF_INIT;

	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		assert_int_equal(decode(coding, encoded, pieces[i], &got), 0);
		assert_int_equal(got.len, len);
		if (len)
			assert_memory_equal(got.data, plain, len);
	}
	buf_fini(&got);
}

static void test_identity_needs_no_decoder(void **state)
{
	static const char *const values[] = {
		NULL, "", "identity", "IDENTITY", " identity , identity", ",", ", ,",
		"identity, identity, identity, identity",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		struct decoder *d = (struct decoder *)&d;

		assert_int_equal(decoder_new(values[i], &d), 0);
		assert_null(d);
	}
	decoder_free(NULL);
}

static void test_unknown_codings_are_refused(void **state)
{
	static const char *const values[] = {
		"br", "zstd", "compress", "gzip, br", "br, gzip", "gzip;q=1", "gzip gzip", "gzi",
		"gzipp", "*", "\"gzip\"", "gzip, gzip, gzip, gzip", "chunked",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		struct decoder *d = NULL;

		if (decoder_new(values[i], &d) != -EPROTONOSUPPORT)
			fail_msg("%s", values[i]);
		assert_null(d);
	}
}

static void test_each_coding(void **state)
{
	static const struct {
		const char *coding;
		int window_bits;
	} cases[] = {
		{ "gzip", GZIP }, { "x-gzip", GZIP }, { "GZip", GZIP }, { ", gzip ,", GZIP },
		{ "identity, gzip", GZIP }, { "deflate", ZLIB }, { "deflate", RAW },
		{ "Deflate", 9 }, { "deflate", -9 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf encoded = BUF_INIT;

		compress_to(&encoded, cases[i].window_bits, text, sizeof(text));
		assert_decodes(cases[i].coding, &encoded, text, sizeof(text));
		buf_reset(&encoded);
		compress_to(&encoded, cases[i].window_bits, "", 0);
		assert_decodes(cases[i].coding, &encoded, "", 0);
		buf_fini(&encoded);
	}
}

static void test_chains_are_undone_from_the_end(void **state)
{
	struct buf one = BUF_INIT, two = BUF_INIT, three = BUF_INIT;

	(void)state;
	compress_to(&one, GZIP, text, sizeof(text));
	compress_to(&two, ZLIB, one.data, one.len);
	compress_to(&three, GZIP, two.data, two.len);
	assert_decodes("gzip, deflate", &two, text, sizeof(text));
	assert_decodes("gzip,deflate,x-gzip", &three, text, sizeof(text));
	assert_decodes("gzip, identity, deflate", &two, text, sizeof(text));
	assert_decodes("deflate, gzip", &three, one.data, one.len);
	buf_fini(&one);
	buf_fini(&two);
	buf_fini(&three);
}

static void test_wrong_order_is_noticed(void **state)
{
	struct buf one = BUF_INIT, two = BUF_INIT, got = BUF_INIT;

	(void)state;
	compress_to(&one, GZIP, text, sizeof(text));
	compress_to(&two, ZLIB, one.data, one.len);
	assert_int_equal(decode("deflate, gzip", &two, 1 << 20, &got), -EBADMSG);
	assert_int_equal(decode("gzip, gzip", &one, 1 << 20, &got), -EBADMSG);
	buf_fini(&one);
	buf_fini(&two);
	buf_fini(&got);
}

static void test_gzip_members_follow_each_other(void **state)
{
	struct buf encoded = BUF_INIT;

	(void)state;
	compress_to(&encoded, GZIP, text, 10);
	compress_to(&encoded, GZIP, "", 0);
	compress_to(&encoded, GZIP, text + 10, sizeof(text) - 10);
	assert_decodes("gzip", &encoded, text, sizeof(text));
	buf_fini(&encoded);
}

/* Cut anywhere: an error, and nothing that was not there. */
static void test_cut_streams(void **state)
{
	static const struct {
		const char *coding;
		int window_bits;
	} cases[] = { { "gzip", GZIP }, { "deflate", ZLIB }, { "deflate", RAW } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf encoded = BUF_INIT, got = BUF_INIT;
		size_t whole;

		compress_to(&encoded, cases[i].window_bits, text, sizeof(text));
		whole = encoded.len;
		for (size_t len = 1; len < whole; len++) {
			encoded.len = len;
			if (decode(cases[i].coding, &encoded, 1 << 20, &got) != -EBADMSG ||
			    decode(cases[i].coding, &encoded, 1, &got) != -EBADMSG)
				fail_msg("%s cut to %zu", cases[i].coding, len);
			assert_true(got.len <= sizeof(text));
			if (got.len)
				assert_memory_equal(got.data, text, got.len);
		}
		buf_fini(&encoded);
		buf_fini(&got);
	}
}

static void test_second_member_cut(void **state)
{
	struct buf encoded = BUF_INIT, got = BUF_INIT;
	size_t first;

	(void)state;
	compress_to(&encoded, GZIP, text, sizeof(text));
	first = encoded.len;
	compress_to(&encoded, GZIP, text, sizeof(text));
	while (--encoded.len > first)
		assert_int_equal(decode("gzip", &encoded, 1 << 20, &got), -EBADMSG);
	assert_int_equal(decode("gzip", &encoded, 1 << 20, &got), 0);
	buf_fini(&encoded);
	buf_fini(&got);
}

/* The inner stream of a chain is cut, the outer one is whole. */
static void test_inner_stream_cut(void **state)
{
	struct buf one = BUF_INIT, two = BUF_INIT, got = BUF_INIT;

	(void)state;
	compress_to(&one, GZIP, text, sizeof(text));
	compress_to(&two, GZIP, one.data, one.len - 1);
	assert_int_equal(decode("gzip, gzip", &two, 1 << 20, &got), -EBADMSG);
	buf_fini(&one);
	buf_fini(&two);
	buf_fini(&got);
}

static void test_garbage_behind_the_end(void **state)
{
	static const struct {
		const char *coding;
		int window_bits;
	} cases[] = { { "gzip", GZIP }, { "deflate", ZLIB }, { "deflate", RAW } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf encoded = BUF_INIT, got = BUF_INIT;

		compress_to(&encoded, cases[i].window_bits, text, sizeof(text));
		buf_str_append(&encoded, "garbage");
		assert_int_equal(decode(cases[i].coding, &encoded, 1 << 20, &got), -EBADMSG);
		assert_int_equal(decode(cases[i].coding, &encoded, 1, &got), -EBADMSG);
		encoded.len -= 6;
		assert_int_equal(decode(cases[i].coding, &encoded, 1 << 20, &got), -EBADMSG);
		buf_fini(&encoded);
		buf_fini(&got);
	}
}

/* Only gzip has members. */
static void test_deflate_does_not_go_on(void **state)
{
	static const int window_bits[] = { ZLIB, RAW };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(window_bits); i++) {
		struct buf encoded = BUF_INIT, got = BUF_INIT;

		compress_to(&encoded, window_bits[i], text, sizeof(text));
		compress_to(&encoded, window_bits[i], text, sizeof(text));
		assert_int_equal(decode("deflate", &encoded, 1 << 20, &got), -EBADMSG);
		assert_int_equal(decode("deflate", &encoded, 1, &got), -EBADMSG);
		assert_int_equal(got.len, sizeof(text));
		buf_fini(&encoded);
		buf_fini(&got);
	}
}

/* A bare stream whose first byte could be zlib's: the second one cannot. */
static void test_bare_deflate_that_looks_like_zlib(void **state)
{
	struct buf encoded = BUF_INIT;

	(void)state;
	buf_append(&encoded, "\x08\x01\x00\xfe\xffx\x03\x00", 8);
	assert_decodes("deflate", &encoded, "x", 1);
	buf_fini(&encoded);
}

/* Any wrong bit is noticed, but in the header, and behind the last used bit. */
static void test_damage_is_noticed(void **state)
{
	struct buf encoded = BUF_INIT, got = BUF_INIT;

	(void)state;
	compress_to(&encoded, GZIP, text, sizeof(text));
	for (size_t i = 10; i < encoded.len; i++) {
		encoded.data[i] ^= 1;
		if (decode("gzip", &encoded, 1 << 20, &got) != -EBADMSG)
			fail_msg("byte %zu of %zu", i, encoded.len);
		encoded.data[i] ^= 1;
	}
	buf_reset(&encoded);
	buf_str_append(&encoded, "<html>not compressed at all</html>");
	assert_int_equal(decode("gzip", &encoded, 5, &got), -EBADMSG);
	assert_int_equal(decode("deflate", &encoded, 5, &got), -EBADMSG);
	assert_int_equal(got.len, 0);
	buf_fini(&encoded);
	buf_fini(&got);
}

static void test_a_preset_dictionary_is_refused(void **state)
{
	struct buf encoded = BUF_INIT, got = BUF_INIT;

	(void)state;
	buf_append(&encoded, "\x78\xbb\x00\x00\x00\x01\x03\x00\x00\x00\x00\x01", 12);
	assert_int_equal(decode("deflate", &encoded, 1 << 20, &got), -EBADMSG);
	buf_fini(&encoded);
	buf_fini(&got);
}

static void test_empty_body(void **state)
{
	static const char *const codings[] = { "gzip", "deflate", "gzip, gzip" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(codings); i++) {
		struct buf none = BUF_INIT, got = BUF_INIT;

		assert_int_equal(decode(codings[i], &none, 1, &got), 0);
		assert_int_equal(got.len, 0);
		buf_fini(&got);
	}
}

struct tally {
	uint64_t bytes, calls, limit;
};

static int tally(void *arg, const void *data, size_t len)
{
	struct tally *t = arg;

	(void)data;
	assert_true(len > 0 && len <= DECODER_PIECE);
	t->bytes += len;
	t->calls++;
	return t->bytes >= t->limit ? -EFBIG : 0;
}

/* 64 MiB in 64 KiB, and in a few hundred bytes when done twice. */
static void make_bomb(struct buf *ret)
{
	static const char zeroes[1 << 16];
	struct buf once = BUF_INIT;
	unsigned char out[1 << 16];
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, GZIP, 9, Z_DEFAULT_STRATEGY), Z_OK);
	for (int i = 0; i <= 1024; i++) {
		z.next_in = (unsigned char *)zeroes;
		z.avail_in = i < 1024 ? sizeof(zeroes) : 0;
		do {
			z.next_out = out;
			z.avail_out = sizeof(out);
			deflate(&z, i < 1024 ? Z_NO_FLUSH : Z_FINISH);
			buf_append(&once, out, sizeof(out) - z.avail_out);
		} while (!z.avail_out);
	}
	deflateEnd(&z);
	compress_to(ret, GZIP, once.data, once.len);
	assert_true(ret->len < 2000);
	buf_fini(&once);
}

static void test_bombs_are_streamed(void **state)
{
	struct tally all = { .limit = UINT64_MAX }, some = { .limit = 1 << 20 };
	struct buf bomb = BUF_INIT;
	struct decoder *d;

	(void)state;
	make_bomb(&bomb);
	assert_int_equal(decoder_new("gzip, gzip", &d), 0);
	assert_int_equal(decoder_push(d, bomb.data, bomb.len, tally, &all), 0);
	assert_int_equal(decoder_end(d), 0);
	assert_int_equal(all.bytes, 64 << 20);
	assert_true(all.calls >= 1024);
	decoder_free(d);

	/* The sink stops it where it wants to. */
	assert_int_equal(decoder_new("gzip, gzip", &d), 0);
	assert_int_equal(decoder_push(d, bomb.data, bomb.len, tally, &some), -EFBIG);
	assert_int_equal(some.bytes, 1 << 20);
	assert_int_equal(decoder_push(d, bomb.data, bomb.len, tally, &some), -EFBIG);
	assert_int_equal(some.bytes, 1 << 20);
	assert_int_equal(decoder_end(d), -EFBIG);
	decoder_free(d);
	buf_fini(&bomb);
}

/* Nothing is held back: what has come in can be read. */
static void test_output_keeps_up_with_input(void **state)
{
	struct buf got = BUF_INIT;
	unsigned char out[256];
	z_stream z = { 0 };
	struct decoder *d;

	(void)state;
	assert_int_equal(decoder_new("gzip", &d), 0);
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY), Z_OK);
	for (size_t i = 0; i < sizeof(text); i++) {
		z.next_in = (unsigned char *)text + i;
		z.avail_in = 1;
		z.next_out = out;
		z.avail_out = sizeof(out);
		assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
		assert_int_equal(decoder_push(d, out, sizeof(out) - z.avail_out, collect, &got), 0);
		assert_int_equal(got.len, i + 1);
	}
	assert_int_equal(decoder_end(d), -EBADMSG);
	deflateEnd(&z);
	decoder_free(d);
	buf_fini(&got);
}

/* Nor when a piece is full just as the input is used up: wherever the input is cut,
 * as much comes out as byte by byte. */
static void test_full_pieces_hold_nothing_back(void **state)
{
	static const char zeroes[200000];
	struct tally slow = { .limit = UINT64_MAX };
	struct buf encoded = BUF_INIT;
	struct decoder *slowly;

	(void)state;
	compress_to(&encoded, GZIP, zeroes, sizeof(zeroes));
	assert_int_equal(decoder_new("gzip", &slowly), 0);
	for (size_t i = 0; i < encoded.len; i++) {
		struct tally fast = { .limit = UINT64_MAX };
		struct decoder *d;

		assert_int_equal(decoder_push(slowly, encoded.data + i, 1, tally, &slow), 0);
		assert_int_equal(decoder_new("gzip", &d), 0);
		assert_int_equal(decoder_push(d, encoded.data, i + 1, tally, &fast), 0);
		assert_int_equal(fast.bytes, slow.bytes);
		decoder_free(d);
	}
	assert_int_equal(slow.bytes, sizeof(zeroes));
	decoder_free(slowly);
	buf_fini(&encoded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity_needs_no_decoder),
		cmocka_unit_test(test_unknown_codings_are_refused),
		cmocka_unit_test(test_each_coding),
		cmocka_unit_test(test_chains_are_undone_from_the_end),
		cmocka_unit_test(test_wrong_order_is_noticed),
		cmocka_unit_test(test_gzip_members_follow_each_other),
		cmocka_unit_test(test_cut_streams),
		cmocka_unit_test(test_second_member_cut),
		cmocka_unit_test(test_inner_stream_cut),
		cmocka_unit_test(test_garbage_behind_the_end),
		cmocka_unit_test(test_deflate_does_not_go_on),
		cmocka_unit_test(test_bare_deflate_that_looks_like_zlib),
		cmocka_unit_test(test_damage_is_noticed),
		cmocka_unit_test(test_a_preset_dictionary_is_refused),
		cmocka_unit_test(test_empty_body),
		cmocka_unit_test(test_bombs_are_streamed),
		cmocka_unit_test(test_output_keeps_up_with_input),
		cmocka_unit_test(test_full_pieces_hold_nothing_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
