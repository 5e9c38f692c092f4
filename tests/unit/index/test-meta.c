#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../../../index/meta.h"

static void new_is_empty(void **state)
{
	struct meta *m = meta_new();

	(void)state;
	assert_non_null(m);
	assert_int_equal(m->length, -1);
	assert_string_equal(m->headers, "");
	assert_string_equal(m->reason, "");
	assert_null(m->etag);
	assert_null(m->last_modified);
	assert_null(m->content_type);
	assert_null(m->url);
	assert_int_equal(m->status, 0);
	assert_int_equal(m->usable_until_ms, 0);
	meta_unref(m);
	meta_unref(NULL);
}

static void replace(char **s, const char *with)
{
	free(*s);
	*s = strdup(with);
	assert_non_null(*s);
}

static struct meta *filled(void)
{
	struct meta *m = meta_new();

	assert_non_null(m);
	m->status = 206;
	m->flags = META_STORE | META_IMMUTABLE;
	m->length = 11;
	m->mtime_s = 12;
	m->request_ms = 13;
	m->response_ms = 14;
	m->fresh_until_ms = 15;
	m->swr_until_ms = 16;
	m->sie_until_ms = 17;
	m->usable_until_ms = 18;
	m->vary_sum = 19;
	replace(&m->etag, "W/\"e\"");
	replace(&m->last_modified, "lm");
	replace(&m->content_type, "ct");
	replace(&m->headers, "A: b\n");
	replace(&m->url, "u");
	replace(&m->reason, "r");
	return m;
}

/* The copy must not share memory: both are freed, the first one first. */
static void copy_has_everything(void **state)
{
	struct meta *m = filled();
	struct meta *other = meta_ref(m);
	struct meta *copy = meta_copy(m);

	(void)state;
	assert_non_null(copy);
	meta_unref(m);
	meta_unref(other);
	assert_int_equal(copy->status, 206);
	assert_int_equal(copy->flags, META_STORE | META_IMMUTABLE);
	assert_int_equal(copy->length, 11);
	assert_int_equal(copy->mtime_s, 12);
	assert_int_equal(copy->request_ms, 13);
	assert_int_equal(copy->response_ms, 14);
	assert_int_equal(copy->fresh_until_ms, 15);
	assert_int_equal(copy->swr_until_ms, 16);
	assert_int_equal(copy->sie_until_ms, 17);
	assert_int_equal(copy->usable_until_ms, 18);
	assert_int_equal(copy->vary_sum, 19);
	assert_string_equal(copy->etag, "W/\"e\"");
	assert_string_equal(copy->last_modified, "lm");
	assert_string_equal(copy->content_type, "ct");
	assert_string_equal(copy->headers, "A: b\n");
	assert_string_equal(copy->url, "u");
	assert_string_equal(copy->reason, "r");
	assert_int_equal(atomic_load(&copy->refs), 1);
	meta_unref(copy);
}

static void copy_keeps_what_is_missing(void **state)
{
	struct meta *m = meta_new();
	struct meta *copy = meta_copy(m);

	(void)state;
	assert_null(copy->etag);
	assert_null(copy->url);
	assert_string_equal(copy->headers, "");
	meta_unref(m);
	meta_unref(copy);
}

static void unrefp_leaves_null(void **state)
{
	struct meta *m = meta_new();
	struct meta *mine = meta_ref(m);

	(void)state;
	meta_unrefp(&mine);
	assert_null(mine);
	meta_unrefp(&mine);
	assert_int_equal(atomic_load(&m->refs), 1);
	meta_unref(m);
}

static void *ref_and_unref(void *arg)
{
	for (int i = 0; i < 10000; i++)
		meta_unref(meta_ref(arg));
	meta_unref(arg);
	return NULL;
}

static void references_from_threads(void **state)
{
	struct meta *m = filled();
	pthread_t thread[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, ref_and_unref, meta_ref(m));
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&m->refs), 1);
	meta_unref(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_is_empty),
		cmocka_unit_test(copy_has_everything),
		cmocka_unit_test(copy_keeps_what_is_missing),
		cmocka_unit_test(unrefp_leaves_null),
		cmocka_unit_test(references_from_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
