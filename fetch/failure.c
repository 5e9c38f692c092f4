#include "failure.h"

#include <errno.h>
#include <stdbool.h>

#include "outcome.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* What there is but one reason for. */
static const struct {
	int err;
	enum counter counter;
} by_errno[] = {
	{ EINTR, COUNT_N },
	{ ENOMEM, COUNT_N },
	{ ESTALE, COUNT_N },		/* changed */
	{ EISDIR, COUNT_N },
	{ EBUSY, COUNT_failed_busy },
	{ EFBIG, COUNT_failed_too_large },
	{ ELOOP, COUNT_failed_redirect },
};

static const struct {
	CURLcode code;
	enum counter counter;
} by_code[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, COUNT_failed_dns },
	{ CURLE_COULDNT_RESOLVE_PROXY, COUNT_failed_dns },
	{ CURLE_COULDNT_CONNECT, COUNT_failed_connect },
	{ CURLE_PROXY, COUNT_failed_connect },
	{ CURLE_INTERFACE_FAILED, COUNT_failed_connect },
	{ CURLE_SSL_CONNECT_ERROR, COUNT_failed_tls },
	{ CURLE_PEER_FAILED_VERIFICATION, COUNT_failed_tls },
	{ CURLE_SSL_CIPHER, COUNT_failed_tls },
	{ CURLE_SSL_CERTPROBLEM, COUNT_failed_tls },
	{ CURLE_SSL_CACERT_BADFILE, COUNT_failed_tls },
	{ CURLE_SSL_CRL_BADFILE, COUNT_failed_tls },
	{ CURLE_SSL_ISSUER_ERROR, COUNT_failed_tls },
	{ CURLE_SSL_INVALIDCERTSTATUS, COUNT_failed_tls },
	{ CURLE_SSL_ENGINE_INITFAILED, COUNT_failed_tls },
	{ CURLE_USE_SSL_FAILED, COUNT_failed_tls },
};

static bool is_redirect(int status)
{
	return status / 100 == 3 && status != 304;
}

enum counter failure_counter(const struct failure *f)
{
	for (size_t i = 0; i < COUNT_OF(by_errno); i++)
		if (by_errno[i].err == -f->err)
			return by_errno[i].counter;
	for (size_t i = 0; i < COUNT_OF(by_code); i++)
		if (by_code[i].code == f->code)
			/* An address that is refused looks like one that does not answer. */
			return f->err == -EACCES ? COUNT_N : by_code[i].counter;
	if (f->err == -ENOENT)
		return COUNT_N;
	if (f->status >= 400 && f->err == outcome_errno_of_status(f->status))
		return COUNT_failed_status;
	if (f->err == -ETIMEDOUT)
		return COUNT_timeouts;
	return is_redirect(f->status) ? COUNT_failed_redirect : COUNT_failed_broken;
}
