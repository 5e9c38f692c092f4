#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "../../../fetch/outcome.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void test_each_status(void **state)
{
	static const struct {
		int first, last, err;
	} ranges[] = {
		{ -1, 199, EIO },
		{ 200, 299, 0 },
		{ 300, 399, EIO },
		{ 400, 403, EACCES },
		{ 404, 404, ENOENT },
		{ 405, 407, EACCES },
		{ 408, 408, ETIMEDOUT },
		{ 409, 409, EACCES },
		{ 410, 410, ENOENT },
		{ 411, 413, EACCES },
		{ 414, 414, ENAMETOOLONG },
		{ 415, 420, EACCES },
		{ 421, 421, EIO },
		{ 422, 424, EACCES },
		{ 425, 425, EBUSY },
		{ 426, 428, EACCES },
		{ 429, 429, EBUSY },
		{ 430, 499, EACCES },
		{ 500, 502, EIO },
		{ 503, 503, EBUSY },
		{ 504, 504, ETIMEDOUT },
		{ 505, 1000, EIO },
	};
	int status = -1;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ranges); i++) {
		assert_int_equal(status, ranges[i].first);
		for (; status <= ranges[i].last; status++)
			if (outcome_errno_of_status(status) != -ranges[i].err)
				fail_msg("%d: %s", status,
					 strerror(-outcome_errno_of_status(status)));
	}
}

static void test_codes_of_curl(void **state)
{
	static const struct {
		CURLcode code;
		long os_errno;
		int err;
	} cases[] = {
		{ CURLE_OK, 0, 0 },
		{ CURLE_OK, ECONNREFUSED, 0 },
		{ CURLE_COULDNT_RESOLVE_HOST, 0, EHOSTUNREACH },
		{ CURLE_COULDNT_RESOLVE_PROXY, 0, EHOSTUNREACH },
		{ CURLE_PROXY, 0, EHOSTUNREACH },
		{ CURLE_COULDNT_CONNECT, ECONNREFUSED, ECONNREFUSED },
		{ CURLE_COULDNT_CONNECT, EHOSTUNREACH, EHOSTUNREACH },
		{ CURLE_COULDNT_CONNECT, EHOSTDOWN, EHOSTUNREACH },
		{ CURLE_COULDNT_CONNECT, ENETUNREACH, EHOSTUNREACH },
		{ CURLE_COULDNT_CONNECT, ENETDOWN, EHOSTUNREACH },
		{ CURLE_COULDNT_CONNECT, EADDRNOTAVAIL, EHOSTUNREACH },
		{ CURLE_COULDNT_CONNECT, EPERM, EHOSTUNREACH },
		{ CURLE_COULDNT_CONNECT, ETIMEDOUT, ETIMEDOUT },
		{ CURLE_COULDNT_CONNECT, EACCES, EACCES },
		{ CURLE_COULDNT_CONNECT, 0, EHOSTUNREACH },
		{ CURLE_COULDNT_CONNECT, EBADF, EHOSTUNREACH },
		{ CURLE_OPERATION_TIMEDOUT, 0, ETIMEDOUT },
		{ CURLE_OPERATION_TIMEDOUT, EACCES, ETIMEDOUT },
		{ CURLE_FILESIZE_EXCEEDED, 0, EFBIG },
		{ CURLE_TOO_MANY_REDIRECTS, 0, ELOOP },
		{ CURLE_UNSUPPORTED_PROTOCOL, 0, EIO },
		{ CURLE_REMOTE_ACCESS_DENIED, 0, EACCES },
		{ CURLE_LOGIN_DENIED, 0, EACCES },
		{ CURLE_AUTH_ERROR, 0, EACCES },
		{ CURLE_URL_MALFORMAT, 0, EINVAL },
		{ CURLE_OUT_OF_MEMORY, 0, ENOMEM },
		{ CURLE_ABORTED_BY_CALLBACK, 0, EINTR },
		{ CURLE_SSL_CONNECT_ERROR, 0, EIO },
		{ CURLE_PEER_FAILED_VERIFICATION, 0, EIO },
		{ CURLE_SSL_CACERT_BADFILE, 0, EIO },
		{ CURLE_SSL_CERTPROBLEM, 0, EIO },
		{ CURLE_PARTIAL_FILE, 0, EIO },
		{ CURLE_GOT_NOTHING, 0, EIO },
		{ CURLE_BAD_CONTENT_ENCODING, 0, EIO },
		{ CURLE_WEIRD_SERVER_REPLY, 0, EIO },
		{ CURLE_HTTP2, 0, EIO },
		{ CURLE_HTTP2_STREAM, 0, EIO },
		{ CURLE_WRITE_ERROR, 0, EIO },
		{ CURLE_WRITE_ERROR, ETIMEDOUT, EIO },
		{ CURLE_SEND_ERROR, EPIPE, EIO },
		{ CURLE_RECV_ERROR, ECONNRESET, EIO },
		{ CURLE_RECV_ERROR, 0, EIO },
		{ CURLE_RECV_ERROR, ETIMEDOUT, ETIMEDOUT },
		{ CURLE_RECV_ERROR, ENETUNREACH, EHOSTUNREACH },
		{ CURLE_SEND_ERROR, EPERM, EHOSTUNREACH },
		{ CURL_LAST, 0, EIO },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int got = outcome_errno_of_curl(cases[i].code, cases[i].os_errno);

		if (got != -cases[i].err)
			fail_msg("%s with %ld: %s", curl_easy_strerror(cases[i].code),
				 cases[i].os_errno, strerror(-got));
	}
}

/* No code but CURLE_OK is a success, none is an errno that means something else to
 * the file system (ENOSYS, EAGAIN, ESTALE, ...). */
static void test_every_code_is_an_errno(void **state)
{
	static const int allowed[] = {
		ENOENT, EHOSTUNREACH, ETIMEDOUT, EFBIG, ELOOP, EACCES, EINVAL, ENOMEM, EINTR, EIO,
	};

	(void)state;
	for (int code = CURLE_OK + 1; code <= CURL_LAST; code++) {
		int got = outcome_errno_of_curl(code, 0);
		size_t i = 0;

		while (i < COUNT_OF(allowed) && got != -allowed[i])
			i++;
		if (i == COUNT_OF(allowed))
			fail_msg("%d: %d", code, got);
	}
}

static void test_name_servers(void **state)
{
	(void)state;
	assert_int_equal(outcome_errno_of_dns(0), 0);
	assert_int_equal(outcome_errno_of_dns(EAI_NONAME), -ENOENT);
	assert_int_equal(outcome_errno_of_dns(EAI_AGAIN), -EHOSTUNREACH);
	assert_int_equal(outcome_errno_of_dns(EAI_FAIL), -EHOSTUNREACH);
	assert_int_equal(outcome_errno_of_dns(EAI_SYSTEM), -EHOSTUNREACH);
}

static void test_retry(void **state)
{
	(void)state;
	for (int err = 0; err < 200; err++) {
		assert_int_equal(outcome_may_retry(-err), err == EIO || err == EBUSY);
		if (err)
			assert_false(outcome_may_retry(err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_status),
		cmocka_unit_test(test_codes_of_curl),
		cmocka_unit_test(test_every_code_is_an_errno),
		cmocka_unit_test(test_name_servers),
		cmocka_unit_test(test_retry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
