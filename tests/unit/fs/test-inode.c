#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../fs/control.h"
#include "../../../fs/inode.h"
#include "../../../index/index.h"

/* Versions here are only counted, and the index only counts. */
struct version {
	uint64_t ino;
	int refs;
};

struct index {
	uint64_t next;
	int err;
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

uint64_t version_ino(const struct version *v)
{
	return v->ino;
}

int index_take_ino(struct index *ix, uint64_t *ret)
{
	if (ix->err == 0)
		*ret = ix->next++;
	return ix->err;
}

void version_unrefp(struct version **v)
{
	version_unref(*v);
}

int index_find_shown(struct index *from, uint64_t ino, struct version **ret)
{
	(void)from;
	(void)ino;
	(void)ret;
	return -ENOENT;
}

const struct control_file *control_find(const char *name)
{
	(void)name;
	return NULL;
}

static struct index ix;
static struct version one, two;

static int setup(void **state)
{
	static struct inodes t;

	ix = (struct index){ .next = 100 };
	one = (struct version){ .ino = 11 };
	two = (struct version){ .ino = 12 };
	inodes_init(&t);
	if (inodes_show_root(&t, "http://a/") < 0)
		return -1;
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	inodes_fini(*state);
	return one.refs == 0 && two.refs == 0 ? 0 : -1;
}

/* The number that was shown; the reference is given back. */
static uint64_t show_version(struct inodes *t, struct version *v)
{
	struct inode *i;
	uint64_t ino;

	assert_int_equal(inodes_show_version(t, v, &i), 0);
	assert_ptr_equal(i->version, v);
	ino = i->ino;
	inode_unref(t, i);
	return ino;
}

static uint64_t show_dir(struct inodes *t, uint64_t parent, const char *name, const char *key)
{
	struct inode *i;
	uint64_t ino;

	assert_int_equal(inodes_show_dir(t, &ix, INODE_DIR, parent, name, key, &i), 0);
	assert_string_equal(i->key, key);
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

static void test_the_root_is_never_forgotten(void **state)
{
	inodes_forget(*state, INODE_ROOT, 1000);
	assert_true(is_known(*state, INODE_ROOT));
}

static void test_a_file_lives_until_all_lookups_are_forgotten(void **state)
{
	struct inodes *t = *state;

	assert_int_equal(show_version(t, &one), 11);
	assert_int_equal(show_version(t, &one), 11);
	assert_int_equal(one.refs, 1);
	inodes_forget(t, 11, 1);
	assert_true(is_known(t, 11));
	inodes_forget(t, 11, 1);
	assert_false(is_known(t, 11));
	assert_int_equal(one.refs, 0);
	inodes_forget(t, 11, 1);
}

static void test_a_reference_outlives_the_last_forget(void **state)
{
	struct inodes *t = *state;
	struct inode *i;

	show_version(t, &one);
	i = inodes_find(t, 11);
	inodes_forget(t, 11, 1);
	assert_int_equal(one.refs, 1);
	/* Shown again meanwhile: the same one. */
	show_version(t, &one);
	inode_unref(t, i);
	assert_true(is_known(t, 11));
	inodes_forget(t, 11, 1);
	assert_int_equal(one.refs, 0);
}

static void test_a_directory_is_known_by_parent_and_name(void **state)
{
	struct inodes *t = *state;
	uint64_t a = show_dir(t, 1, "a", "http://a/a/");
	uint64_t b = show_dir(t, 1, "b", "http://a/b/");
	uint64_t ab = show_dir(t, a, "b", "http://a/a/b/");

	assert_true(a != b && b != ab && a != ab);
	assert_int_equal(show_dir(t, 1, "a", "http://a/a/"), a);
	assert_int_equal(inodes_dir_ino(t, 1, "a"), a);
	assert_int_equal(inodes_dir_ino(t, 1, "c"), 0);
	inodes_forget(t, a, 2);
	assert_int_equal(inodes_dir_ino(t, 1, "a"), 0);
	assert_true(show_dir(t, 1, "a", "http://a/a/") > ab);
}

static void test_each_control_file_is_an_inode_of_its_own(void **state)
{
	struct inodes *t = *state;
	struct inode *a, *b;

	assert_int_equal(inodes_show_text(t, &ix, NULL, strdup("one"), 3, &a), 0);
	assert_int_equal(inodes_show_text(t, &ix, NULL, strdup("three"), 5, &b), 0);
	assert_int_not_equal(a->ino, b->ino);
	assert_int_equal(a->len, 3);
	assert_string_equal(b->text, "three");
	inodes_forget(t, a->ino, 1);
	assert_string_equal(a->text, "one");
	inode_unref(t, a);
	inode_unref(t, b);
}

static void test_without_a_number_nothing_is_shown(void **state)
{
	struct inodes *t = *state;
	struct inode *i;

	ix.err = -EIO;
	assert_int_equal(inodes_show_dir(t, &ix, INODE_DIR, 1, "a", "http://a/a/", &i), -EIO);
	assert_int_equal(inodes_show_text(t, &ix, NULL, strdup("x"), 1, &i), -EIO);
	assert_int_equal(inodes_dir_ino(t, 1, "a"), 0);
}

static void test_a_name_changes_while_the_old_file_is_held(void **state)
{
	struct inodes *t = *state;
	struct inode *a, *b;

	inodes_show_version(t, &one, &a);
	inodes_show_version(t, &two, &b);
	assert_false(inodes_name_changes(t, a, 1, "x"));
	assert_false(inodes_name_changes(t, a, 1, "x"));
	assert_true(inodes_name_changes(t, b, 1, "x"));
	assert_false(inodes_name_changes(t, b, 1, "x"));
	assert_false(inodes_name_changes(t, a, 1, "y"));
	/* Nobody holds b any more. */
	inodes_forget(t, b->ino, 1);
	inode_unref(t, b);
	assert_false(inodes_name_changes(t, a, 1, "x"));
	inode_unref(t, a);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_the_root_is_never_forgotten),
		TEST(test_a_file_lives_until_all_lookups_are_forgotten),
		TEST(test_a_reference_outlives_the_last_forget),
		TEST(test_a_directory_is_known_by_parent_and_name),
		TEST(test_each_control_file_is_an_inode_of_its_own),
		TEST(test_without_a_number_nothing_is_shown),
		TEST(test_a_name_changes_while_the_old_file_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
