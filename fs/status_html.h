/* status_html.h - the bytes of status.html, which the build puts into the program. */
#ifndef FS_STATUS_HTML_H
#define FS_STATUS_HTML_H

#include <stddef.h>

/* Where what .control says now is to stand in it. */
#define STATUS_HTML_DATA "@DATA@"

extern const char status_html[];	/* terminated */

#endif
