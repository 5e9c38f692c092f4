/* What a daemon leaves in the memory that it shares with its keeper, and what the next
 * one makes of it. Each table here is one daemon's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../fs/control.h"
#include "../../../fs/handover.h"
#include "../../../fs/inode.h"
#include "../../../index/index.h"

struct version {
	uint64_t ino;
	int refs;
};

struct index {
	uint64_t next;
	struct version *shown;		/* what an earlier daemon did */
	struct inodes *racing;		/* another thread comes to find it meanwhile */
};

struct version *version_ref(struct version *v)
{
	v->refs++;
	return v;
}

void version_unref(struct version *v)
{
	if (v)
		v->refs--;
}

void version_unrefp(struct version **v)
{
	version_unref(*v);
}

uint64_t version_ino(const struct version *v)
{
	return v->ino;
}

int index_take_ino(struct index *ix, uint64_t *ret)
{
	*ret = ix->next++;
	return 0;
}

int index_find_shown(struct index *ix, uint64_t ino, struct version **ret)
{
	struct inodes *t = ix->racing;

	ix->racing = NULL;
	if (t)
		inode_unref(t, inodes_find(t, ino));
	if (!ix->shown || ix->shown->ino != ino)
		return -ENOENT;
	*ret = version_ref(ix->shown);
	return 0;
}

static const struct control_file stats = { .name = "stats" };

const struct control_file *control_find(const char *name)
{
	return strcmp(name, "stats") == 0 ? &stats : NULL;
}

static struct index ix;
static struct version one;
static struct handover *h;
static struct inodes first, second;

static int setup(void **state)
{
	(void)state;
	ix = (struct index){ .next = 100 };
	one = (struct version){ .ino = 11 };
	if (handover_new(&h) < 0)
		return -1;
	inodes_init(&first);
	inodes_init(&second);
	return inodes_show_root(&first, "http://a/") < 0 || inodes_show_root(&second, "http://a/") < 0 ||
	       inodes_take_over(&first, h, NULL) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	inodes_fini(&first);
	inodes_fini(&second);
	handover_free(h);
	return one.refs == 0 ? 0 : -1;
}

/* The first daemon is gone, whatever it was about to do. */
static void die(void)
{
	handover_end_life(h);
	assert_int_equal(inodes_take_over(&second, h, &ix), 0);
}

static uint64_t show_dir(struct inodes *t, uint64_t parent, const char *name)
{
	struct inode *i;
	char key[64];
	uint64_t ino;

	snprintf(key, sizeof key, "http://a/%s/", name);
	assert_int_equal(inodes_show_dir(t, &ix, INODE_DIR, parent, name, key, &i), 0);
	ino = i->ino;
	inode_unref(t, i);
	return ino;
}

static uint64_t show_stats(struct inodes *t, const char *text)
{
	struct inode *i;
	uint64_t ino;

	assert_int_equal(inodes_show_text(t, &ix, &stats, strdup(text), strlen(text), &i), 0);
	ino = i->ino;
	inode_unref(t, i);
	return ino;
}

static bool is_known(struct inodes *t, uint64_t ino)
{
	struct inode *i = inodes_find(t, ino);

	inode_unref(t, i);
	return i != NULL;
}

static void test_directories_are_what_they_were(void **state)
{
	uint64_t a = show_dir(&first, INODE_ROOT, "a"), b = show_dir(&first, a, "b");
	struct inode *i;

	(void)state;
	die();
	i = inodes_find(&second, b);
	assert_non_null(i);
	assert_int_equal(i->kind, INODE_DIR);
	assert_int_equal(i->parent, a);
	assert_string_equal(i->name, "b");
	assert_string_equal(i->key, "http://a/b/");
	inode_unref(&second, i);
	assert_int_equal(show_dir(&second, INODE_ROOT, "a"), a);
}

