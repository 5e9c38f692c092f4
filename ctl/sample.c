#include "sample.h"

#include <stdlib.h>
#include <time.h>

#include "ctl.h"

struct json_object *sample_read_json(const char *name)
{
	char *text = control_read(name);
	struct json_object *object = json_tokener_parse(text);

	if (!object)
		die(CTL_FAILED, "%s: cannot be understood", name);
	free(text);
	return object;
}

const char *sample_text(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) && value ?
		       json_object_get_string(value) : "";
}

double sample_number(struct json_object *object, const char *name, double otherwise)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) && value ?
		       json_object_get_double(value) : otherwise;
}

void sample_take(struct sample *s)
{
	struct timespec now;

	sample_fini(s);
	s->stats = sample_read_json("stats");
	clock_gettime(CLOCK_MONOTONIC, &now);
	s->mono_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void sample_fini(struct sample *s)
{
	json_object_put(s->stats);
	s->stats = NULL;
}

void sample_move(struct sample *to, struct sample *from)
{
	sample_fini(to);
	*to = *from;
	from->stats = NULL;
}

double sample_value(const struct sample *s, const char *name)
{
	struct json_object *value;

	if (!s->stats || !json_object_object_get_ex(s->stats, name, &value))
		return 0;
	return json_object_get_double(value);
}

static double growth(const struct sample *old, const struct sample *s, const char *name)
{
	double by = sample_value(s, name) - sample_value(old, name);

	return by > 0 ? by : 0;
}

double sample_rate(const struct sample *old, const struct sample *s, const char *name)
{
	double time_s = s->mono_s - old->mono_s;

	return old->stats && time_s > 0 ? growth(old, s, name) / time_s : 0;
}

double sample_hit_rate(const struct sample *old, const struct sample *s)
{
	double here = growth(old, s, "hits") + growth(old, s, "negative_hits") +
		      growth(old, s, "stale_served");
	double there = growth(old, s, "misses") + growth(old, s, "coalesced");

	return here + there > 0 ? 100 * here / (here + there) : -1;
}
