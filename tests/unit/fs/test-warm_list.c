#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../../fs/options.h"
#include "../../../fs/warm_list.h"
#include "../../../fs/warm_save.h"

#define ROOT "https://a.example/t/"

static const struct options mount = { .base_url = (char *)ROOT };

static int parse(const char *text, bool lenient, struct warm_list *ret)
{
	return warm_list_parse(&mount, text, strlen(text), lenient, ret);
}

static const struct warm_item *at(const struct warm_list *l, size_t i)
{
	const struct list *item = l->items.next;

	while (i-- > 0)
		item = item->next;
	return list_entry(item, const struct warm_item, link);
}

static void test_keys(void **state)
{
	static const struct {
		const char *line, *key;
	} cases[] = {
		{ "a.jpg", ROOT "a.jpg" },
		{ "/a b.jpg", ROOT "a%20b.jpg" },
		{ "docs/", ROOT "docs/" },
		{ "/all", ROOT "all" },
		{ "/jobs 4", ROOT "jobs%204" },
		{ "a*b", ROOT "a*b" },
		{ "HTTPS://A.example:443/t/x", ROOT "x" },
		{ "a.jpg\r", ROOT "a.jpg" },
	};
	struct warm_list l;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(parse(cases[i].line, false, &l), 0);
		assert_int_equal(l.n, 1);
		assert_string_equal(at(&l, 0)->key, cases[i].key);
		warm_list_free(&l);
	}
}

static void test_words_hold_for_what_follows(void **state)
{
	struct warm_list l;

	(void)state;
	assert_int_equal(parse("a\n\n# b\nlist x.y\ndelay 500ms\nc\njobs 4\nd\njobs 0\ndelay 0\ne\n",
			       false, &l), 0);
	assert_int_equal(l.n, 4);
	assert_string_equal(at(&l, 0)->list, WARM_LIST_DEFAULT);
	assert_int_equal(at(&l, 0)->delay_ms, 0);
	assert_string_equal(at(&l, 1)->list, "x.y");
	assert_int_equal(at(&l, 1)->delay_ms, 500);
	assert_int_equal(at(&l, 1)->jobs, 0);
	assert_int_equal(at(&l, 2)->delay_ms, 500);
	assert_int_equal(at(&l, 2)->jobs, 4);
	assert_int_equal(at(&l, 3)->delay_ms, 0);
	assert_int_equal(at(&l, 3)->jobs, 0);
	warm_list_free(&l);
}

static void test_wrong_lines(void **state)
{
	static const char *const wrong[] = {
		"..", "a/./b", "a//b", "https://", "ftp://a.example/t/x", "http://a.example/t/x",
		"https://a.example/other", "https://b.example/t/x", "all", "stale", "tag:x", "host:x",
		"dry-run a", "delay x", "delay -1s", "delay 25h", "jobs x", "jobs 65537", "list ",
		"list a b", "list 12345678901234567890123456789012", "cancel", "cancel x",
	};
	struct warm_list l;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(parse(wrong[i], false, &l), -EINVAL);
		warm_list_free(&l);
		assert_int_equal(parse(wrong[i], true, &l), 0);
		assert_int_equal(l.n, 0);
		assert_int_equal(l.wrong, 1);
		warm_list_free(&l);
	}
	assert_int_equal(parse("a\n\nall\nb\nstale\n", true, &l), 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.wrong, 2);
	assert_int_equal(l.first_wrong, 3);
	warm_list_free(&l);
}

static void test_memory_is_counted(void **state)
{
	struct warm_list l;

	(void)state;
	assert_int_equal(parse("a\nbc\n", false, &l), 0);
	assert_int_equal(l.bytes, warm_list_cost(at(&l, 0)) + warm_list_cost(at(&l, 1)));
	warm_list_free(&l);
}

/* What is kept over a restart is read back as it was. */
static void test_saved_and_read_back(void **state)
{
	static const char text[] = "a\njobs 4\nb\nlist x\ndelay 1.5s\nc d\njobs 0\ne\ndelay 0\nf\n";
	struct warm_list l, again;
	const struct warm_item *last = NULL;
	struct buf saved = BUF_INIT;

	(void)state;
	assert_int_equal(parse(text, false, &l), 0);
	for (size_t i = 0; i < l.n; i++) {
		warm_save_item(at(&l, i), last, &saved);
		last = at(&l, i);
	}
	assert_true(buf_ok(&saved));
	assert_int_equal(parse(buf_str(&saved), false, &again), 0);
	assert_int_equal(again.n, l.n);
	for (size_t i = 0; i < l.n; i++) {
		assert_string_equal(at(&again, i)->key, at(&l, i)->key);
		assert_string_equal(at(&again, i)->list, at(&l, i)->list);
		assert_int_equal(at(&again, i)->jobs, at(&l, i)->jobs);
		assert_int_equal(at(&again, i)->delay_ms, at(&l, i)->delay_ms);
	}
	buf_fini(&saved);
	warm_list_free(&l);
	warm_list_free(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_words_hold_for_what_follows),
		cmocka_unit_test(test_wrong_lines),
		cmocka_unit_test(test_memory_is_counted),
		cmocka_unit_test(test_saved_and_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