static void test_lookups_are_counted_on(void **state)
{
	uint64_t a = show_dir(&first, INODE_ROOT, "a");

	(void)state;
	show_dir(&first, INODE_ROOT, "a");
	show_dir(&first, INODE_ROOT, "a");
	inodes_forget(&first, a, 1);
	die();
	show_dir(&second, INODE_ROOT, "a");
	inodes_forget(&second, a, 2);
	assert_true(is_known(&second, a));
	inodes_forget(&second, a, 1);
	assert_false(is_known(&second, a));
}

static void test_what_was_forgotten_stays_so(void **state)
{
	uint64_t a = show_dir(&first, INODE_ROOT, "a");

	(void)state;
	inodes_forget(&first, a, 1);
	die();
	assert_false(is_known(&second, a));
	assert_int_equal(inodes_dir_ino(&second, INODE_ROOT, "a"), 0);
}

static void test_a_control_file_has_lost_its_text(void **state)
{
	uint64_t ino = show_stats(&first, "text");
	struct inode *i;

	(void)state;
	die();
	i = inodes_find(&second, ino);
	assert_non_null(i);
	assert_ptr_equal(i->control, &stats);
	assert_null(i->text);
	assert_int_equal(i->len, 4);
	inode_unref(&second, i);
}

static void test_files_are_found_by_their_rows(void **state)
{
	struct inode *i;

	(void)state;
	assert_int_equal(inodes_show_version(&first, &one, &i), 0);
	inode_unref(&first, i);
	ix.shown = &one;
	die();
	i = inodes_find(&second, 11);
	assert_non_null(i);
	assert_ptr_equal(i->version, &one);
	inode_unref(&second, i);
	assert_false(is_known(&second, 12));
	/* However often it was looked up before. */
	inodes_forget(&second, 11, 1000);
	ix.shown = NULL;
	assert_false(is_known(&second, 11));
}

static void test_found_by_two_at_the_same_time_it_counts_once(void **state)
{
	struct inode *i;

	(void)state;
	ix.shown = &one;
	die();
	ix.racing = &second;
	i = inodes_find(&second, 11);
	assert_non_null(i);
	assert_int_equal(i->nlookup, 1);
	inode_unref(&second, i);
	ix.shown = NULL;
	inodes_forget(&second, 11, 1);
	assert_false(is_known(&second, 11));
}

static void test_who_was_adopted_is_until_it_is_shown(void **state)
{
	uint64_t a = show_dir(&first, INODE_ROOT, "a");
	struct inode *i;

	(void)state;
	die();
	i = inodes_find(&second, a);
	assert_true(i->adopted);
	show_dir(&second, INODE_ROOT, "a");
	assert_false(i->adopted);
	inode_unref(&second, i);
}

static void test_without_a_death_unknown_files_are_not_looked_for(void **state)
{
	(void)state;
	ix.shown = &one;
	assert_false(is_known(&first, 11));
}

/* Each text is an inode of its own: the log is written anew many times. */
static void test_the_log_does_not_grow_with_what_was_forgotten(void **state)
{
	uint64_t kept[50], last = 0;
	char name[16];

	(void)state;
	for (int n = 0; n < 50; n++) {
		snprintf(name, sizeof name, "d%d", n);
		kept[n] = show_dir(&first, INODE_ROOT, name);
	}
	for (int n = 0; n < 100000; n++) {
		last = show_stats(&first, "text");
		if (n < 99999)
			inodes_forget(&first, last, 1);
		assert_false(handover_wants_rewrite(h, first.handed_bytes + 1024));
	}
	die();
	for (int n = 0; n < 50; n++)
		assert_true(is_known(&second, kept[n]));
	assert_true(is_known(&second, last));
	assert_false(is_known(&second, last - 1));
}

/* One after the other, each with what all before it left. */
static void test_daemon_after_daemon(void **state)
{
	uint64_t a = show_dir(&first, INODE_ROOT, "a");

	(void)state;
	for (unsigned n = 1; n < 5; n++) {
		die();
		assert_int_equal(handover_lives(h), n);
		assert_true(is_known(&second, a));
		inodes_fini(&second);
		inodes_init(&second);
		assert_int_equal(inodes_show_root(&second, "http://a/"), 0);
	}
}

