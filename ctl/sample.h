/* sample.h - .control/stats at a moment, and what went on between two of them. */
#ifndef CTL_SAMPLE_H
#define CTL_SAMPLE_H

#include <json-c/json.h>

struct sample {
	double mono_s;
	struct json_object *stats;	/* owned */
};

/* Replaces what was in it ({ 0 } to begin with). */
void sample_take(struct sample *s);
void sample_fini(struct sample *s);
void sample_move(struct sample *to, struct sample *from);	/* from is empty after */

double sample_value(const struct sample *s, const char *name);	/* 0: there is none */

/* By which it grew from old to s, a second; 0 when the counters were reset between. old may
 * be empty: 0. */
double sample_rate(const struct sample *old, const struct sample *s, const char *name);

/* Percent of the names since old that were answered from what is stored; -1: there were
 * none. old empty: since the start. */
double sample_hit_rate(const struct sample *old, const struct sample *s);

/* Text of a control file that is JSON; ends the program when it is not. Owned. */
struct json_object *sample_read_json(const char *name);

/* Members of an object: "" and otherwise when it is not there, or null. Borrowed. */
const char *sample_text(struct json_object *object, const char *name);
double sample_number(struct json_object *object, const char *name, double otherwise);

#endif
