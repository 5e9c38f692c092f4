#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../../base/buf.h"
#include "../../../index/db_private.h"
#include "db_fixture.h"

/* --- what db_list() tells, as text: "name" file, "name/" directory, "name+" both --- */

struct told {
	struct buf text;
	int left;		/* stop after so many; -1: never */
	struct db *db;		/* look each up again; NULL: do not */
};

static bool tell(void *arg, const struct db_name *name)
{
	struct told *t = arg;
	struct record r;

	assert_true(name->file || name->dir);
	if (name->file) {
		assert_non_null(name->meta);
		assert_int_equal(name->meta->length, 1000);
		assert_in_range(name->meta->status, 200, 299);
		assert_int_not_equal(name->ino, 0);
	} else {
		assert_null(name->meta);
	}
	if (t->db && name->file) {
		assert_int_equal(db_find_ino(t->db, name->ino, &r), 0);
		record_fini(&r);
	}
	buf_printf(&t->text, "%s%s\n", name->name,
		   name->file && name->dir ? "+" : name->dir ? "/" : "");
	return t->left < 0 || --t->left > 0;
}

static char *list(struct db *db, const char *prefix, const char *after, int limit)
{
	struct told t = { .text = BUF_INIT, .left = limit };
	char *text;

	assert_int_equal(db_list(db, prefix, after, tell, &t), 0);
	text = buf_take(&t.text);
	return text ? text : strdup("");
}

static void expect_list(struct db *db, const char *prefix, const char *after, const char *want)
{
	char *got = list(db, prefix, after, -1);

	assert_string_equal(got, want);
	free(got);
}

static void put_all(struct db *db, const char *const *keys)
{
	assert_int_equal(db_begin(db), 0);
	for (int i = 0; keys[i]; i++)
		fixture_put(db, i + 2, keys[i], 200);
	assert_int_equal(db_commit(db), 0);
}

static void odd_names(void **state)
{
	static const char *const keys[] = {
		"s://h/", "s://h/a", "s://h/a-b", "s://h/a/x", "s://h/a/y/z", "s://h/a!",
		"s://h/a.b/c", "s://h/a?q=/x/", "s://h/a?q=!", "s://h/b/", "s://h/c//d",
		"s://h//e", "s://h/?root=/", "s://h/\xc3\xa9/f", "s://h/\xff", "s://h/~",
		"s://h2/other", "s://h", "s://g/other", "s://h/d?/x", "s://h/d!",
		"s://h/\x01", NULL
	};
	struct fixture *f = *state;

	put_all(f->db, keys);
	expect_list(f->db, "s://h/", "",
		    "\x01\n?root=/\na+\na!\na-b\na.b/\na?q=!\na?q=/x/\nb/\nc/\nd!\nd?/x\n~\n"
		    "\xc3\xa9/\n\xff\n");
	expect_list(f->db, "s://h/a/", "", "x\ny/\n");
	expect_list(f->db, "s://h/c/", "", "");
	expect_list(f->db, "s://h/b/", "", "");
	expect_list(f->db, "s://", "", "g/\nh+\nh2/\n");
	expect_list(f->db, "t://", "", "");
}

static void goes_on_after_a_name(void **state)
{
	static const char *const keys[] = {
		"s://h/a", "s://h/a-b", "s://h/a/x", "s://h/a?/", "s://h/b/x", "s://h/c", NULL
	};
	struct fixture *f = *state;

	put_all(f->db, keys);
	expect_list(f->db, "s://h/", "a", "a-b\na?/\nb/\nc\n");
	expect_list(f->db, "s://h/", "a-b", "a?/\nb/\nc\n");
	expect_list(f->db, "s://h/", "a-a", "a-b\na?/\nb/\nc\n");
	expect_list(f->db, "s://h/", "a?/", "b/\nc\n");
	expect_list(f->db, "s://h/", "b", "c\n");
	expect_list(f->db, "s://h/", "c", "");
}

static void declared_directories_are_names(void **state)
{
	static const char *const keys[] = {
		"s://h/a", "s://h/b/x", "s://h/n", NULL
	};
	struct fixture *f = *state;

	put_all(f->db, keys);
	for (const char *const *d = (const char *const[]){
		     "s://h/", "s://h/a/", "s://h/b/", "s://h/c/", "s://h/d/e/f/",
		     "s://h/a-/", "s://h/z/", NULL }; *d; d++)
		assert_int_equal(db_declare(f->db, *d, true), 0);
	expect_list(f->db, "s://h/", "", "a+\na-/\nb/\nc/\nd/\nn\nz/\n");
	expect_list(f->db, "s://h/d/", "", "e/\n");
	expect_list(f->db, "s://h/", "b", "c/\nd/\nn\nz/\n");
	expect_list(f->db, "s://h/c/", "", "");
}

