/* config.h - the file of the option config=: sections [mount], [origin NAME] and
 * [rule ORIGIN GLOB].
 *
 * A section is a list of options as they were typed. The policy of some URLs is made by
 * setting, in this order, those of [mount], of the command line, of the URL's origin and
 * of the first rule that matches: what comes later wins.
 *
 * Main thread, before others; constant after. Errors: -EINVAL or another -errno, with
 * FILE:LINE and a sentence in reason. */
#ifndef FS_CONFIG_H
#define FS_CONFIG_H

#include <stddef.h>

#include "options.h"

struct config;

/* Reads o->config_file, and sets what stands in [mount] unless the command line said it.
 * Does nothing without the option. */
int config_read(struct options *o, char *reason, size_t reason_len);

/* Whether it has an origin: `web` needs no `allow` then. */
bool config_has_origin(const struct config *c);

/* The origins' and rules' policies, into o->policies. The general one is there. */
int config_make_policies(struct options *o, char *reason, size_t reason_len);

/* Sections as they are in force, secrets masked. c may be NULL. */
void config_render(const struct config *c, struct buf *to);
void config_free(struct config *c);

#endif
