/* Header sections: lines, values, and what a 304 or a hop changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../fetch/headers.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LINE(s) s, sizeof(s) - 1

static void assert_renders(const struct headers *h, const char *rfc, const char *want)
{
	struct buf got = BUF_INIT;

	headers_render(h, &got);
	if (strcmp(buf_str(&got), want) != 0)
		fail_msg("%s: got\n%s, not\n%s", rfc, buf_str(&got), want);
	assert_int_equal(h->bytes, got.len);
	buf_fini(&got);
}

static const struct line_case {
	const char *rfc, *line;
	size_t len;
	const char *name, *value;	/* NULL: not a field line */
} line_cases[] = {
	{ "9112 5", LINE("Name: value\r\n"), "Name", "value" },
	{ "9112 2.2 LF alone", LINE("Name: value\n"), "Name", "value" },
	{ "without end of line", LINE("Name: value"), "Name", "value" },
	{ "9112 5 no OWS", LINE("Name:value\r\n"), "Name", "value" },
	{ "9110 5.5 OWS", LINE("Name: \t value \t \r\n"), "Name", "value" },
	{ "9110 5.5 inner spaces stay", LINE("Name: a  b\r\n"), "Name", "a  b" },
	{ "9110 5.5 empty", LINE("Name:\r\n"), "Name", "" },
	{ "9110 5.5 empty", LINE("Name:   \r\n"), "Name", "" },
	{ "9110 5.5 colons in it", LINE("Name: a:b: c\r\n"), "Name", "a:b: c" },
	{ "9110 5.5 obs-text", LINE("Name: \xe4\r\n"), "Name", "\xe4" },
	{ "9110 5.5 NUL", LINE("Name: a\0b\r\n"), "Name", "a b" },
	{ "9110 5.5 CR", LINE("Name: a\rb\r\n"), "Name", "a b" },
	{ "9110 5.5 LF", LINE("Name: a\nb\r\n"), "Name", "a b" },
	{ "9110 5.5 NUL around", LINE("Name: \0a\0\r\n"), "Name", "a" },
	{ "9110 5.5 CR twice", LINE("Name: a\r\r\n"), "Name", "a" },
	{ "9112 5.1 space before the colon", LINE("Name : value\r\n"), "Name", "value" },
	{ "9110 5.1 all of a token", LINE("!#$%&'*+-.^_`|~09azAZ: x\r\n"),
	  "!#$%&'*+-.^_`|~09azAZ", "x" },
	{ "9112 5 no colon", LINE("Name value\r\n"), NULL, NULL },
	{ "9112 4 a status line", LINE("HTTP/1.1 200 OK\r\n"), NULL, NULL },
	{ "9112 4 a status line with a colon", LINE("HTTP/1.1 200 a: b\r\n"), NULL, NULL },
	{ "9112 5 no name", LINE(": value\r\n"), NULL, NULL },
	{ "9110 5.1 space in the name", LINE("Na me: value\r\n"), NULL, NULL },
	{ "9110 5.1 NUL in the name", LINE("Na\0me: value\r\n"), NULL, NULL },
	{ "9110 5.1 not ASCII", LINE("N\xe4me: value\r\n"), NULL, NULL },
	{ "9110 5.1 delimiter", LINE("Na(me: value\r\n"), NULL, NULL },
	{ "9113 8.3 pseudo-header", LINE(":status: 200\r\n"), NULL, NULL },
	{ "9112 2.1 end of the section", LINE("\r\n"), NULL, NULL },
	{ "9112 2.1 end of the section", LINE("\n"), NULL, NULL },
	{ "nothing", LINE(""), NULL, NULL },
	{ "9112 2.2 a continuation of nothing", LINE(" value\r\n"), NULL, NULL },
};

static void lines_become_fields(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(line_cases); i++) {
		const struct line_case *c = &line_cases[i];
		struct headers h = HEADERS_INIT;
		int err = headers_add_line(&h, c->line, c->len);

		if (err != (c->name ? 0 : -EBADMSG))
			fail_msg("%s: %s: %d", c->rfc, c->line, err);
		if (c->name && (h.n != 1 || strcmp(h.fields[0].name, c->name) != 0 ||
				strcmp(h.fields[0].value, c->value) != 0))
			fail_msg("%s: %s: '%s' '%s'", c->rfc, c->line, h.fields[0].name,
				 h.fields[0].value);
		assert_true(c->name || (h.n == 0 && h.bytes == 0));
		headers_fini(&h);
	}
}

