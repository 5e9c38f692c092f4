/* list.h - intrusive doubly linked lists.
 *
 * A list is a ring through its head. An entry that is in no list points at
 * itself (list_init), so list_remove() may be called on it at any time. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "cleanup.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(l) { &(l), &(l) }

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Insert before `at`: at the end when `at` is the head. */
static inline void list_insert(struct list *at, struct list *entry)
{
	entry->prev = at->prev;
	entry->next = at;
	at->prev->next = entry;
	at->prev = entry;
}

static inline void list_append(struct list *head, struct list *entry)
{
	list_insert(head, entry);
}

static inline void list_prepend(struct list *head, struct list *entry)
{
	list_insert(head->next, entry);
}

static inline void list_remove(struct list *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	list_init(entry);
}

/* Move everything of `from` to the end of `to`; `from` is empty after. */
static inline void list_splice(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

/* Takes the first entry off, NULL if there is none. */
static inline struct list *list_pop(struct list *head)
{
	struct list *first = head->next;

	if (first == head)
		return NULL;
	list_remove(first);
	return first;
}

#define list_entry(l, type, member) container_of(l, type, member)

#define list_for_each(pos, head, member)                                       \
	for (pos = list_entry((head)->next, __typeof__(*pos), member);         \
	     &pos->member != (head);                                           \
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))

/* The entry at pos may be removed. */
#define list_for_each_safe(pos, tmp, head, member)                             \
	for (pos = list_entry((head)->next, __typeof__(*pos), member),         \
	    tmp = list_entry(pos->member.next, __typeof__(*pos), member);      \
	     &pos->member != (head);                                           \
	     pos = tmp, tmp = list_entry(tmp->member.next, __typeof__(*tmp), member))

#endif
