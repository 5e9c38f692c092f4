/* outcome.h - what became of a transfer, as an errno. Pure; any thread.
 *
 * The only place where a status or a code of curl turns into what a system call
 * says. All are 0 or -errno. */
#ifndef FETCH_OUTCOME_H
#define FETCH_OUTCOME_H

#include <curl/curl.h>
#include <stdbool.h>

/* Of a final response that is not going to be followed, stored or revalidated. 0
 * for 2xx. -EIO for what is no answer to a GET: 1xx, a redirect or a 304 that leads
 * nowhere, numbers outside 100...599. */
int outcome_errno_of_status(int status);

/* Of getaddrinfo(): -ENOENT only when there is no such host; -EHOSTUNREACH when nobody
 * could tell. */
int outcome_errno_of_dns(int gai);

/* os_errno: CURLINFO_OS_ERRNO, 0 if there is none. EACCES in it is our own refusal
 * of an address. A callback of ours that made curl stop has its own reason, which
 * beats this one. */
int outcome_errno_of_curl(CURLcode code, long os_errno);

/* Whether the same request may fare better soon: -EIO and -EBUSY. */
bool outcome_may_retry(int err);

#endif
