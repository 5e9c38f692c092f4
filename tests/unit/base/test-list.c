#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../base/list.h"

struct item {
	int n;
	struct list link;
};

/* The numbers of a list as decimal digits, read forwards and backwards. */
static int digits(const struct list *head)
{
	int forwards = 0, backwards = 0, place = 1;
	struct item *item;

	list_for_each(item, head, link)
		forwards = forwards * 10 + item->n;
	for (struct list *at = head->prev; at != head; at = at->prev, place *= 10)
		backwards += place * list_entry(at, struct item, link)->n;
	assert_int_equal(forwards, backwards);
	return forwards;
}

static void order_of_insertions(void **state)
{
	struct list head = LIST_INIT(head);
	struct item a = { .n = 1 }, b = { .n = 2 }, c = { .n = 3 }, d = { .n = 4 };

	(void)state;
	assert_true(list_empty(&head));
	assert_int_equal(digits(&head), 0);
	list_append(&head, &a.link);
	list_append(&head, &b.link);
	list_prepend(&head, &c.link);
	list_insert(&b.link, &d.link);
	assert_int_equal(digits(&head), 3142);
	assert_false(list_empty(&head));
}

static void removing_twice_is_harmless(void **state)
{
	struct list head = LIST_INIT(head);
	struct item a = { .n = 1 }, b = { .n = 2 };

	(void)state;
	list_append(&head, &a.link);
	list_append(&head, &b.link);
	list_remove(&a.link);
	list_remove(&a.link);
	assert_int_equal(digits(&head), 2);
	list_remove(&b.link);
	assert_true(list_empty(&head));
}

static void splice_moves_all(void **state)
{
	struct list to = LIST_INIT(to), from = LIST_INIT(from);
	struct item items[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		items[i].n = i + 1;
		list_append(i < 2 ? &to : &from, &items[i].link);
	}
	list_splice(&to, &from);
	assert_int_equal(digits(&to), 1234);
	assert_true(list_empty(&from));
	list_splice(&to, &from);
	assert_int_equal(digits(&to), 1234);
	list_splice(&from, &to);
	assert_int_equal(digits(&from), 1234);
}

static void pop_takes_the_first(void **state)
{
	struct list head = LIST_INIT(head);
	struct item a = { .n = 1 }, b = { .n = 2 };

	(void)state;
	list_append(&head, &a.link);
	list_append(&head, &b.link);
	assert_ptr_equal(list_pop(&head), &a.link);
	assert_true(list_empty(&a.link));
	assert_ptr_equal(list_pop(&head), &b.link);
	assert_null(list_pop(&head));
}

static void entries_may_go_while_walked(void **state)
{
	struct list head = LIST_INIT(head);
	struct item items[5], *item, *next;

	(void)state;
	for (int i = 0; i < 5; i++) {
		items[i].n = i + 1;
		list_append(&head, &items[i].link);
	}
	list_for_each_safe(item, next, &head, link)
		if (item->n % 2)
			list_remove(&item->link);
	assert_int_equal(digits(&head), 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_of_insertions),
		cmocka_unit_test(removing_twice_is_harmless),
		cmocka_unit_test(splice_moves_all),
		cmocka_unit_test(pop_takes_the_first),
		cmocka_unit_test(entries_may_go_while_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
