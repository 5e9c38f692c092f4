#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../base/buf.h"
#include "../../../fetch/dirlist.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define BASE "http://example.org/pub/"
#define WHEN "1600000001"	/* 2020-09-13 12:26:41 */

enum form { HTML, JSON, DAV, S3 };

static int read_as(enum form form, const char *body, struct dirlist *d)
{
	char *more = NULL;
	int err;

	switch (form) {
	case HTML:
		return dirlist_read_html(BASE, body, strlen(body), d);
	case JSON:
		return dirlist_read_json(BASE, body, strlen(body), d);
	case DAV:
		return dirlist_read_dav(BASE, body, strlen(body), d);
	case S3:
		break;
	}
	err = dirlist_read_s3("p/", body, strlen(body), d, &more);
	free(more);
	return err;
}

/* "name size time;": '=' before what is exact, '/' behind a directory. */
static void render(const struct dirlist *d, struct buf *to)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct dirlist_entry *e = &d->entries[i];

		buf_printf(to, "%s%s%s", e->exact ? "=" : "", e->name, e->dir ? "/" : "");
		if (!e->dir)
			buf_printf(to, " %jd %jd", (intmax_t)e->size, (intmax_t)e->mtime_s);
		buf_char(to, ';');
	}
}

static void check(enum form form, const char *body, const char *wanted)
{
	struct dirlist *d = dirlist_new();
	struct buf got = BUF_INIT;

	assert_non_null(d);
	assert_int_equal(read_as(form, body, d), 0);
	dirlist_sort(d);
	render(d, &got);
	assert_string_equal(buf_str(&got), wanted);
	buf_fini(&got);
	dirlist_unref(d);
}

#define INDEX_OF(rows) "<html><head><title>Index of /pub/</title></head><body>" \
	"<h1>Index of /pub/</h1>" rows "</body></html>"

static void test_pages(void **state)
{
	(void)state;
	/* nginx: its size is exact, its time is not. */
	check(HTML, INDEX_OF("<hr><pre><a href=\"../\">../</a>\n"
			     "<a href=\"a%20b/\">a b/</a>     13-Sep-2020 12:26     -\n"
			     "<a href=\"c%26d.txt\">c&amp;d.txt</a>  13-Sep-2020 12:26   123456\n"
			     "<a href=\"e\">e</a>  13-Sep-2020 12:26   121K\n</pre><hr>"),
	      "a%20b/;c&d.txt 123456 1599999960;e 123904 1599999960;");
	/* Apache: with links to sort by, a parent directory, and a "./". */
	check(HTML, INDEX_OF("<pre><a href=\"?C=N;O=D\">Name</a> <a href=\"?C=M;O=A\">Last</a><hr>"
			     "   <a href=\"/\">Parent Directory</a>           -   \n"
			     "   <a href=\"./a:b\">a:b</a>   2020-09-13 12:26  1.5K  \n"
			     "<hr></pre>"),
	      "a:b 1536 1599999960;");
	check(HTML, INDEX_OF("<table><tr><th><a href=\"?C=S;O=A\">Size</a></th></tr>"
			     "<tr><td>&nbsp;</td><td><a href=\"x\">x</a></td><td>2020-09-13 12:26  "
			     "</td><td>  5 </td><td>&nbsp;</td></tr></table>"),
	      "x 5 1599999960;");
	check(HTML, INDEX_OF("<ul><li><a href=\"x\"> x</a></li><li><a href=\"y/\"> y/</a></li></ul>"),
	      "x -1 -1;y/;");
	check(HTML, "<title>Directory listing for /pub/</title><h1>Directory listing for /pub/</h1>"
		    "<hr><ul><li><a href=\"x\">x</a></li></ul>",
	      "x -1 -1;");
	/* lighttpd */
	check(HTML, "<title>Index of /pub/</title><h2>Index of /pub/</h2><table><tbody>"
		    "<tr class=\"d\"><td class=\"n\"><a href=\"d/\">d</a>/</td><td class=\"m\">"
		    "2020-Sep-13 12:26:41</td><td class=\"s\">- &nbsp;</td></tr>"
		    "<tr><td class=\"n\"><a href=\"x\">x</a></td><td class=\"m\">2020-Sep-13 12:26:41"
		    "</td><td class=\"s\">120.5K</td></tr></tbody></table>",
	      "d/;x 123392 " WHEN ";");
	/* Caddy: both for programs, too. */
	check(HTML, "<title>/pub/</title><div id=\"summary\"></div><a href=\"other\">no</a>"
		    "<table aria-describedby=\"summary\"><tr class=\"file\"><td></td><td>"
		    "<a href=\"./x\"><span>x</span></a></td><td data-order=\"5\">5 B</td><td>"
		    "<time datetime=\" 2020-09-13T12:26:41Z\">09/13/2020</time></td></tr></table>",
	      "=x 5 " WHEN ";");
}

