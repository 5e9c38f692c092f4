#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../base/buf.h"
#include "../../../index/db.h"
#include "db_fixture.h"

struct told {
	struct buf text;	/* the numbers, each with a space behind */
	int left;		/* stop after so many; 0: never */
	struct db *db;
	void (*act)(struct told *t, const struct record *r);
};

static bool tell(void *arg, const struct record *r)
{
	struct told *t = arg;

	assert_non_null(r->key);
	assert_non_null(r->meta);
	buf_printf(&t->text, "%llu ", (unsigned long long)r->ino);
	if (t->act)
		t->act(t, r);
	return !t->left || --t->left;
}

static void expect(struct told *t, const char *want)
{
	assert_string_equal(buf_str(&t->text), want);
	buf_reset(&t->text);
}

static void put_numbered(struct db *db, uint64_t first, uint64_t last)
{
	char key[64];

	assert_int_equal(db_begin(db), 0);
	for (uint64_t i = first; i <= last; i++) {
		snprintf(key, sizeof(key), "https://h/%05llu", (unsigned long long)i);
		fixture_put(db, i, key, 200);
	}
	assert_int_equal(db_commit(db), 0);
}

static void put_useless(struct db *db, uint64_t ino, int64_t usable_until_ms)
{
	char key[64];
	struct record r;

	snprintf(key, sizeof(key), "https://h/u%llu", (unsigned long long)ino);
	r = fixture_record(ino, key);
	r.meta->usable_until_ms = usable_until_ms;
	assert_int_equal(db_put(db, &r), 0);
	record_fini(&r);
}

static void put_packed(struct db *db, uint64_t ino, uint64_t segment, uint64_t stored)
{
	char key[64];
	struct record r;

	snprintf(key, sizeof(key), "https://h/p%llu", (unsigned long long)ino);
	r = fixture_record(ino, key);
	r.blob = (struct blob){ .kind = BLOB_SEGMENT, .id = segment, .stored = stored };
	assert_int_equal(db_put(db, &r), 0);
	record_fini(&r);
}

static void current_of(void **state)
{
	struct fixture *f = *state;
	struct told t = { .text = BUF_INIT };

	fixture_put(f->db, 2, "https://h/a", 200);
	assert_int_equal(db_set_current(f->db, 2, false), 0);
	assert_int_equal(db_each_current_of(f->db, "https://h/a", tell, &t), 0);
	expect(&t, "");
	fixture_put(f->db, 3, "https://h/a", 404);
	fixture_put(f->db, 4, "https://h/a/b", 200);
	assert_int_equal(db_each_current_of(f->db, "https://h/a", tell, &t), 0);
	expect(&t, "3 ");
	buf_fini(&t.text);
}

static void by_prefix(void **state)
{
	struct fixture *f = *state;
	struct told t = { .text = BUF_INIT };

	fixture_put(f->db, 2, "https://h/a-b", 200);
	fixture_put(f->db, 3, "https://h/a/b", 404);
	fixture_put(f->db, 4, "https://h/a", 200);
	fixture_put(f->db, 5, "https://h/b", 200);
	fixture_put(f->db, 6, "https://g/a", 200);
	fixture_put(f->db, 7, "https://h/a/c", 200);
	assert_int_equal(db_set_current(f->db, 7, false), 0);
	assert_int_equal(db_each_prefix(f->db, "https://h/a", tell, &t), 0);
	expect(&t, "4 3 2 ");
	assert_int_equal(db_each_prefix(f->db, "https://h/a/", tell, &t), 0);
	expect(&t, "3 ");
	assert_int_equal(db_each_prefix(f->db, "", tell, &t), 0);
	expect(&t, "6 4 3 2 5 ");
	assert_int_equal(db_each_prefix(f->db, "https://i", tell, &t), 0);
	expect(&t, "");
	t.left = 2;
	assert_int_equal(db_each_prefix(f->db, "", tell, &t), 0);
	expect(&t, "6 4 ");
	buf_fini(&t.text);
}

static void useless_oldest_first(void **state)
{
	struct fixture *f = *state;
	struct told t = { .text = BUF_INIT };

	put_useless(f->db, 2, 300);
	put_useless(f->db, 3, 100);
	put_useless(f->db, 4, 200);
	put_useless(f->db, 5, 100);
	put_useless(f->db, 6, INT64_MAX);
	put_useless(f->db, 7, -5);
	assert_int_equal(db_each_useless(f->db, 300, tell, &t), 0);
	expect(&t, "7 3 5 4 ");
	assert_int_equal(db_each_useless(f->db, INT64_MAX, tell, &t), 0);
	expect(&t, "7 3 5 4 2 ");
	assert_int_equal(db_each_useless(f->db, -5, tell, &t), 0);
	expect(&t, "");
	buf_fini(&t.text);
}

