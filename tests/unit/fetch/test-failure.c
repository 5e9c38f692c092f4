#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "../../../fetch/failure.h"
#include "../../../fetch/outcome.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void each_failure_has_its_counter(void **state)
{
	static const struct {
		int err;
		CURLcode code;
		int status;
		enum counter counter;
	} cases[] = {
		{ EIO, CURLE_PARTIAL_FILE, 200, COUNT_failed_broken },
		{ EIO, CURLE_GOT_NOTHING, 0, COUNT_failed_broken },
		{ EIO, CURLE_OK, 206, COUNT_failed_broken },
		{ EIO, CURLE_OK, 304, COUNT_failed_broken },
		{ EIO, CURLE_OK, 500, COUNT_failed_status },
		{ EACCES, CURLE_OK, 403, COUNT_failed_status },
		{ ETIMEDOUT, CURLE_OK, 504, COUNT_failed_status },
		{ ETIMEDOUT, CURLE_OK, 200, COUNT_timeouts },
		{ ETIMEDOUT, CURLE_OK, 500, COUNT_timeouts },	/* stalled in its body */
		{ ETIMEDOUT, CURLE_OPERATION_TIMEDOUT, 0, COUNT_timeouts },
		{ EBUSY, CURLE_OK, 503, COUNT_failed_busy },
		{ ENOENT, CURLE_OK, 404, COUNT_N },
		{ ENOENT, CURLE_COULDNT_RESOLVE_HOST, 0, COUNT_failed_dns },
		{ EHOSTUNREACH, CURLE_COULDNT_RESOLVE_HOST, 0, COUNT_failed_dns },
		{ ECONNREFUSED, CURLE_COULDNT_CONNECT, 0, COUNT_failed_connect },
		{ EACCES, CURLE_COULDNT_CONNECT, 0, COUNT_N },	/* counted as refused */
		{ EIO, CURLE_PEER_FAILED_VERIFICATION, 0, COUNT_failed_tls },
		{ EIO, CURLE_SSL_CONNECT_ERROR, 0, COUNT_failed_tls },
		{ ELOOP, CURLE_OK, 302, COUNT_failed_redirect },
		{ EACCES, CURLE_WRITE_ERROR, 302, COUNT_failed_redirect },
		{ EIO, CURLE_WRITE_ERROR, 301, COUNT_failed_redirect },
		{ EFBIG, CURLE_WRITE_ERROR, 200, COUNT_failed_too_large },
		{ ESTALE, CURLE_WRITE_ERROR, 206, COUNT_N },	/* counted as changed */
		{ EINTR, CURLE_OK, 0, COUNT_N },
		{ ENOMEM, CURLE_OUT_OF_MEMORY, 0, COUNT_N },
		{ EISDIR, CURLE_WRITE_ERROR, 301, COUNT_N },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct failure f = { -cases[i].err, cases[i].code, cases[i].status };

		if (failure_counter(&f) != cases[i].counter)
			fail_msg("row %zu: %d", i, failure_counter(&f));
	}
}

/* What is not 2xx, nor "it is not there", is counted, whatever it is. */
static void each_status_is_counted(void **state)
{
	(void)state;
	for (int status = 300; status < 1000; status++) {
		struct failure f = { outcome_errno_of_status(status), CURLE_OK, status };

		if (f.err != -ENOENT)
			assert_int_not_equal(failure_counter(&f), COUNT_N);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failure_has_its_counter),
		cmocka_unit_test(each_status_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