static void folded_lines_are_joined_by_a_space(void **state)
{
	struct headers h = HEADERS_INIT;

	(void)state;
	assert_int_equal(headers_add_line(&h, LINE("A: b\r\n")), 0);
	assert_int_equal(headers_add_line(&h, LINE("B: c,\r\n")), 0);
	assert_int_equal(headers_add_line(&h, LINE(" \t d\r\n")), 0);
	assert_int_equal(headers_add_line(&h, LINE("\te: f \r\n")), 0);
	assert_int_equal(headers_add_line(&h, LINE("   \r\n")), 0);
	assert_int_equal(headers_add_line(&h, LINE("C:\r\n")), 0);
	assert_int_equal(headers_add_line(&h, LINE(" g\r\n")), 0);
	assert_renders(&h, "9112 5.2", "A: b\nB: c, d e: f\nC: g\n");
	headers_fini(&h);
}

static void fields_are_found_whatever_their_case(void **state)
{
	struct headers h;
	char *joined;

	(void)state;
	assert_int_equal(headers_parse("A: 1\nB: 2\na: 3\nA:\n", &h), 0);
	assert_string_equal(headers_get(&h, "a"), "1");
	assert_string_equal(headers_get(&h, "b"), "2");
	assert_null(headers_get(&h, "c"));
	assert_null(headers_get(&h, ""));
	assert_string_equal(headers_get_nth(&h, "A", 1), "3");
	assert_string_equal(headers_get_nth(&h, "A", 2), "");
	assert_null(headers_get_nth(&h, "A", 3));
	joined = headers_get_joined(&h, "A");
	assert_string_equal(joined, "1, 3, ");
	free(joined);
	joined = headers_get_joined(&h, "b");
	assert_string_equal(joined, "2");
	free(joined);
	assert_null(headers_get_joined(&h, "c"));
	headers_fini(&h);
}

static void added_fields_cannot_smuggle_lines(void **state)
{
	struct headers h = HEADERS_INIT;

	(void)state;
	assert_int_equal(headers_add(&h, "A", " 1\r\nB: 2\n"), 0);
	assert_renders(&h, "9110 5.5", "A: 1  B: 2\n");
	assert_int_equal(headers_add(&h, "B\nC", "1"), -EBADMSG);
	assert_int_equal(headers_add(&h, "", "1"), -EBADMSG);
	assert_int_equal(h.n, 1);
	headers_fini(&h);
}

static void removed_fields_are_gone_and_room_is_reused(void **state)
{
	struct headers h = HEADERS_INIT;
	char name[16];
	int i, round;

	(void)state;
	headers_remove(&h, "A");
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 37; i++) {
			snprintf(name, sizeof(name), "N%d", i % 10);
			assert_int_equal(headers_add(&h, name, "v"), 0);
		}
		headers_remove(&h, "n3");
		headers_remove_n(&h, "N4xyz", 2);
		assert_null(headers_get(&h, "N3"));
		assert_null(headers_get(&h, "N4"));
		assert_non_null(headers_get(&h, "N5"));
		assert_int_equal(h.n, 37 - 8);
		for (i = 0; i < 10; i++) {
			snprintf(name, sizeof(name), "N%d", i);
			headers_remove(&h, name);
		}
		assert_int_equal(h.n, 0);
		assert_int_equal(h.bytes, 0);
	}
	headers_fini(&h);
}

static void what_is_rendered_is_parsed_again(void **state)
{
	static const char text[] = "Date: Sun, 06 Nov 1994 08:49:37 GMT\nEmpty: \nA: 1\nA: 2\n";
	struct headers h;

	(void)state;
	assert_int_equal(headers_parse(text, &h), 0);
	assert_int_equal(h.n, 4);
	assert_renders(&h, "render", text);
	headers_fini(&h);
	assert_int_equal(headers_parse("", &h), 0);
	assert_int_equal(h.n, 0);
	assert_int_equal(headers_parse("A: 1", &h), 0);
	assert_renders(&h, "no last newline", "A: 1\n");
	headers_fini(&h);
	h = (struct headers)HEADERS_INIT;
	assert_int_equal(headers_parse("A: 1\nnonsense\n", &h), -EBADMSG);
	assert_int_equal(h.n, 0);
}

