/* What is damaged is never given out. */
#include "store-tools.h"

static void victim_path(struct scratch *s, const struct blob *b, char *path, size_t len)
{
	if (b->kind == BLOB_SEGMENT)
		snprintf(path, len, "%s/blobs/seg-%08" PRIu64, s->path, b->id);
	else
		snprintf(path, len, "%s/blobs/%02x/%" PRIu64, s->path,
			 (unsigned)(b->id % 256), b->id);
}

/* Flips a bit, looks, and flips it back; whether a whole check noticed. */
static bool flip_and_look(struct scratch *s, const struct victim *v, bool near_end,
			  uint64_t *seed, char *back)
{
	uint64_t reach = near_end && v->blob.stored > 120 ? 120 : v->blob.stored;
	off_t at = v->blob.offset + v->blob.stored - 1 - scratch_random(seed) % reach;
	unsigned char byte, bit = 1 << scratch_random(seed) % 8;
	char path[128];
	bool noticed;
	int fd;

	victim_path(s, &v->blob, path, sizeof(path));
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= bit;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	assert_true(victim_is_honest(s->store, v, seed, back));
	noticed = store_check(s->store, &v->blob) == -EBADMSG;
	byte ^= bit;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
	return noticed;
}

static void test_flipped_bits_never_come_through(void **state)
{
	static const struct victim kinds[] = {
		{ .len = 15000, .text = true }, { .len = 15000 },
		{ .len = 135000, .text = true }, { .len = 140000, .text = true },
		{ .len = 140000 },
	};
	enum { N = sizeof(kinds) / sizeof(*kinds), ROUNDS = 2000 };
	char *back = malloc(STORE_SMALL * 2);
	struct victim victims[N];
	uint64_t seed = 4711;
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	for (int i = 0; i < N; i++) {
		victims[i] = kinds[i];
		victims[i].data = make_body(kinds[i].len, kinds[i].text, i + 1);
		if (i < 3)
			scratch_put(&s, kinds[i].len, kinds[i].text, i + 1, &victims[i].blob);
		else
			scratch_put_file(&s, kinds[i].len, kinds[i].text, i + 1, &victims[i].blob);
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < N; i++) {
			bool noticed;

			noticed = flip_and_look(&s, &victims[i], round % 4 == 0, &seed, back);
			/* Nothing remembered by the time of the next look; but a
			 * tail that was read before the damage may be. */
			assert_true(noticed || victims[i].blob.kind == BLOB_FILE);
		}
		scratch_reopen(&s, true);
	}
	for (int i = 0; i < N; i++) {
		assert_int_equal(store_check(s.store, &victims[i].blob), 0);
		free(victims[i].data);
	}
	free(back);
	scratch_fini(&s);
}

static void test_a_cut_file_is_damage(void **state)
{
	struct blob small, text, noise;
	char path[128], buf[64];
	struct scratch s;

	(void)state;
	scratch_init(&s, 1 << 30, true);
	scratch_put(&s, 15000, false, 1, &small);
	scratch_put_file(&s, 300000, true, 2, &text);
	scratch_put_file(&s, 300000, false, 3, &noise);
	victim_path(&s, &small, path, sizeof(path));
	assert_int_equal(truncate(path, 10000), 0);
	victim_path(&s, &text, path, sizeof(path));
	assert_int_equal(truncate(path, text.stored - 1), 0);
	victim_path(&s, &noise, path, sizeof(path));
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(store_read(s.store, &small, 0, 64, buf), -EBADMSG);
	assert_int_equal(store_read(s.store, &text, 0, 64, buf), -EBADMSG);
	assert_int_equal(store_read(s.store, &noise, 0, 64, buf), -EBADMSG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_read(s.store, &noise, 0, 64, buf), -ENOENT);
	scratch_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flipped_bits_never_come_through),
		cmocka_unit_test(test_a_cut_file_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
