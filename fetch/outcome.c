#include "outcome.h"

#include <errno.h>
#include <netdb.h>
#include <stddef.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	int status;
	int err;
} statuses[] = {
	{ 404, ENOENT },
	{ 408, ETIMEDOUT },
	{ 410, ENOENT },
	{ 414, ENAMETOOLONG },
	{ 421, EIO },		/* sent to the wrong connection (RFC 9110 15.5.20) */
	{ 425, EBUSY },		/* too early: to be repeated (RFC 8470) */
	{ 429, EBUSY },
	{ 503, EBUSY },
	{ 504, ETIMEDOUT },
};

int outcome_errno_of_status(int status)
{
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		if (statuses[i].status == status)
			return -statuses[i].err;
	if (status >= 200 && status <= 299)
		return 0;
	/* The origin will not give it to us: 401, 403, 451, but 400 and 405 as well. */
	if (status >= 400 && status <= 499)
		return -EACCES;
	return -EIO;
}

static const struct {
	CURLcode code;
	int err;
} codes[] = {
	{ CURLE_OK, 0 },
	{ CURLE_COULDNT_RESOLVE_HOST, EHOSTUNREACH },	/* or ENOENT: resolve.c finds out */
	{ CURLE_COULDNT_RESOLVE_PROXY, EHOSTUNREACH },
	{ CURLE_COULDNT_CONNECT, EHOSTUNREACH },
	{ CURLE_PROXY, EHOSTUNREACH },
	{ CURLE_INTERFACE_FAILED, EHOSTUNREACH },
	{ CURLE_OPERATION_TIMEDOUT, ETIMEDOUT },
	{ CURLE_FILESIZE_EXCEEDED, EFBIG },
	{ CURLE_TOO_MANY_REDIRECTS, ELOOP },
	{ CURLE_UNSUPPORTED_PROTOCOL, EIO },	/* no status line: HTTP/0.9, or not HTTP at all */
	{ CURLE_REMOTE_ACCESS_DENIED, EACCES },
	{ CURLE_LOGIN_DENIED, EACCES },
	{ CURLE_AUTH_ERROR, EACCES },
	{ CURLE_URL_MALFORMAT, EINVAL },
	{ CURLE_OUT_OF_MEMORY, ENOMEM },
	{ CURLE_ABORTED_BY_CALLBACK, EINTR },
};

/* Of connect(), send() or recv(); 0: says nothing more than curl's code. */
static int translate_os_errno(long os_errno)
{
	switch (os_errno) {
	case EACCES:
	case ECONNREFUSED:
	case ETIMEDOUT:
	case ENOMEM:
		return os_errno;
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case ENETUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
	case EPERM:		/* a packet filter */
		return EHOSTUNREACH;
	default:
		return 0;
	}
}

int outcome_errno_of_curl(CURLcode code, long os_errno)
{
	int err = 0;

	if (code == CURLE_COULDNT_CONNECT || code == CURLE_SEND_ERROR ||
	    code == CURLE_RECV_ERROR)
		err = translate_os_errno(os_errno);
	if (err)
		return -err;
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (codes[i].code == code)
			return -codes[i].err;
	/* TLS, a short or broken body, a connection that was cut, HTTP that is none. */
	return -EIO;
}

int outcome_errno_of_dns(int gai)
{
	switch (gai) {
	case 0:
		return 0;
	case EAI_NONAME:
#ifdef EAI_NODATA
	case EAI_NODATA:	/* it is known, but not as a host */
#endif
		return -ENOENT;
	default:
		return -EHOSTUNREACH;
	}
}

bool outcome_may_retry(int err)
{
	return err == -EIO || err == -EBUSY;
}
