#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../../fs/credentials.h"

static void test_headers(void **state)
{
	static const struct {
		const char *user, *header;
	} cases[] = {
		/* RFC 7617 2 and 2.1 */
		{ "Aladdin:open%20sesame", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
		{ "test:123%C2%A3", "Authorization: Basic dGVzdDoxMjPCow==" },
		{ "a:bc", "Authorization: Basic YTpiYw==" },
		{ "a:bcd", "Authorization: Basic YTpiY2Q=" },
		{ "a:bcde", "Authorization: Basic YTpiY2Rl" },
		{ "token", "Authorization: Basic dG9rZW46" },
		{ "a:%zz%4", "Authorization: Basic YTolenolNA==" },
		{ "a:b:c", "Authorization: Basic YTpiOmM=" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *header = credentials_header(cases[i].user);

		assert_string_equal(header, cases[i].header);
		free(header);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
