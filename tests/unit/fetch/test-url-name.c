#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../../fetch/url.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void test_pairs(void **state)
{
	static const struct {
		const char *segment, *name;
	} pairs[] = {
		{ "index.html", "index.html" },
		{ "a%20b", "a b" },
		{ "%C3%A9t%C3%A9.jpg", "\u00e9t\u00e9.jpg" },
		{ "%FF", "\xff" },
		{ "a%0Ab", "a\nb" },
		{ "!$&'()*+,;=:@~-._", "!$&'()*+,;=:@~-._" },
		{ "https:", "https:" },
		{ "example.org:8080", "example.org:8080" },
		{ "%5B1%5D%7B%7C%7D%22%3C%3E%5C%5E%60%23", "[1]{|}\"<>\\^`#" },
		{ "100%25", "100%" },
		{ "%25", "%" },
		{ "%25%25", "%%" },
		{ "50%25off", "50%off" },
		{ "...", "..." },
		{ "..a", "..a" },
		{ ".hidden", ".hidden" },
		/* decoded, these could not be, or would be another segment */
		{ "a%2Fb", "a%2Fb" },
		{ "%2F", "%2F" },
		{ "a%00b", "a%00b" },
		{ "a%26b", "a%26b" },
		{ "a%3Fb", "a%3Fb" },
		{ "a%20b%2Fc", "a%20b%2Fc" },
		{ "..%2F", "..%2F" },
		/* then these names mean themselves, one level deeper */
		{ "a%252Fb", "a%252Fb" },
		{ "a%25252Fb", "a%25252Fb" },
		{ "a%2526b", "a%2526b" },
		{ "a%2520b", "a%20b" },
		{ "a%252520b", "a%2520b" },
		{ "a%252fb", "a%2fb" },
		{ "%2541", "%41" },
		{ "%252E", "%2E" },
		{ "%252Fa%2520", "%252Fa%2520" },
		{ "a%2526b%20c", "a%26b c" },
		{ "%25zz", "%zz" },
		/* queries */
		{ "a?b", "a?b" },
		{ "a?", "a?" },
		{ "?", "?" },
		{ "?C=N;O=D", "?C=N;O=D" },
		{ "a%20b?c%20d", "a b?c d" },
		{ "a?b?c", "a?b?c" },
		{ "a?b%3Fc", "a?b%3Fc" },
		{ "a%3Fb?c", "a%3Fb?c" },
		{ "a?x=1%262", "a?x=1%262" },
		{ "a?u=b/c", "a?u=b%2fc" },
		{ "a?u=b%2Fc", "a?u=b%2Fc" },
		{ "a?u=b%252fc", "a?u=b%252fc" },
		{ "a?u=b/%20c", "a?u=b%2f%20c" },
		{ "a?u=b%252f%2520c", "a?u=b%252f%2520c" },
		{ "a?/", "a?%2f" },
		{ "a?..", "a?.." },
		{ "...?x", "...?x" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		char *segment = NULL, *name = NULL;
		int there = url_segment_to_name(pairs[i].segment, &name);
		int back = url_name_to_segment(pairs[i].name, &segment);

		if (there || strcmp(name, pairs[i].name))
			fail_msg("segment %s: %d, %s, not %s", pairs[i].segment, there, name,
				 pairs[i].name);
		if (back || strcmp(segment, pairs[i].segment))
			fail_msg("name %s: %d, %s, not %s", pairs[i].name, back, segment,
				 pairs[i].segment);
		free(segment);
		free(name);
	}
}

static void test_refused(void **state)
{
	static const char *const names[] = {
		"", ".", "..", "/", "a/b", "/a", "a/", ".?x", "..?x", "..?", "a?b/c",
	};
	static const char *const segments[] = {
		"", ".", "..", "/", "a/b", "%2e", "%2E%2e", ".%2E", ".?x", "%2e%2e?x", "a/b?c",
	};
	char *ret = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (url_name_to_segment(names[i], &ret) != -EINVAL)
			fail_msg("name %s", names[i]);
	for (size_t i = 0; i < COUNT_OF(segments); i++)
		if (url_segment_to_name(segments[i], &ret) != -EINVAL)
			fail_msg("segment %s", segments[i]);
	assert_null(ret);
}

static void test_segments_need_not_be_normal(void **state)
{
	static const struct {
		const char *segment, *name;
	} cases[] = {
		{ "caf%c3%a9", "caf\u00e9" },
		{ "a b", "a b" },
		{ "%61", "a" },
		{ "a%2fb", "a%2Fb" },
		{ "100%", "100%" },
		{ "a#b", "a#b" },
		{ "a?u=b%2fc", "a?u=b%2Fc" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *name;

		assert_int_equal(url_segment_to_name(cases[i].segment, &name), 0);
		assert_string_equal(name, cases[i].name);
		free(name);
	}
}

static void test_length(void **state)
{
	char text[3 * 1024 + 1];
	char *ret = NULL, *back;

	(void)state;
	/* As shown: three bytes of the segment for each. */
	for (int i = 0; i < 1024; i++)
		memcpy(text + 3 * i, "%20", 4);
	assert_int_equal(url_segment_to_name(text, &ret), -ENAMETOOLONG);
	text[3 * 1023] = '\0';
	assert_int_equal(url_segment_to_name(text, &ret), 0);
	assert_int_equal(strlen(ret), 1023);
	assert_int_equal(url_name_to_segment(ret, &back), 0);
	assert_string_equal(back, text);
	free(ret);
	free(back);

	memset(text, 'a', 1024);
	text[1024] = '\0';
	assert_int_equal(url_name_to_segment(text, &ret), -ENAMETOOLONG);
	assert_int_equal(url_segment_to_name(text, &ret), -ENAMETOOLONG);
	/* Decoded it would fit, but it is shown encoded. */
	memcpy(text, "%2F", 3);
	assert_int_equal(url_segment_to_name(text, &ret), -ENAMETOOLONG);
	text[1023] = '\0';
	assert_int_equal(url_segment_to_name(text, &ret), 0);
	assert_string_equal(ret, text);
	free(ret);
}

/* Processor time of going both ways a number of times. */
static clock_t cost(const char *text)
{
	clock_t begin = clock();

	for (int i = 0; i < 50; i++) {
		char *name, *segment;

		assert_int_equal(url_segment_to_name(text, &name), 0);
		assert_string_equal(name, text);
		assert_int_equal(url_name_to_segment(name, &segment), 0);
		assert_string_equal(segment, text);
		free(name);
		free(segment);
	}
	return clock() - begin;
}

/* A page of such links must not keep us busy: it costs as much as any other name,
 * not 500 times that, once for each level. */
static void test_deep_encoding_takes_no_long(void **state)
{
	char flat[1024], deep[1024] = "%";

	(void)state;
	memset(flat, 'a', 1021);
	memcpy(flat + 1020, "%2F", 4);
	for (int i = 1; i < 1021; i += 2)
		memcpy(deep + i, "25", 2);
	memcpy(deep + 1021, "2F", 3);
	assert_true(cost(deep) < 30 * cost(flat));
}

/* Deterministic: a failure is the same next time. */
static uint32_t next_random(void)
{
	static uint32_t x = 2463534242;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

/* Of pieces that matter to each other, so that short texts hit the rare cases. */
static void generate(char *text, size_t size)
{
	static const char *const pieces[] = {
		"%", "25", "2F", "2f", "20", "%20", "%25", "%2F", "%2f", "%26", "?", "%3F",
		"00", "a", ".", " ", "&", "41", "%41", "E", "\xc3", "\xa9", "\n", "\x7f", "#",
	};
	size_t len = 0;

	for (uint32_t n = next_random() % 9; n > 0; n--)
		len += snprintf(text + len, size - len, "%s",
				pieces[next_random() % COUNT_OF(pieces)]);
	text[len] = '\0';
}

static void test_names_come_back(void **state)
{
	int legal = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char name[64], url[256];
		char *segment, *back, *key;

		generate(name, sizeof(name));
		if (url_name_to_segment(name, &segment) < 0)
			continue;
		legal++;
		assert_int_equal(url_segment_to_name(segment, &back), 0);
		assert_string_equal(back, name);
		/* And the segment can stand in a key. */
		snprintf(url, sizeof(url), "http://a/%s", segment);
		assert_int_equal(url_normalise(url, &key, NULL), 0);
		assert_string_equal(key, url);
		free(segment);
		free(back);
		free(key);
	}
	assert_true(legal > 15000);
}

static void test_segments_come_back(void **state)
{
	int legal = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char text[64], url[128];
		char *key, *name, *back;

		generate(text, sizeof(text));
		snprintf(url, sizeof(url), "http://a/%s", text);
		if (url_normalise(url, &key, NULL) < 0)
			continue;
		if (url_segment_to_name(key + strlen("http://a/"), &name) == 0) {
			legal++;
			assert_null(strchr(name, '/'));
			assert_int_equal(url_name_to_segment(name, &back), 0);
			assert_string_equal(back, key + strlen("http://a/"));
			free(name);
			free(back);
		}
		free(key);
	}
	assert_true(legal > 8000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_segments_need_not_be_normal),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_deep_encoding_takes_no_long),
		cmocka_unit_test(test_names_come_back),
		cmocka_unit_test(test_segments_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
