/* config_private.h - what config.c read, and config_policies.c makes of it. */
#ifndef FS_CONFIG_PRIVATE_H
#define FS_CONFIG_PRIVATE_H

#include "config.h"

enum section_kind { SECTION_MOUNT, SECTION_ORIGIN, SECTION_RULE };

struct section {
	enum section_kind kind;
	char *title;			/* what stands between the brackets, once blank each */
	char *who;			/* ORIGIN: its name; RULE: of whose URLs; else NULL */
	char *glob;			/* RULE */
	int line;
	struct assignments set;

	/* Once policies are made. */
	char *url;			/* ORIGIN: key that ends in '/' */
	char *user;			/* ORIGIN: "user:password" of its URL; NULL: none */
	char *match;			/* RULE: glob as it is compared */
	struct hosts *hosts;		/* RULE: NULL: all, or an origin's */
};

struct config {
	char *path;
	struct section *sections;
	size_t n;

	/* What policies point into. */
	struct options **made;
	size_t n_made;
	struct policy_origin *origins;
	struct policy_rule *rules;
	struct policy *rule_policies;
};

/* What o->policy points to is found or made: files are looked for, defaults filled in. */
int options_complete_policy(struct options *o, char *reason, size_t reason_len);

/* Whether that option may stand in sections of origins and rules: the rest is of the mount
 * as a whole. */
bool config_is_of_policies(const char *name);

/* "FILE:LINE: words". Returns err. */
int config_complain(const struct config *c, int line, int err, const char *words, char *reason,
		    size_t reason_len);

#endif