static void test_for_programs(void **state)
{
	(void)state;
	check(JSON, "[{\"name\":\"a b\",\"type\":\"directory\",\"mtime\":\"Sun, 13 Sep 2020 12:26:41 GMT\"},"
		    "{\"name\":\"c?%.txt\",\"type\":\"file\",\"size\":5,"
		    "\"mtime\":\"Sun, 13 Sep 2020 12:26:41 GMT\"}]",
	      "a%20b/;=c%3F%25.txt 5 " WHEN ";");
	check(JSON, "[{\"name\":\"x\",\"size\":5,\"url\":\"./x\",\"is_dir\":false,"
		    "\"mod_time\":\"2020-09-13T14:26:41.5+02:00\"},"
		    "{\"name\":\"d/\",\"size\":4096,\"url\":\"./d/\",\"is_dir\":true}]",
	      "d/;=x 5 " WHEN ";");
	check(JSON, "[]", "");
	check(DAV, "<m:multistatus xmlns:m=\"DAV:\"><m:response><m:href>/pub/</m:href></m:response>"
		   "<m:response><m:href>/pub/x</m:href><m:propstat><m:prop><m:getcontentlength>5"
		   "</m:getcontentlength><m:getlastmodified>Sun, 13 Sep 2020 12:26:41 GMT"
		   "</m:getlastmodified></m:prop><m:status>HTTP/1.1 200 OK</m:status></m:propstat>"
		   "</m:response><m:response><m:href>http://example.org/pub/d</m:href><m:propstat><m:prop>"
		   "<m:resourcetype><m:collection/></m:resourcetype></m:prop><m:status>HTTP/1.1 200 OK"
		   "</m:status></m:propstat></m:response></m:multistatus>",
	      "d/;=x 5 " WHEN ";");
	check(S3, "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>p/</Key><Size>0"
		  "</Size></Contents><Contents><Key>p/a+b%2Bc</Key><Size>5</Size><LastModified>"
		  "2020-09-13T12:26:41.000Z</LastModified></Contents><Contents><Key>q/x</Key></Contents>"
		  "<CommonPrefixes><Prefix>p/d/</Prefix></CommonPrefixes></ListBucketResult>",
	      "=a%20b%2Bc 5 " WHEN ";d/;");
}

/* Of all that is linked, only what is directly below. */
static void test_elsewhere(void **state)
{
	static const char *const hrefs[] = {
		"", "/", "/pub", "/pub/", "..", "../", "../x", "/etc/passwd", "//example.com/pub/x",
		"http://example.com/pub/x", "https://example.org/pub/x", "http://example.org:81/pub/x",
		"a/b", "a//", "%2e%2e", "%2e%2E/", ".", "./", "a%2Fb", "a%00b", "x?y", "?C=N;O=D",
		"#top", "javascript:x", "mailto:a@example.org", "x:y", "http://[", "a\\b/c",
	};
	const struct dirlist_entry e = { .size = -1, .mtime_s = -1 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hrefs); i++) {
		struct dirlist *d = dirlist_new();

		assert_int_equal(dirlist_add_href(d, BASE, hrefs[i], &e), 0);
		if (d->n > 0)
			fail_msg("%s: taken for the name %s", hrefs[i], d->entries[0].name);
		dirlist_unref(d);
	}
}

