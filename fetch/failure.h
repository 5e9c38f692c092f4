/* failure.h - which counter a failed transfer belongs to. Pure; any thread. */
#ifndef FETCH_FAILURE_H
#define FETCH_FAILURE_H

#include <curl/curl.h>

#include "../base/counters.h"

struct failure {
	int err;		/* -errno: what its readers get */
	CURLcode code;		/* how its last exchange ended; CURLE_OK: not by itself */
	int status;		/* of the response in it; 0: none came */
};

/* COUNT_N: none. What is counted where it is seen (a body that changed, an address that
 * was refused) has none here, nor has what is no failure: a name that is not there or is
 * a directory, a mount that ends. */
enum counter failure_counter(const struct failure *f);

#endif