static void leftovers(void **state)
{
	struct fixture *f = *state;
	struct blob arriving = { .kind = BLOB_ARRIVING };
	struct told t = { .text = BUF_INIT };

	put_numbered(f->db, 2, 9);
	assert_int_equal(db_set_current(f->db, 3, false), 0);
	assert_int_equal(db_set_blob(f->db, 5, &arriving, NULL), 0);
	assert_int_equal(db_set_blob(f->db, 6, &arriving, NULL), 0);
	assert_int_equal(db_set_current(f->db, 6, false), 0);
	assert_int_equal(db_set_current(f->db, 8, false), 0);
	assert_int_equal(db_each_leftover(f->db, 8, tell, &t), 0);
	expect(&t, "3 5 6 ");
	assert_int_equal(db_each_leftover(f->db, 9, tell, &t), 0);
	expect(&t, "3 5 6 8 ");
	buf_fini(&t.text);
}

static void count_segment(void *arg, uint64_t segment, uint64_t bytes)
{
	buf_printf(arg, "%llu:%llu ", (unsigned long long)segment, (unsigned long long)bytes);
}

static void segments(void **state)
{
	struct fixture *f = *state;
	struct told t = { .text = BUF_INIT };
	struct db_view *view;

	put_packed(f->db, 2, 7, 300);
	put_packed(f->db, 3, 7, 100);
	put_packed(f->db, 4, 8, 50);
	put_packed(f->db, 5, 7, 100);
	fixture_put(f->db, 7, "https://h/file", 200);
	assert_int_equal(db_each_in_segment(f->db, 7, tell, &t), 0);
	expect(&t, "3 5 2 ");
	assert_int_equal(db_each_in_segment(f->db, 9, tell, &t), 0);
	expect(&t, "");
	assert_int_equal(db_view_open(f->db, &view), 0);
	assert_int_equal(db_segments(view, count_segment, &t.text), 0);
	expect(&t, "7:500 8:50 ");
	/* It stays as it was. */
	put_packed(f->db, 6, 9, 1);
	assert_int_equal(db_segments(view, count_segment, &t.text), 0);
	expect(&t, "7:500 8:50 ");
	db_view_close(f->db, view);
	assert_int_equal(db_view_open(f->db, &view), 0);
	assert_int_equal(db_segments(view, count_segment, &t.text), 0);
	expect(&t, "7:500 8:50 9:1 ");
	db_view_close(f->db, view);
	buf_fini(&t.text);
}

/* --- pages, and changes meanwhile --- */

struct seen {
	struct db *db;
	uint64_t n, last, sum;
};

static bool delete_it(void *arg, const struct record *r)
{
	struct seen *s = arg;

	assert_true(r->ino > s->last);
	s->last = r->ino;
	s->n++;
	assert_int_equal(db_delete(s->db, r->ino), 0);
	return true;
}

static void all_may_be_deleted_while_walking(void **state)
{
	struct fixture *f = *state;
	struct seen s = { .db = f->db };
	struct db_sums sums;

	put_numbered(f->db, 2, 1001);
	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(db_each_from(f->db, 0, delete_it, &s), 0);
	assert_int_equal(db_commit(f->db), 0);
	assert_int_equal(s.n, 1000);
	db_sums(f->db, &sums);
	assert_int_equal(sums.objects, 0);
	assert_int_equal(sums.bytes_stored, 0);
}

static bool delete_this_and_next(void *arg, const struct record *r)
{
	struct seen *s = arg;

	delete_it(arg, r);
	assert_int_equal(db_delete(s->db, r->ino + 1), 0);
	return true;
}

static void deleted_rows_are_not_told(void **state)
{
	struct fixture *f = *state;
	struct seen s = { .db = f->db };

	put_numbered(f->db, 2, 1001);
	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(db_each_prefix(f->db, "https://h/", delete_this_and_next, &s), 0);
	assert_int_equal(db_commit(f->db), 0);
	assert_int_equal(s.n, 500);
}

static bool retire_and_replace(void *arg, const struct record *r)
{
	struct seen *s = arg;

	assert_true(r->current);
	s->n++;
	assert_int_equal(db_set_current(s->db, r->ino, false), 0);
	fixture_put(s->db, r->ino + 10000, r->key, 200);
	return s->n < 5000;
}

