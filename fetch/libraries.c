#include "../base/libraries.h"

#include <curl/curl.h>

void fetch_libraries(struct buf *to)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	buf_printf(to, "libcurl %s (%s%s)\n", info->version,
		   info->ssl_version ? info->ssl_version : "no TLS",
		   info->features & CURL_VERSION_HTTP2 ? ", HTTP/2" : "");
}