static void a_section_has_a_largest_size(void **state)
{
	static char value[HEADERS_MAX_BYTES + 1];
	struct headers h = HEADERS_INIT;
	int i;

	(void)state;
	for (i = 0; i < HEADERS_MAX_FIELDS; i++)
		assert_int_equal(headers_add_line(&h, LINE("A: b\r\n")), 0);
	assert_int_equal(headers_add_line(&h, LINE("A: b\r\n")), -E2BIG);
	assert_int_equal(h.n, HEADERS_MAX_FIELDS);
	headers_fini(&h);

	/* "A: " and the newline count too */
	memset(value, 'x', HEADERS_MAX_BYTES - 4);
	assert_int_equal(headers_add(&h, "A", value), 0);
	assert_int_equal(h.bytes, HEADERS_MAX_BYTES);
	assert_int_equal(headers_add(&h, "B", ""), -E2BIG);
	assert_int_equal(headers_add_line(&h, LINE(" x\r\n")), -E2BIG);
	headers_remove(&h, "A");
	value[HEADERS_MAX_BYTES - 4] = 'x';
	assert_int_equal(headers_add(&h, "A", value), -E2BIG);
	headers_fini(&h);
}

static const struct drop_case {
	const char *rfc, *text, *want;
} drop_cases[] = {
	{ "9111 3.1", "Keep-Alive: a\nTE: a\nUpgrade: a\nTransfer-Encoding: chunked\n"
	  "proxy-connection: a\nPROXY-AUTHENTICATE: a\nProxy-Authentication-Info: a\n"
	  "Proxy-Authorization: a\nConnection: close\nA: b\n", "A: b\n" },
	{ "9110 7.6.1 connection options", "Connection: a, B\na: 1\nb: 2\nc: 3\n", "c: 3\n" },
	{ "9110 7.6.1 they come first", "a: 1\nb: 2\nConnection: a, B\nc: 3\n", "c: 3\n" },
	{ "9110 7.6.1 two lines", "a: 1\nConnection: A\nb: 2\nconnection: b\nc: 3\n", "c: 3\n" },
	{ "9110 7.6.1 it names itself", "Connection: connection, a\nConnection: b\na: 1\nb: 1\nc: 3\n",
	  "c: 3\n" },
	{ "9110 7.6.1 never an option", "Connection: cache-control, a\nCache-Control: no-store\na: 1\n",
	  "Cache-Control: no-store\n" },
	{ "9110 7.6.1 empty list", "Connection:\na: 1\n", "a: 1\n" },
	{ "9111 3.1 all others stay", "Set-Cookie: a=b\nTrailer: x\nContent-Length: 5\nETag: \"a\"\n"
	  "X-Frame-Options: deny\n",
	  "Set-Cookie: a=b\nTrailer: x\nContent-Length: 5\nETag: \"a\"\nX-Frame-Options: deny\n" },
};

static void fields_for_one_hop_are_not_stored(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(drop_cases); i++) {
		struct headers h;

		assert_int_equal(headers_parse(drop_cases[i].text, &h), 0);
		headers_drop_hop_by_hop(&h);
		assert_renders(&h, drop_cases[i].rfc, drop_cases[i].want);
		headers_fini(&h);
	}
}

