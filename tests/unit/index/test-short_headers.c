#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../../index/meta.h"
#include "../../../index/short_headers.h"

static struct meta *with(const char *headers)
{
	struct meta *m = meta_new();

	assert_non_null(m);
	free(m->headers);
	m->headers = strdup(headers);
	m->etag = strdup("\"6b021f15-19e1\"");
	m->content_type = strdup("text/plain");
	m->length = 6625;
	return m;
}

/* What is not in the columns, or is there otherwise, comes back as well. */
static void test_there_and_back(void **state)
{
	static const struct {
		const char *headers, *stored;
	} cases[] = {
		{ "", "" },
		{ "\n", "\n" },
		{ "X-Any: 1\n", "X-Any: 1\n" },
		{ "ETag: \"6b021f15-19e1\"\n", "\x06\x01\n" },
		{ "ETag: \"6b021f15-19e1\"", "\x06\x01" },
		{ "etag: \"6b021f15-19e1\"\n", "\x12\x01\n" },
		{ "eTAG: \"6b021f15-19e1\"\n", "eTAG: \"6b021f15-19e1\"\n" },
		{ "ETag: \"6b021f15-19e\"\n", "\x06\"6b021f15-19e\"\n" },
		{ "ETag: \"6b021f15-19e1\"x\n", "\x06\"6b021f15-19e1\"x\n" },
		{ "ETag: \n", "\x06\n" },
		{ "ETag:\n", "ETag:\n" },
		{ "ETag: \x01\n", "ETag: \x01\n" },
		{ "Last-Modified: \x01\n", "Last-Modified: \x01\n" },
		{ "Date: Sat, 21 Nov 2026 22:45:42 GMT\n", "\x02Sat, 21 Nov 2026 22:45:42 GMT\n" },
		{ "Content-Length: 6625\n", "\x04\x01\n" },
		{ "Content-Length: 06625\n", "\x04" "06625\n" },
		{ "Content-Type: text/plain\nContent-Type: text/html\n", "\x03\x01\n\x03text/html\n" },
		{ "Last-Modified: Sat, 21 Nov 2026 22:45:41 GMT\n",
		  "\x05Sat, 21 Nov 2026 22:45:41 GMT\n" },
		{ "Accept-Ranges: bytes\nAccept-Ranges: bytes, none\n",
		  "\x08\nAccept-Ranges: bytes, none\n" },
		{ "Cache-Control: max-age=1\nExpires: 0\n", "\x07max-age=1\n\x15" "0\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct meta *m = with(cases[i].headers);
		char *stored = short_headers_make(m), *back;

		assert_non_null(stored);
		assert_string_equal(stored, cases[i].stored);
		back = short_headers_restore(m, stored);
		assert_non_null(back);
		assert_string_equal(back, cases[i].headers);
		free(back);
		free(stored);
		meta_unref(m);
	}
}

/* As they were written before. */
static void test_what_is_not_short_stays(void **state)
{
	static const char lines[] = "Date: Sat\nETag: \"6b021f15-19e1\"\nAccept-Ranges: bytes\n";
	struct meta *m = with("");
	char *back = short_headers_restore(m, lines);

	(void)state;
	assert_string_equal(back, lines);
	free(back);
	meta_unref(m);
}

/* Damage is for row_verify() to find; it may not lead astray. */
static void test_any_bytes(void **state)
{
	char bytes[256];
	struct meta *m = with("");
	char *back;

	(void)state;
	for (int i = 0; i < 255; i++)
		bytes[i] = (char)(i + 1);
	bytes[255] = '\0';
	back = short_headers_restore(m, bytes);
	assert_non_null(back);
	free(back);
	back = short_headers_restore(m, "\x05\x01\n\x06\x01");
	assert_string_equal(back, "Last-Modified: \x01\nETag: \"6b021f15-19e1\"");
	free(back);
	meta_unref(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_what_is_not_short_stays),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