static void only_current_rows_with_2xx(void **state)
{
	struct fixture *f = *state;

	fixture_put(f->db, 2, "s://h/gone", 404);
	fixture_put(f->db, 3, "s://h/below/gone", 404);
	fixture_put(f->db, 4, "s://h/old", 200);
	fixture_put(f->db, 5, "s://h/partial", 206);
	fixture_put(f->db, 6, "s://h/moved", 300);
	assert_int_equal(db_set_current(f->db, 4, false), 0);
	expect_list(f->db, "s://h/", "", "partial\n");
	assert_int_equal(db_has_below(f->db, "s://h/below/"), -ENOENT);
	assert_int_equal(db_has_below(f->db, "s://h/"), 0);
	fixture_put(f->db, 7, "s://h/below/here", 200);
	assert_int_equal(db_has_below(f->db, "s://h/below/"), 0);
	expect_list(f->db, "s://h/", "", "below/\npartial\n");
}

static void has_below(void **state)
{
	static const char *const keys[] = {
		"s://h/a-b", "s://h/b/", "s://h/c/x", "s://h/q?/x", NULL
	};
	static const struct { const char *prefix; int want; } cases[] = {
		{ "s://h/", 0 }, { "s://", 0 }, { "s://h/a/", -ENOENT }, { "s://h/b/", 0 },
		{ "s://h/c/", 0 }, { "s://h/c/x/", -ENOENT }, { "s://h/d/", 0 },
		{ "s://h/d/e/", 0 }, { "s://h/d/e/f/", -ENOENT }, { "s://h/z/", -ENOENT },
		{ "s://h/q/", -ENOENT }, { "s://h/q?/", 0 }, { "s://h/q?a/", -ENOENT },
		{ "r://", -ENOENT }, { "t://", -ENOENT },
	};
	struct fixture *f = *state;

	put_all(f->db, keys);
	assert_int_equal(db_declare(f->db, "s://h/d/e/", true), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (db_has_below(f->db, cases[i].prefix) != cases[i].want)
			fail_msg("%s", cases[i].prefix);
}

static void stops_when_told(void **state)
{
	static const char *const keys[] = { "s://h/a", "s://h/b", "s://h/c", NULL };
	struct fixture *f = *state;
	char *got;

	put_all(f->db, keys);
	got = list(f->db, "s://h/", "", 2);
	assert_string_equal(got, "a\nb\n");
	free(got);
}

static void the_callback_may_ask_the_database(void **state)
{
	static const char *const keys[] = { "s://h/a", "s://h/b", "s://h/c", NULL };
	struct fixture *f = *state;
	struct told t = { .text = BUF_INIT, .left = -1, .db = f->db };

	put_all(f->db, keys);
	assert_int_equal(db_list(f->db, "s://h/", "", tell, &t), 0);
	assert_string_equal(buf_str(&t.text), "a\nb\nc\n");
	buf_fini(&t.text);
}

/* --- against a model: 10,000 keys, sorted out name by name --- */

#define N_KEYS 10000
#define N_DECLARED 300

struct model {
	char *key[N_KEYS + N_DECLARED];
	size_t n, n_declared;	/* the declared ones come last */
};

struct model_name {
	char *name;
	bool file, dir;
};

/* Few letters and many of what sorts around '/', so that names collide. */
static void random_key(char *key, uint64_t *seed, bool directory)
{
	static const char letters[] = "aab-./!0?~";
	int n = 1 + fixture_random(seed) % 9;
	char *at = stpcpy(key, "s://h/");

	for (int i = 0; i < n; i++)
		*at++ = letters[fixture_random(seed) % (directory ? 8 : sizeof(letters) - 1)];
	if (directory)
		*at++ = '/';
	*at = 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void make_model(struct model *m, struct db *db)
{
	uint64_t seed = 88172645463325252;
	char key[64];

	for (size_t i = 0; i < N_KEYS; i++) {
		random_key(key, &seed, false);
		m->key[i] = strdup(key);
	}
	qsort(m->key, N_KEYS, sizeof(m->key[0]), by_text);
	for (size_t i = 0; i < N_KEYS; i++) {
		if (m->n && !strcmp(m->key[m->n - 1], m->key[i]))
			free(m->key[i]);
		else
			m->key[m->n++] = m->key[i];
	}
	assert_int_equal(db_begin(db), 0);
	for (size_t i = 0; i < m->n; i++)
		fixture_put(db, 2 + i, m->key[i], 200);
	for (size_t i = 0; i < N_DECLARED; i++) {
		random_key(key, &seed, true);
		assert_int_equal(db_declare(db, key, true), 0);
		m->key[m->n + m->n_declared++] = strdup(key);
	}
	assert_int_equal(db_commit(db), 0);
}

static int by_name(const void *a, const void *b)
{
	const struct model_name *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Every key says one name; equal names are merged. */
static char *model_list(const struct model *m, const char *prefix, const char *after)
{
	struct model_name *names = calloc(m->n + m->n_declared, sizeof(*names));
	size_t n = 0, len = strlen(prefix);
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < m->n + m->n_declared; i++) {
		const char *rest = m->key[i] + len, *query, *slash;
		size_t name_len = 0;

		if (strncmp(m->key[i], prefix, len))
			continue;
		query = strchr(rest, '?');
		slash = strchr(rest, '/');
		if (slash && query && query < slash)
			slash = NULL;
		name_len = slash ? (size_t)(slash - rest) : strlen(rest);
		if (!name_len)
			continue;
		names[n].name = strndup(rest, name_len);
		names[n].dir = slash;
		names[n++].file = !slash;
	}
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		bool file = names[i].file, dir = names[i].dir;

		while (i + 1 < n && !strcmp(names[i].name, names[i + 1].name)) {
			file |= names[i + 1].file;
			dir |= names[i + 1].dir;
			free(names[i++].name);
		}
		if (strcmp(names[i].name, after) > 0)
			buf_printf(&text, "%s%s\n", names[i].name,
				   file && dir ? "+" : dir ? "/" : "");
		free(names[i].name);
	}
	free(names);
	return buf_ok(&text) && text.len ? buf_take(&text) : strdup("");
}

static void compare(const struct model *m, struct db *db, const char *prefix, const char *after)
{
	char *want = model_list(m, prefix, after);
	char *got = list(db, prefix, after, -1);

	if (strcmp(want, got))
		fail_msg("below %s after '%s': %s instead of %s", prefix, after, got, want);
	free(want);
	free(got);
}

/* The directory of a key: up to the last '/' before its query. */
static char *parent_of(const char *key)
{
	char *prefix = strdup(key);

	prefix[strcspn(prefix, "?")] = 0;
	strrchr(prefix, '/')[1] = 0;
	return prefix;
}

static void names_of_10000_keys(void **state)
{
	static const char *const after[] = { "", "a", "a-", "a.b", "b!", "a?/", "?", "~~" };
	struct model *m = calloc(1, sizeof(*m));
	struct fixture *f = *state;
	uint64_t seed = 42;

	make_model(m, f->db);
	assert_true(m->n > 5000);
	compare(m, f->db, "s://", "");
	for (int i = 0; i < 8; i++)
		compare(m, f->db, "s://h/", after[i]);
	for (int i = 0; i < 100; i++) {
		size_t n = fixture_random(&seed) % (m->n + m->n_declared);
		char *prefix = parent_of(m->key[n]);

		compare(m, f->db, prefix, after[i % 2 ? i / 2 % 8 : 0]);
		free(prefix);
	}
	for (size_t i = 0; i < m->n + m->n_declared; i++)
		free(m->key[i]);
	free(m);
}

static int sign(int i)
{
	return (i > 0) - (i < 0);
}

/* A total order, as SQLite needs it; checked on all triples of a small set. */
static void tree_order(void **state)
{
	static const char *const sorted[] = {
		"", "a", "a/", "a//", "a/a", "a/b", "a/b/c", "a/b!", "a!", "a-", "a.", "a0",
		"a?", "a?!", "a?.", "a?/", "a?0", "b", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/",
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb!", "\xff",
	};
	const int n = sizeof(sorted) / sizeof(sorted[0]);

	(void)state;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			if (sign(db_tree_compare(NULL, strlen(sorted[i]), sorted[i],
						 strlen(sorted[j]), sorted[j])) != sign(i - j))
				fail_msg("'%s' and '%s'", sorted[i], sorted[j]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(odd_names),
		TEST(goes_on_after_a_name),
		TEST(declared_directories_are_names),
		TEST(only_current_rows_with_2xx),
		TEST(has_below),
		TEST(stops_when_told),
		TEST(the_callback_may_ask_the_database),
		TEST(names_of_10000_keys),
		cmocka_unit_test(tree_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
