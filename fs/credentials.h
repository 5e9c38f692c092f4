/* credentials.h - the user and password of a URL as a request header. Pure. */
#ifndef FS_CREDENTIALS_H
#define FS_CREDENTIALS_H

/* "user:password", percent-encoded as in a URL, to "Authorization: Basic ..."
 * (RFC 7617). malloc()ed; NULL: no memory. */
char *credentials_header(const char *userinfo);

#endif
