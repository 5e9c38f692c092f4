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
#include "../../../base/cleanup.h"
#include "../../../index/evict.h"
#include "db_fixture.h"

/* --- SIEVE as the paper has it (NSDI '24, algorithm 1): a linked queue with new
 * objects at its head, and a hand that moves from the tail to the head --- */

struct object {
	struct object *newer, *older;
	uint64_t ino;
	int key;
	bool visited;
};

struct sieve {
	struct object *head, *tail, *hand;
};

static void sieve_insert(struct sieve *q, struct object *o)
{
	o->newer = NULL;
	o->older = q->head;
	if (q->head)
		q->head->newer = o;
	q->head = o;
	if (!q->tail)
		q->tail = o;
}

static struct object *sieve_evict(struct sieve *q)
{
	struct object *o = q->hand ? q->hand : q->tail;

	while (o->visited) {
		o->visited = false;
		o = o->newer ? o->newer : q->tail;
	}
	q->hand = o->newer;
	if (o->newer)
		o->newer->older = o->older;
	else
		q->head = o->older;
	if (o->older)
		o->older->newer = o->newer;
	else
		q->tail = o->newer;
	return o;
}

/* --- the one under test --- */

struct victims {
	struct db *db;
	struct buf text;	/* "ino " or "ino! " (expired) of each */
	int left;		/* enough after so many */
	uint64_t spare;		/* this one is in use */
	uint64_t last;
};

static bool take(void *arg, const struct record *r, bool expired)
{
	struct victims *v = arg;

	buf_printf(&v->text, "%llu%s ", (unsigned long long)r->ino, expired ? "!" : "");
	if (r->ino == v->spare)
		return true;
	v->last = r->ino;
	assert_int_equal(db_delete(v->db, r->ino), 0);
	return --v->left > 0;
}

static void put(struct db *db, uint64_t ino)
{
	char key[32];

	snprintf(key, sizeof(key), "https://h/%llu", (unsigned long long)ino);
	fixture_put(db, ino, key, 200);
}

static struct evict begin(struct fixture *f, uint64_t first, uint64_t last)
{
	struct evict e = { .db = f->db, .recency = recency_new() };

	for (; first <= last; first++)
		put(f->db, first);
	return e;
}

static void expect_victims(struct evict *e, int n, uint64_t spare, const char *want)
{
	struct victims v = { .db = e->db, .text = BUF_INIT, .left = n, .spare = spare };

	assert_int_equal(evict_run(e, 1000, take, &v), 0);
	assert_string_equal(buf_str(&v.text), want);
	buf_fini(&v.text);
}

static void oldest_unvisited_first(void **state)
{
	struct evict e = begin(*state, 2, 9);

	recency_mark(e.recency, 2);
	recency_mark(e.recency, 4);
	expect_victims(&e, 2, 0, "3 5 ");
	expect_victims(&e, 2, 0, "6 7 ");
	/* On to the head, then from the tail: the marks are gone. */
	expect_victims(&e, 3, 0, "8 9 2 ");
	recency_free(e.recency);
}

static void the_hand_does_not_chase_new_objects(void **state)
{
	struct fixture *f = *state;
	struct evict e = begin(f, 2, 4);

	recency_mark(e.recency, 2);
	recency_mark(e.recency, 3);
	expect_victims(&e, 1, 0, "4 ");
	/* The victim was the head: the next round begins at the tail. */
	put(f->db, 5);
	expect_victims(&e, 1, 0, "2 ");
	recency_free(e.recency);
}

static void all_visited_takes_two_rounds(void **state)
{
	struct evict e = begin(*state, 2, 5);

	e.hand = 4;
	for (uint64_t i = 2; i < 6; i++)
		recency_mark(e.recency, i);
	expect_victims(&e, 2, 0, "4 5 ");
	recency_free(e.recency);
}

static void spared_victims_stay(void **state)
{
	struct fixture *f = *state;
	struct evict e = begin(f, 2, 4);
	struct record r;

	expect_victims(&e, 1, 2, "2 3 ");
	/* Nobody can go: named once a round, twice in all, then it ends. */
	expect_victims(&e, 1, 4, "4 2 ");
	assert_int_equal(db_find_ino(f->db, 4, &r), 0);
	record_fini(&r);
	expect_victims(&e, 1, 4, "4 4 ");
	e.hand = 99;
	expect_victims(&e, 1, 4, "4 4 ");
	recency_free(e.recency);
}

static void an_empty_table_has_no_victims(void **state)
{
	struct evict e = begin(*state, 2, 1);

	expect_victims(&e, 1, 0, "");
	e.hand = 77;
	expect_victims(&e, 1, 0, "");
	recency_free(e.recency);
}

