/* dirlist_html.c - the pages that servers make for people to see a directory.
 *
 * A page is one of these by marks that its generator leaves, never for having links:
 *
 *   nginx, Apache, lighttpd   <title>Index of /...</title> and the same as a heading
 *   Python's http.server      <title>Directory listing for /...</title>, and a heading
 *   Caddy                     a <table aria-describedby="summary"> below <div id="summary">
 *
 * The links in it are names. What stands behind one, up to the next link or the end of
 * its line, or in the other cells of its row (<table>), is size and time. Those
 * for people are rounded, or of an unknown time zone, so they are not exact; Caddy's
 * are given to programs as well (data-order, datetime), and these are. */
#include <errno.h>
#include <libxml/HTMLparser.h>
#include <libxml/tree.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "dirlist.h"

#define WORDS_MAX 512		/* bytes of the text behind a link that are looked at */

static bool is(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

/* The next node in the order of the document; no recursion, for a page may be nested as
 * deep as its author likes. within: where to end. */
static const xmlNode *next_node(const xmlNode *node, const xmlNode *within)
{
	if (node->children)
		return node->children;
	while (node != within && !node->next)
		node = node->parent;
	return node == within ? NULL : node->next;
}

/* The same, but not into node. */
static const xmlNode *next_behind(const xmlNode *node, const xmlNode *within)
{
	while (node != within && !node->next)
		node = node->parent;
	return node == within ? NULL : node->next;
}

static char *attribute(const xmlNode *node, const char *name)
{
	xmlChar *value = xmlGetProp(node, (const xmlChar *)name);
	char *copy = value ? strdup((const char *)value) : NULL;

	xmlFree(value);
	return copy;
}

static bool attribute_is(const xmlNode *node, const char *name, const char *value)
{
	_cleanup_(cleanup_free) char *text = attribute(node, name);

	return text && strcmp(text, value) == 0;
}

static void append_text(const xmlNode *node, struct buf *to)
{
	for (const xmlNode *n = node; n; n = next_node(n, node))
		if (n->type == XML_TEXT_NODE && n->content && to->len < WORDS_MAX)
			buf_str_append(to, (const char *)n->content);
}

/* --- is it one? --- */

static bool begins(const xmlNode *node, const char *words)
{
	struct buf text _cleanup_(buf_fini) = BUF_INIT;
	const char *p;

	append_text(node, &text);
	p = buf_str(&text);
	p += strspn(p, " \t\r\n");
	return strncmp(p, words, strlen(words)) == 0;
}

static bool is_titled(const xmlNode *root, const char *words)
{
	bool title = false, heading = false;

	for (const xmlNode *n = root; n && !(title && heading); n = next_node(n, root)) {
		if (is(n, "title"))
			title = title || begins(n, words);
		else if (is(n, "h1") || is(n, "h2"))
			heading = heading || begins(n, words);
	}
	return title && heading;
}

static const xmlNode *caddy_table(const xmlNode *root)
{
	bool summary = false;

	for (const xmlNode *n = root; n; n = next_node(n, root)) {
		if (is(n, "div") && attribute_is(n, "id", "summary"))
			summary = true;
		else if (summary && is(n, "table") &&
			 attribute_is(n, "aria-describedby", "summary"))
			return n;
	}
	return NULL;
}

/* Where its links are, or NULL. */
static const xmlNode *listing_of(const xmlNode *root)
{
	if (is_titled(root, "Index of /") || is_titled(root, "Directory listing for /"))
		return root;
	return caddy_table(root);
}

/* --- what stands behind a name --- */

struct told {
	struct dirlist_entry e;
	bool sized, dated;
	bool size_exact, date_exact;
};

/* Words between blanks: a date with its time, and a size. */
static void read_words(const char *text, struct told *t)
{
	char line[WORDS_MAX + 1], *rest = NULL;
	const char *last = NULL;

	snprintf(line, sizeof line, "%s", text);
	for (char *p = line; (p = strstr(p, "\xc2\xa0")); )
		memcpy(p, "  ", 2);
	for (char *w = strtok_r(line, " \t\r\n", &rest); w; w = strtok_r(NULL, " \t\r\n", &rest)) {
		int64_t before = t->e.mtime_s;
		char both[64];

		if (last && !t->dated) {
			snprintf(both, sizeof both, "%.31s %.31s", last, w);
			dirlist_value_date(both, &t->e, &t->date_exact);
			t->dated = t->e.mtime_s != before;
			if (t->dated) {
				last = NULL;
				continue;
			}
		}
		/* A size comes behind the time. */
		if (t->dated && !t->sized) {
			dirlist_value_size(w, &t->e, &t->size_exact);
			t->sized = t->e.size >= 0;
		}
		last = w;
	}
}

/* Up to the end of the line, or the next name. */
static void read_line(const xmlNode *a, const xmlNode *within, struct told *t)
{
	struct buf text _cleanup_(buf_fini) = BUF_INIT;
	const char *s;

	for (const xmlNode *n = next_behind(a, within); n && text.len < WORDS_MAX;
	     n = next_node(n, within)) {
		if (is(n, "a") || is(n, "li") || is(n, "hr"))
			break;
		if (n->type == XML_TEXT_NODE && n->content)
			buf_str_append(&text, (const char *)n->content);
		if (text.data && strchr(text.data, '\n'))
			break;
	}
	s = buf_str(&text);
	if (text.data)
		text.data[strcspn(s, "\n")] = '\0';
	read_words(s, t);
}

static void read_machine_values(const xmlNode *n, struct told *t)
{
	if (is(n, "td")) {
		_cleanup_(cleanup_free) char *order = attribute(n, "data-order");
		bool exact = false;

		if (order)
			dirlist_value_size(order, &t->e, &exact);
		if (exact)
			t->sized = t->size_exact = true;
	} else if (is(n, "time")) {
		_cleanup_(cleanup_free) char *date = attribute(n, "datetime");

		if (date && dirlist_value_iso(date, &t->e.mtime_s))
			t->dated = t->date_exact = true;
	}
}

static void read_row(const xmlNode *row, const xmlNode *cell, bool machine, struct told *t)
{
	struct buf text _cleanup_(buf_fini) = BUF_INIT;

	for (const xmlNode *td = row->children; td; td = td->next) {
		if (td == cell || !is(td, "td"))
			continue;
		append_text(td, &text);
		buf_char(&text, ' ');
		for (const xmlNode *n = machine ? td : NULL; n; n = next_node(n, td))
			read_machine_values(n, t);
	}
	if (!machine)
		read_words(buf_str(&text), t);
}

static const xmlNode *above(const xmlNode *node, const char *name)
{
	int depth = 0;

	for (node = node->parent; node && depth < 8; node = node->parent, depth++)
		if (is(node, name))
			return node;
	return NULL;
}

static int read_link(const char *base, const xmlNode *a, const xmlNode *within, bool machine,
		     struct dirlist *d)
{
	_cleanup_(cleanup_free) char *href = attribute(a, "href");
	struct told t = { .e = { .size = -1, .mtime_s = -1 } };
	const xmlNode *cell, *row;

	if (!href || !*href)
		return 0;
	cell = above(a, "td");
	row = cell ? above(cell, "tr") : NULL;
	if (row)
		read_row(row, cell, machine, &t);
	else if (!above(a, "li"))
		read_line(a, within, &t);
	t.e.exact = t.sized && t.dated && t.size_exact && t.date_exact;
	return dirlist_add_href(d, base, href, &t.e);
}

/* --- all of it --- */

static void ignore_message(void *arg, const char *message, ...)
{
	(void)arg;
	(void)message;
}

/* Any page may be large: without a mark it need not be parsed. */
static bool may_be_marked(const char *body, size_t len)
{
	static const char *const marks[] = {
		"Index of /", "Directory listing for /", "aria-describedby",
	};

	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (memmem(body, len, marks[i], strlen(marks[i])))
			return true;
	return false;
}

static xmlDoc *parse(const char *body, size_t len)
{
	static const int options = HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
				   HTML_PARSE_RECOVER;

	/* Some of its complaints go past the options; the setting is this thread's. */
	xmlSetGenericErrorFunc(NULL, ignore_message);
	if (len > INT_MAX || !may_be_marked(body, len) || !dirlist_is_bounded(body, len))
		return NULL;
	return htmlReadMemory(body, (int)len, NULL, NULL, options);
}

int dirlist_read_html(const char *base, const char *body, size_t len, struct dirlist *d)
{
	xmlDoc *doc = parse(body, len);
	const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
	const xmlNode *listing = root ? listing_of(root) : NULL;
	int err = listing ? 0 : -ENODATA;

	for (const xmlNode *n = listing; n && !err; n = next_node(n, listing))
		if (is(n, "a"))
			err = read_link(base, n, listing, is(listing, "table"), d);
	xmlFreeDoc(doc);
	return err;
}
