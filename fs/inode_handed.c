#include "inode_handed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "control.h"
#include "handover.h"

/* A record: this, the name (a control file's own), and the key, both terminated. */
struct note {
	uint64_t ino, parent;
	uint64_t len;			/* of a control file's text */
	int64_t made_s;
	uint32_t kind;			/* enum inode_kind */
	uint32_t keyed;			/* a key follows */
};

static struct handed *write_note(struct handover *h, const struct inode *i)
{
	const char *name = i->kind == INODE_CONTROL_FILE ? i->control->name : i->name;
	struct note note = {
		.ino = i->ino,
		.parent = i->parent,
		.len = i->len,
		.made_s = i->made_s,
		.kind = i->kind,
		.keyed = i->key != NULL,
	};
	struct buf b = BUF_INIT;
	struct handed *r = NULL;

	buf_append(&b, &note, sizeof(note));
	buf_append(&b, name, strlen(name) + 1);
	if (i->key)
		buf_append(&b, i->key, strlen(i->key) + 1);
	if (buf_ok(&b))
		r = handover_add(h, buf_str(&b), b.len, i->nlookup);
	buf_fini(&b);
	return r;
}

struct rewrite {
	struct handover *handover;
	size_t bytes;
};

static bool write_one(struct map_node *node, void *arg)
{
	struct inode *i = container_of(node, struct inode, by_ino);
	struct rewrite *w = arg;

	if (i->kind == INODE_FILE || i->ino == INODE_ROOT)
		return true;
	/* Without room, who holds it gets ESTALE if the daemon dies. */
	i->handed = write_note(w->handover, i);
	w->bytes += i->handed ? i->handed->size : 0;
	return true;
}

static void rewrite(struct inodes *t)
{
	struct rewrite w = { t->handover, 0 };

	handover_begin_rewrite(t->handover);
	map_each(&t->by_ino, write_one, &w);
	handover_end_rewrite(t->handover);
	t->handed_bytes = w.bytes;
}

void handed_add(struct inodes *t, struct inode *i)
{
	if (!t->handover || i->kind == INODE_FILE || i->ino == INODE_ROOT)
		return;
	if (handover_wants_rewrite(t->handover, t->handed_bytes))
		rewrite(t);		/* with i */
	else if ((i->handed = write_note(t->handover, i)))
		t->handed_bytes += i->handed->size;
}

void handed_drop(struct inodes *t, struct inode *i)
{
	if (!i->handed)
		return;
	atomic_store_explicit(&i->handed->nlookup, 0, memory_order_relaxed);
	t->handed_bytes -= i->handed->size;
	i->handed = NULL;
}

void handed_count(struct inode *i)
{
	if (i->handed)
		atomic_store_explicit(&i->handed->nlookup, i->nlookup, memory_order_relaxed);
}

/* --- the other way round --- */

struct reading {
	struct inodes *table;
	int err;
};

/* Of untrusted form: whoever wrote it crashed. */
static bool read_note(const char *data, size_t len, struct note *ret, const char **ret_name,
		      const char **ret_key)
{
	size_t name_len;

	if (len < sizeof(*ret))
		return false;
	memcpy(ret, data, sizeof(*ret));
	data += sizeof(*ret);
	len -= sizeof(*ret);
	name_len = strnlen(data, len) + 1;
	if (name_len > len)
		return false;
	*ret_name = data;
	*ret_key = ret->keyed ? data + name_len : NULL;
	return !ret->keyed || strnlen(*ret_key, len - name_len) < len - name_len;
}

static bool adopt_one(void *arg, const void *data, size_t len, uint64_t nlookup)
{
	struct reading *r = arg;
	const struct control_file *control = NULL;
	const char *name, *key;
	struct note note;
	struct inode *i;

	if (!read_note(data, len, &note, &name, &key) || note.kind == INODE_FILE ||
	    note.kind > INODE_CONTROL_FILE)
		return true;
	if (note.kind == INODE_CONTROL_FILE && !(control = control_find(name)))
		return true;
	i = calloc(1, sizeof(*i));
	if (i) {
		i->kind = note.kind;
		i->ino = note.ino;
		i->parent = note.parent;
		i->len = note.len;
		i->made_s = note.made_s;
		i->control = control;
		atomic_init(&i->adopted, true);
		i->name = strdup(name);
		i->key = key ? strdup(key) : NULL;
	}
	r->err = i && i->name && (!key || i->key) ? inode_adopt(r->table, TAKE_PTR(i), nlookup) :
						    -ENOMEM;
	if (i) {
		free(i->name);
		free(i->key);
		free(i);
	}
	return r->err == 0;
}

int inodes_take_over(struct inodes *t, struct handover *h, struct index *ix)
{
	struct reading r = { t, 0 };

	handover_each(h, adopt_one, &r);
	if (r.err < 0)
		return r.err;
	t->handover = h;
	t->shown = ix;
	WITH_LOCK(&t->lock)
		rewrite(t);
	return 0;
}