static void beyond_use_first(void **state)
{
	struct fixture *f = *state;
	struct evict e = begin(f, 2, 5);
	struct record r = fixture_record(6, "https://h/expired");

	r.meta->usable_until_ms = 999;
	assert_int_equal(db_put(f->db, &r), 0);
	free(r.key);
	r.key = strdup("https://h/older");
	r.ino = 7;
	r.meta->usable_until_ms = 998;
	assert_int_equal(db_put(f->db, &r), 0);
	free(r.key);
	r.key = strdup("https://h/usable");
	r.ino = 8;
	r.meta->usable_until_ms = 1000;
	assert_int_equal(db_put(f->db, &r), 0);
	record_fini(&r);
	/* Also when it was just looked up. */
	recency_mark(e.recency, 6);
	expect_victims(&e, 1, 0, "7! ");
	expect_victims(&e, 3, 0, "6! 2 3 ");
	recency_free(e.recency);
}

static void the_hand_survives_a_restart(void **state)
{
	struct fixture *f = *state;
	struct evict e = begin(f, 2, 9);

	expect_victims(&e, 3, 0, "2 3 4 ");
	recency_mark(e.recency, 6);
	assert_int_equal(evict_save(&e), 0);
	recency_free(e.recency);
	fixture_reopen(f);
	e = (struct evict){ .db = f->db, .recency = recency_new() };
	put(f->db, 2);
	assert_int_equal(evict_load(&e), 0);
	expect_victims(&e, 3, 0, "5 7 8 ");
	recency_free(e.recency);
}

static void nothing_to_load(void **state)
{
	struct fixture *f = *state;
	struct evict e = begin(f, 2, 3);

	assert_int_equal(evict_load(&e), 0);
	assert_int_equal(e.hand, 0);
	assert_int_equal(db_set_value(f->db, "evict", "short", 5), 0);
	assert_int_equal(evict_load(&e), 0);
	assert_int_equal(e.hand, 0);
	recency_free(e.recency);
}

/* Pages of dead numbers do not stay: only what the rows span is kept. */
static void recency_of_the_dead_is_forgotten(void **state)
{
	struct evict e = begin(*state, 50000, 50003);

	recency_mark(e.recency, 7);
	for (uint64_t i = 50000; i < 50004; i++)
		recency_mark(e.recency, i);
	expect_victims(&e, 1, 0, "50000 ");
	assert_false(recency_take(e.recency, 7));
	recency_free(e.recency);
}

/* --- both side by side --- */

#define KEYS 400

static void same_victims_as_the_paper(void **state)
{
	struct object *at[KEYS] = { 0 };
	struct fixture *f = *state;
	struct evict e = begin(f, 2, 1);
	struct sieve q = { 0 };
	uint64_t seed = 4242, next = 2;
	int n = 0, capacity = 60;

	assert_int_equal(db_begin(f->db), 0);
	for (int i = 0; i < 20000; i++) {
		/* The product of two draws prefers low keys. */
		int key = fixture_random(&seed) % 100 * (fixture_random(&seed) % 100) * KEYS / 10000;
		struct victims v = { .db = f->db, .text = BUF_INIT, .left = 1 };

		if (at[key]) {
			at[key]->visited = true;
			recency_mark(e.recency, at[key]->ino);
			continue;
		}
		while (n >= capacity) {
			struct object *o = sieve_evict(&q);

			v.left = 1;
			assert_int_equal(evict_run(&e, 1000, take, &v), 0);
			assert_int_equal(v.last, o->ino);
			at[o->key] = NULL;
			free(o);
			n--;
		}
		buf_fini(&v.text);
		at[key] = calloc(1, sizeof(*at[key]));
		at[key]->ino = next;
		at[key]->key = key;
		sieve_insert(&q, at[key]);
		put(f->db, next);
		next += 1 + fixture_random(&seed) % 3;
		n++;
		/* Several victims in a row, too. */
		if (i % 1000 == 0)
			capacity = 30 + fixture_random(&seed) % 60;
	}
	assert_int_equal(db_commit(f->db), 0);
	assert_true(next > 5000);
	for (int i = 0; i < KEYS; i++)
		free(at[i]);
	recency_free(e.recency);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(oldest_unvisited_first),
		TEST(the_hand_does_not_chase_new_objects),
		TEST(all_visited_takes_two_rounds),
		TEST(spared_victims_stay),
		TEST(an_empty_table_has_no_victims),
		TEST(beyond_use_first),
		TEST(the_hand_survives_a_restart),
		TEST(nothing_to_load),
		TEST(recency_of_the_dead_is_forgotten),
		TEST(same_victims_as_the_paper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