static const struct update_case {
	const char *rfc, *stored, *fresh, *want;
} update_cases[] = {
	{ "9111 3.2 what a 304 omits stays", "A: 1\nB: 2\n", "", "A: 1\nB: 2\n" },
	{ "9111 3.2 replaced", "A: 1\nB: 2\n", "a: 3\n", "B: 2\na: 3\n" },
	{ "9111 3.2 added", "A: 1\n", "B: 2\n", "A: 1\nB: 2\n" },
	{ "9111 3.2 all of a name", "A: 1\nA: 2\nB: 2\n", "A: 3\n", "B: 2\nA: 3\n" },
	{ "9111 3.2 by all of a name", "A: 1\n", "A: 2\nA: 3\n", "A: 2\nA: 3\n" },
	{ "9111 3.2 Content-Length", "Content-Length: 36\n", "Content-Length: 10\n",
	  "Content-Length: 36\n" },
	{ "9111 3.2 the body's coding", "Content-Encoding: gzip\n",
	  "content-encoding: br\nContent-Range: bytes 0-1/2\n", "Content-Encoding: gzip\n" },
	{ "9111 3.2 not added either", "A: 1\n", "Content-Length: 0\nContent-Encoding: br\n",
	  "A: 1\n" },
	{ "9111 3.1 hop-by-hop", "A: 1\n", "Connection: close, b\nB: 2\nTransfer-Encoding: chunked\n"
	  "Keep-Alive: x\n", "A: 1\n" },
	{ "9110 7.6.1 options protect what is stored", "B: 1\n", "Connection: b\nB: 2\n", "B: 1\n" },
	{ "9111 3.2 content fields", "Content-Type: text/plain\nContent-Foo: 1\nContent-Location: /a\n",
	  "Content-Type: text/html\nContent-Foo: 2\nContent-Location: /b\n",
	  "Content-Type: text/html\nContent-Foo: 2\nContent-Location: /b\n" },
	{ "9111 4.3.4 freshness", "Cache-Control: max-age=1\nDate: a\nExpires: b\nETag: \"x\"\nAge: 7\n",
	  "Cache-Control: max-age=3600\nDate: c\nExpires: d\nETag: \"y\"\n",
	  "Cache-Control: max-age=3600\nDate: c\nExpires: d\nETag: \"y\"\n" },
	{ "9111 4.2.3 age of the 304", "Age: 7200\nDate: a\nB: 1\n", "B: 2\n", "B: 2\n" },
	{ "9111 4.2.3 age of the 304", "Age: 7200\nDate: a\n", "Age: 5\nDate: b\n",
	  "Age: 5\nDate: b\n" },
	{ "9111 4.2.3 not by an option", "Date: a\n", "Connection: date\nDate: b\n", "Date: a\n" },
};

static void a_304_updates_what_is_stored(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(update_cases); i++) {
		const struct update_case *c = &update_cases[i];
		struct headers stored, fresh;

		assert_int_equal(headers_parse(c->stored, &stored), 0);
		assert_int_equal(headers_parse(c->fresh, &fresh), 0);
		assert_int_equal(headers_update(&stored, &fresh), 0);
		assert_renders(&stored, c->rfc, c->want);
		assert_renders(&fresh, c->rfc, c->fresh);
		headers_fini(&stored);
		headers_fini(&fresh);
	}
}

static void an_update_that_is_too_large_changes_nothing(void **state)
{
	struct headers stored = HEADERS_INIT, fresh = HEADERS_INIT;
	int i;

	(void)state;
	for (i = 0; i < HEADERS_MAX_FIELDS; i++) {
		assert_int_equal(headers_add(&stored, "A", "1"), 0);
		assert_int_equal(headers_add(&fresh, i ? "B" : "A", "2"), 0);
	}
	assert_int_equal(headers_update(&stored, &fresh), 0);	/* all A became one */
	headers_remove(&stored, "A");
	assert_int_equal(headers_add(&stored, "C", "1"), 0);
	assert_int_equal(headers_add(&fresh, "C", "1"), -E2BIG);
	headers_fini(&fresh);
	assert_int_equal(headers_add(&fresh, "D", "1"), 0);
	assert_int_equal(headers_update(&stored, &fresh), -E2BIG);
	assert_int_equal(stored.n, HEADERS_MAX_FIELDS);
	assert_string_equal(headers_get(&stored, "C"), "1");
	assert_null(headers_get(&stored, "D"));
	headers_fini(&stored);
	headers_fini(&fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_fields),
		cmocka_unit_test(folded_lines_are_joined_by_a_space),
		cmocka_unit_test(fields_are_found_whatever_their_case),
		cmocka_unit_test(added_fields_cannot_smuggle_lines),
		cmocka_unit_test(removed_fields_are_gone_and_room_is_reused),
		cmocka_unit_test(what_is_rendered_is_parsed_again),
		cmocka_unit_test(a_section_has_a_largest_size),
		cmocka_unit_test(fields_for_one_hop_are_not_stored),
		cmocka_unit_test(a_304_updates_what_is_stored),
		cmocka_unit_test(an_update_that_is_too_large_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