static void test_what_a_crash_overwrote_is_left_out(void **state)
{
	uint64_t a = show_dir(&first, INODE_ROOT, "a"), b = show_dir(&first, INODE_ROOT, "b");
	struct inode *i = inodes_find(&first, a);

	(void)state;
	i->handed->data[9] ^= 1;
	inode_unref(&first, i);
	die();
	assert_false(is_known(&second, a));
	assert_true(is_known(&second, b));
}

static void test_a_log_that_is_no_log_ends_where_it_does(void **state)
{
	uint64_t a = show_dir(&first, INODE_ROOT, "a"), b = show_dir(&first, INODE_ROOT, "b");
	struct inode *i = inodes_find(&first, b);

	(void)state;
	i->handed->size = UINT32_MAX;
	inode_unref(&first, i);
	die();
	assert_true(is_known(&second, a));
	assert_false(is_known(&second, b));
}

/* Half of what fills it is dead, some time: there is room again. */
static void test_a_log_that_is_nearly_full(void **state)
{
	static char key[16384];
	uint64_t inos[1500];

	(void)state;
	memset(key, 'x', sizeof key - 1);
	for (int round = 0; round < 3; round++)
		for (int n = 0; n < 1500; n++) {
			struct inode *i;
			char name[16];

			snprintf(name, sizeof name, "%d", n);
			if (round > 0)
				inodes_forget(&first, inos[n], 1);
			assert_int_equal(inodes_show_dir(&first, &ix, INODE_DIR, INODE_ROOT, name,
							 key, &i), 0);
			inos[n] = i->ino;
			assert_non_null(i->handed);
			inode_unref(&first, i);
		}
	die();
	for (int n = 0; n < 1500; n++)
		assert_true(is_known(&second, inos[n]));
}

/* More than there is room for: the others can be taken over all the same. */
static void test_a_full_log(void **state)
{
	static char key[16384];
	struct inode *i;
	uint64_t early, late;

	(void)state;
	early = show_dir(&first, INODE_ROOT, "early");
	memset(key, 'x', sizeof key - 1);
	for (int n = 0; n < 2500; n++) {
		char name[16];

		snprintf(name, sizeof name, "%d", n);
		assert_int_equal(inodes_show_dir(&first, &ix, INODE_DIR, INODE_ROOT, name, key, &i),
				 0);
		late = i->ino;
		inode_unref(&first, i);
	}
	die();
	assert_true(is_known(&second, early));
	assert_false(is_known(&second, late));
}

static void test_the_saved_request(void **state)
{
	char big[8192] = { 0 };
	size_t len;

	(void)state;
	handover_init(h, &len);
	assert_int_equal(len, 0);
	assert_int_equal(handover_set_init(h, big, sizeof big), -EMSGSIZE);
	assert_int_equal(handover_set_init(h, "INIT", 4), 0);
	assert_memory_equal(handover_init(h, &len), "INIT", 4);
	assert_int_equal(len, 4);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_directories_are_what_they_were),
		TEST(test_lookups_are_counted_on),
		TEST(test_what_was_forgotten_stays_so),
		TEST(test_a_control_file_has_lost_its_text),
		TEST(test_files_are_found_by_their_rows),
		TEST(test_found_by_two_at_the_same_time_it_counts_once),
		TEST(test_who_was_adopted_is_until_it_is_shown),
		TEST(test_without_a_death_unknown_files_are_not_looked_for),
		TEST(test_the_log_does_not_grow_with_what_was_forgotten),
		TEST(test_daemon_after_daemon),
		TEST(test_what_a_crash_overwrote_is_left_out),
		TEST(test_a_log_that_is_no_log_ends_where_it_does),
		TEST(test_a_log_that_is_nearly_full),
		TEST(test_a_full_log),
		TEST(test_the_saved_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