static void test_no_listings(void **state)
{
	static const struct {
		enum form form;
		const char *body;
	} cases[] = {
		{ HTML, "" }, { HTML, "x" }, { HTML, "<a href=\"x\">x</a>" },
		{ HTML, "<title>Index of /</title><a href=\"x\">x</a>" },
		{ HTML, "<h1>Index of /</h1><pre><a href=\"x\">x</a></pre>" },
		{ HTML, "<title>Index of things</title><h1>Index of things</h1><a href=\"x\">x</a>" },
		{ HTML, "<table aria-describedby=\"summary\"><tr><td><a href=\"x\">x</a></table>" },
		{ JSON, "" }, { JSON, "{}" }, { JSON, "null" }, { JSON, "[1]" }, { JSON, "[{}]" },
		{ JSON, "[{\"name\":\"x\"}]" }, { JSON, "[[[[[[[[[[]]]]]]]]]]" }, { JSON, "[{\"name\":" },
		{ DAV, "" }, { DAV, "<multistatus/>" }, { DAV, "<x xmlns=\"DAV:\"/>" },
		{ S3, "" }, { S3, "<Error/>" }, { S3, "<ListBucketResult>" },
		{ S3, "<!DOCTYPE a [<!ENTITY b \"c\">]><ListBucketResult/>" },
		{ DAV, "<!DOCTYPE a SYSTEM \"file:///dev/null\"><multistatus xmlns=\"DAV:\"/>" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct dirlist *d = dirlist_new();
		int err = read_as(cases[i].form, cases[i].body, d);

		if (err != -ENODATA)
			fail_msg("%s: %d", cases[i].body, err);
		dirlist_unref(d);
	}
}

/* Would take much more memory than it is long. */
static void test_too_much(void **state)
{
	static const char head[] = "<title>Index of /</title><h1>Index of /</h1>";
	size_t len = 3 * (DIRLIST_TAGS_MAX + 100);
	char *body = malloc(len + 1);
	struct dirlist *d = dirlist_new();

	(void)state;
	assert_non_null(body);
	for (size_t i = 0; i < len; i += 3)
		memcpy(body + i, "<a>", 4);
	memcpy(body, head, strlen(head));
	assert_int_equal(dirlist_read_html(BASE, body, len, d), -ENODATA);
	for (size_t i = 0; i < len; i += 3)
		memcpy(body + i, "{},", 4);
	memcpy(body, "[  ", 3);
	assert_int_equal(dirlist_read_json(BASE, body, len, d), -ENODATA);
	free(body);
	dirlist_unref(d);
}

static void test_the_rest_of_a_bucket(void **state)
{
	static const char page[] =
		"<ListBucketResult><IsTruncated>%s</IsTruncated><NextContinuationToken>a/+=&amp;"
		"</NextContinuationToken></ListBucketResult>";
	struct dirlist *d = dirlist_new();
	char *more = NULL, body[512];

	(void)state;
	snprintf(body, sizeof(body), page, "true");
	assert_int_equal(dirlist_read_s3("", body, strlen(body), d, &more), 0);
	assert_string_equal(more, "a/+=&");
	free(more);
	snprintf(body, sizeof(body), page, "false");
	assert_int_equal(dirlist_read_s3("", body, strlen(body), d, &more), 0);
	assert_null(more);
	dirlist_unref(d);
}

static void test_names_are_found(void **state)
{
	const struct dirlist_entry file = { .size = 1, .mtime_s = 1 };
	const struct dirlist_entry dir = { .dir = true, .size = -1, .mtime_s = -1 };
	struct dirlist *d = dirlist_new();
	bool found;

	(void)state;
	for (int i = 9; i >= 0; i -= 2) {
		char name[2] = { (char)('0' + i), '\0' };

		assert_int_equal(dirlist_add_name(d, name, &file), 0);
		assert_int_equal(dirlist_add_name(d, name, &dir), 0);
	}
	dirlist_sort(d);
	assert_int_equal(d->n, 5);
	assert_true(d->entries[0].dir);
	assert_int_equal(dirlist_find(d, "5", &found), 2);
	assert_true(found);
	assert_int_equal(dirlist_find(d, "6", &found), 3);
	assert_false(found);
	assert_int_equal(dirlist_find(d, "99", &found), 5);
	assert_false(found);
	dirlist_learn(d, 1, 7, -1);
	assert_false(dirlist_get(d, 1).exact);
	dirlist_learn(d, 1, 7, 8);
	assert_true(dirlist_get(d, 1).exact);
	dirlist_unref(d);
}

static void test_types(void **state)
{
	(void)state;
	assert_int_equal(dirlist_form_of("text/html;charset=ISO-8859-1"), DIRLIST_HTML);
	assert_int_equal(dirlist_form_of("Application/JSON"), DIRLIST_JSON);
	assert_int_equal(dirlist_form_of("text/xml; charset=\"utf-8\""), DIRLIST_XML);
	assert_int_equal(dirlist_form_of("text/plain"), DIRLIST_NONE);
	assert_int_equal(dirlist_form_of("text/htmlx"), DIRLIST_NONE);
	assert_int_equal(dirlist_form_of(NULL), DIRLIST_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),	       cmocka_unit_test(test_for_programs),
		cmocka_unit_test(test_elsewhere),      cmocka_unit_test(test_no_listings),
		cmocka_unit_test(test_the_rest_of_a_bucket), cmocka_unit_test(test_names_are_found),
		cmocka_unit_test(test_types),	       cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
