/* kept.h - fields of a response that are kept, as extended attributes: each by its name, and
 * the tags that its origin gave it. Any thread. */
#ifndef FS_KEPT_H
#define FS_KEPT_H

#include "../base/buf.h"
#include "../index/meta.h"

#define KEPT_PREFIX "user.webcachefs.header."

/* All values of the field that an attribute is about, joined by ", " (RFC 9110 5.3). Nothing
 * when it is not such an attribute, or there is no such field. */
void kept_value(const struct meta *m, const char *attribute, struct buf *to);

/* Names of the attributes, each with its NUL, in lower case. */
void kept_names(const struct meta *m, struct buf *to);

/* Tags, with a blank between: Surrogate-Key, and Cache-Tag. */
void kept_tags(const struct meta *m, struct buf *to);

#endif
