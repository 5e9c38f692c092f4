#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../fetch/vary.h"

static const char *const GERMAN[] = { "X-Lang: de", "X-Other: 1", NULL };
static const char *const ENGLISH[] = { "X-Lang: en", "X-Other: 1", NULL };

static uint64_t sum(const char *const *fields, const char *vary)
{
	const struct vary_request r = { .fields = fields, .user_agent = "ua" };
	struct headers h = HEADERS_INIT;
	uint64_t got;

	if (vary)
		assert_int_equal(headers_add(&h, "Vary", vary), 0);
	got = vary_sum(&r, &h);
	headers_fini(&h);
	return got;
}

static void nothing_named_is_zero(void **state)
{
	(void)state;
	assert_int_equal(sum(GERMAN, NULL), 0);
	assert_int_equal(sum(GERMAN, ""), 0);
	assert_int_equal(sum(GERMAN, " , "), 0);
	assert_int_not_equal(sum(GERMAN, "X-Lang"), 0);
	assert_int_not_equal(sum(NULL, "X-Lang"), 0);
}

/* It is stored: another run, and another machine, must come to the same. */
static void it_never_changes(void **state)
{
	(void)state;
	assert_true(sum(GERMAN, "X-Lang") == UINT64_C(0xca9b7818f4643786));
}

static void only_what_is_named_counts(void **state)
{
	(void)state;
	assert_true(sum(GERMAN, "X-Lang") != sum(ENGLISH, "X-Lang"));
	assert_true(sum(GERMAN, "X-Lang") != sum(NULL, "X-Lang"));
	assert_true(sum(GERMAN, "x-lang") == sum(GERMAN, "X-Lang"));
	assert_true(sum(GERMAN, "X-Other") == sum(ENGLISH, "X-Other"));
	assert_true(sum(GERMAN, "Accept, X-Lang") != sum(ENGLISH, "Accept, X-Lang"));
}

static void values_are_trimmed_and_not_mixed_up(void **state)
{
	static const char *const spaced[] = { "x-lang:   de\t", NULL };
	static const char *const two[] = { "X-Lang: d", "X-Lang: e", NULL };
	static const char *const longer[] = { "X-Lang-2: de", NULL };

	(void)state;
	assert_true(sum(spaced, "X-Lang") == sum(GERMAN, "X-Lang"));
	assert_true(sum(two, "X-Lang") != sum(GERMAN, "X-Lang"));
	assert_true(sum(longer, "X-Lang") == sum(NULL, "X-Lang"));
}

static void what_is_sent_unasked_counts(void **state)
{
	static const char *const same[] = { "Accept: */*", "Accept-Encoding: identity",
					    "User-Agent: ua", NULL };
	static const char *const other[] = { "Accept: a", "Accept-Encoding: b", "User-Agent: c",
					     NULL };
	static const char *const names[] = { "Accept", "Accept-Encoding", "User-Agent" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(sum(same, names[i]) == sum(NULL, names[i]));
		assert_true(sum(other, names[i]) != sum(NULL, names[i]));
	}
}

static void who_asks_counts(void **state)
{
	struct vary_request r = { .user = "a:b" };
	struct headers h = HEADERS_INIT;
	uint64_t one, two, three;

	(void)state;
	assert_int_equal(headers_add(&h, "Vary", "Authorization"), 0);
	one = vary_sum(&r, &h);
	r.user = "a:c";
	two = vary_sum(&r, &h);
	r.netrc = true;
	three = vary_sum(&r, &h);
	assert_true(one != two && two != three);
	headers_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_named_is_zero),
		cmocka_unit_test(it_never_changes),
		cmocka_unit_test(only_what_is_named_counts),
		cmocka_unit_test(values_are_trimmed_and_not_mixed_up),
		cmocka_unit_test(what_is_sent_unasked_counts),
		cmocka_unit_test(who_asks_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