static void replaced_rows_are_told_once(void **state)
{
	struct fixture *f = *state;
	struct seen s = { .db = f->db };

	put_numbered(f->db, 2, 1001);
	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(db_each_prefix(f->db, "https://h/", retire_and_replace, &s), 0);
	assert_int_equal(db_commit(f->db), 0);
	assert_int_equal(s.n, 1000);
}

static bool retire_the_next(void *arg, const struct record *r)
{
	struct seen *s = arg;

	s->n++;
	return db_set_current(s->db, r->ino + 1, false) == 0;
}

static void retired_rows_are_not_told(void **state)
{
	struct fixture *f = *state;
	struct seen s = { .db = f->db };

	put_numbered(f->db, 2, 601);
	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(db_each_prefix(f->db, "", retire_the_next, &s), 0);
	assert_int_equal(db_commit(f->db), 0);
	assert_int_equal(s.n, 300);
}

static bool change_the_next(void *arg, const struct record *r)
{
	struct blob b = { .kind = BLOB_FILE, .id = r->ino + 1, .stored = 77 };
	struct seen *s = arg;

	if (s->n++)
		assert_int_equal(r->blob.stored, 77);
	return db_set_blob(s->db, r->ino + 1, &b, NULL) == 0;
}

static void changed_rows_are_told_as_they_are(void **state)
{
	struct fixture *f = *state;
	struct seen s = { .db = f->db };

	put_numbered(f->db, 2, 601);
	assert_int_equal(db_begin(f->db), 0);
	assert_int_equal(db_each_from(f->db, 2, change_the_next, &s), 0);
	assert_int_equal(db_commit(f->db), 0);
	assert_int_equal(s.n, 600);
}

static bool add(void *arg, const struct record *r)
{
	struct seen *s = arg;

	s->n++;
	s->sum += r->ino;
	return true;
}

/* More rows than a page that are alike in what orders them. */
static void pages_of_equal_rows(void **state)
{
	struct fixture *f = *state;
	struct seen s = { .db = f->db };

	assert_int_equal(db_begin(f->db), 0);
	for (uint64_t i = 2; i < 702; i++)
		put_useless(f->db, i, 100);
	for (uint64_t i = 1002; i < 1702; i++)
		put_packed(f->db, i, 5, 10);
	assert_int_equal(db_commit(f->db), 0);
	assert_int_equal(db_each_useless(f->db, 101, add, &s), 0);
	assert_int_equal(s.n, 700);
	assert_int_equal(s.sum, 700 * (2 + 701) / 2);
	s = (struct seen){ .db = f->db };
	assert_int_equal(db_each_in_segment(f->db, 5, add, &s), 0);
	assert_int_equal(s.n, 700);
	assert_int_equal(s.sum, 700 * (1002 + 1701) / 2);
}

static bool walk_again(void *arg, const struct record *r)
{
	struct seen *s = arg;

	(void)r;
	assert_int_equal(db_each_from(s->db, 0, add, s), 0);
	return false;
}

static void walks_may_nest(void **state)
{
	struct fixture *f = *state;
	struct seen s = { .db = f->db };

	put_numbered(f->db, 2, 301);
	assert_int_equal(db_each_from(f->db, 0, walk_again, &s), 0);
	assert_int_equal(s.n, 300);
}

static void from_a_number_on(void **state)
{
	struct fixture *f = *state;
	struct told t = { .text = BUF_INIT, .left = 3 };

	put_numbered(f->db, 2, 400);
	assert_int_equal(db_each_from(f->db, 100, tell, &t), 0);
	expect(&t, "100 101 102 ");
	t.left = 0;
	assert_int_equal(db_each_from(f->db, 399, tell, &t), 0);
	expect(&t, "399 400 ");
	assert_int_equal(db_each_from(f->db, 401, tell, &t), 0);
	expect(&t, "");
	buf_fini(&t.text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(current_of),
		TEST(by_prefix),
		TEST(useless_oldest_first),
		TEST(leftovers),
		TEST(segments),
		TEST(all_may_be_deleted_while_walking),
		TEST(deleted_rows_are_not_told),
		TEST(replaced_rows_are_told_once),
		TEST(retired_rows_are_not_told),
		TEST(changed_rows_are_told_as_they_are),
		TEST(pages_of_equal_rows),
		TEST(walks_may_nest),
		TEST(from_a_number_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
