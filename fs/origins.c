#include "origins.h"

#include <errno.h>
#include <string.h>
#include <stdlib.h>

#include "../fetch/url.h"
#include "options.h"
#include "path.h"

static bool is_web(const struct options *o)
{
	return !o->base_url[0];
}

const char *origins_name(const struct options *o, size_t i)
{
	return is_web(o) && i < o->policies.n_origins ? o->policies.origins[i].name : NULL;
}

bool origins_may_walk(const struct options *o, const char *dir_key)
{
	if (o->allowed && hosts_match(o->allowed, dir_key))
		return true;
	return is_web(o) && policies_on_the_way(&o->policies, dir_key);
}

/* The file is stored by its key, and asked for by its URL. */
static int set_key(const struct options *o, struct path *p)
{
	char *key = NULL;
	int r = p->file ? policies_key(&o->policies, p->file, &key) : 0;

	if (r == 0 && key) {
		p->url = p->file;
		p->file = key;
	}
	return r;
}

int origins_child(const struct options *o, const char *dir_key, const char *name,
		  struct path *ret)
{
	const struct policy_origin *origin = *dir_key ? NULL : policies_named(&o->policies, name);
	struct path p = { .guess = PATH_DIR };
	int r;

	if (origin) {
		p.dir = strdup(origin->url);
		r = p.dir ? 0 : -ENOMEM;
	} else {
		r = path_child(dir_key, name, &p);
	}
	if (r == 0)
		r = set_key(o, &p);
	if (r < 0)
		path_fini(&p);
	else
		*ret = p;
	return r;
}
