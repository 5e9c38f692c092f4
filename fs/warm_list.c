#include "warm_list.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "options.h"
#include "targets.h"
#include "values.h"

#define DELAY_MAX_MS (24 * 3600 * 1000LL)
#define JOBS_MAX 65536
#define ITEM_COST 32	/* of malloc(), about */

/* What the lines so far say of those that follow. */
struct reader {
	const struct options *options;
	int64_t delay_ms;
	int jobs;
	char list[WARM_NAME_MAX];
};

bool warm_list_is_name(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n >= WARM_NAME_MAX)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("-._", *name))
			return false;
	return true;
}

/* The value of a line that begins with word, or NULL. */
static const char *value_of(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && line[n] == ' ' ? line + n + 1 : NULL;
}

/* 1: it was a word of ours. */
static int read_word(struct reader *r, const char *line)
{
	const char *value;
	int64_t number;

	if ((value = value_of(line, "delay"))) {
		if (value_duration_ms(value, &number) < 0 || number > DELAY_MAX_MS)
			return -EINVAL;
		r->delay_ms = number;
	} else if ((value = value_of(line, "jobs"))) {
		if (value_number(value, 0, JOBS_MAX, &number) < 0)
			return -EINVAL;
		r->jobs = (int)number;
	} else if ((value = value_of(line, "list"))) {
		if (!warm_list_is_name(value))
			return -EINVAL;
		memcpy(r->list, value, strlen(value) + 1);
	} else {
		return 0;
	}
	return 1;
}

/* Who writes one of these means a purge, and would get a 404. */
static bool is_purge_word(const char *line)
{
	static const char *const whole[] = { "all", "stale", "cancel" };
	static const char *const begin[] = { "tag:", "host:", "dry-run ", "cancel " };

	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		if (strcmp(line, whole[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
		if (strncmp(line, begin[i], strlen(begin[i])) == 0)
			return true;
	return false;
}

size_t warm_list_cost(const struct warm_item *item)
{
	return sizeof *item + strlen(item->key) + ITEM_COST;
}

static int add(struct warm_list *l, const struct reader *r, const char *key)
{
	size_t size = sizeof(struct warm_item) + strlen(key) + 1;
	struct warm_item *item = malloc(size);

	if (!item)
		return -ENOMEM;
	*item = (struct warm_item){ .delay_ms = r->delay_ms, .jobs = r->jobs };
	memcpy(item->list, r->list, sizeof item->list);
	memcpy(item->key, key, strlen(key) + 1);
	list_append(&l->items, &item->link);
	l->n++;
	l->bytes += warm_list_cost(item);
	return 0;
}

static int read_line(struct warm_list *l, struct reader *r, char *line)
{
	char *key _cleanup_(cleanup_free) = NULL;
	int err = read_word(r, line);

	if (err)
		return err < 0 ? err : 0;
	if (is_purge_word(line))
		return -EINVAL;
	err = targets_key(r->options, line, &key);
	if (err < 0)
		return err;
	/* What the mount cannot show is for nobody. */
	if (!*key || strncmp(key, r->options->base_url, strlen(r->options->base_url)) != 0)
		return -EINVAL;
	return add(l, r, key);
}

int warm_list_parse(const struct options *o, const char *text, size_t len, bool lenient,
		    struct warm_list *ret)
{
	char *copy _cleanup_(cleanup_free) = strndup(text, len);
	struct reader r = { .options = o, .list = WARM_LIST_DEFAULT };
	char *line, *rest = copy;
	size_t number = 0;
	int err = copy ? 0 : -ENOMEM;

	*ret = (struct warm_list){ .n = 0 };
	list_init(&ret->items);
	if (!err && !lenient && !targets_is_whole(text, len))
		err = -EINVAL;
	while (!err && (line = strsep(&rest, "\n"))) {
		size_t end = strlen(line);

		number++;
		if (end && line[end - 1] == '\r')
			line[--end] = '\0';
		if (line[0] == '#' || !line[strspn(line, " \t")])
			continue;
		err = read_line(ret, &r, line);
		if (err == -EINVAL && lenient) {
			if (ret->wrong++ == 0)
				ret->first_wrong = number;
			err = 0;
		}
	}
	return err;
}

void warm_list_free(struct warm_list *l)
{
	struct list *first;

	while ((first = list_pop(&l->items)) != NULL)
		free(list_entry(first, struct warm_item, link));
	l->n = l->bytes = 0;
}
