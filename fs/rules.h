/* rules.h - what the options file= and dir= say of a name. Any thread; constant. */
#ifndef FS_RULES_H
#define FS_RULES_H

struct options;

enum rule { RULE_NONE, RULE_FILE, RULE_DIR };

/* dir_key: of the directory that name is in. A glob without '/' is about the name, one
 * with it about the path below the mount point. RULE_FILE when both say something. */
enum rule rules_find(const struct options *o, const char *dir_key, const char *name);

#endif
