"""The table: what HTTP says of caches, as far as it can be seen in files.

Sections are of RFC 9111 unless they name another one.
"""
from play import PRIVATE, SHARED, Answer, Case, Step

CASES = []

# Cases that fail, by name, and why. What is listed here and passes fails.
KNOWN = {}


def cc(value):
    return ("Cache-Control", value)


def asked(at, sent=None, **fields):
    return Step(at, "asked", sent or {}, fields)


def reused(at, **fields):
    return Step(at, "reused", {}, fields)


def confirmed(at, sent=None, **fields):
    return Step(at, "confirmed", sent or {}, fields)


def stood_in(at, sent=None):
    return Step(at, "stood in", sent or {})


def behind(at):
    return Step(at, "behind")


def case(section, name, answers, *steps, kinds=(PRIVATE, SHARED), options=()):
    """answers: one Answer, its fields alone, or a list of Answers."""
    if isinstance(answers, Answer):
        answers = [answers]
    elif answers and not isinstance(answers[0], Answer):
        answers = [Answer(tuple(answers))]
    CASES.append(Case(section, name, tuple(answers), (asked(0),) + steps, kinds, tuple(options)))


def fresh(section, name, *headers, **kwargs):
    """Reused once, and a thousand seconds later (freshness is given in thousands)."""
    case(section, name, headers, reused(0), reused(900), **kwargs)


def stale(section, name, *headers, **kwargs):
    """Not reused without asking."""
    case(section, name, headers, asked(10), asked(20), **kwargs)


def until(end, section, name, *headers, **kwargs):
    case(section, name, headers, reused(end - 50), asked(end + 50), **kwargs)


CDN = ("targeted=CDN-Cache-Control",)

# --- 5.2: Cache-Control ---

until(1000, "5.2.2.1", "max-age", cc("max-age=1000"))
until(1000, "5.2.2.1", "max-age counts before Expires", cc("max-age=1000"),
      ("Date", "@0"), ("Expires", "@5000"))
until(1000, "5.2.2.1", "max-age counts before Expires in the past", cc("max-age=1000"),
      ("Date", "@0"), ("Expires", "@-5000"))
until(1000, "5.2.2.1", "max-age counts before an invalid Expires", cc("max-age=1000"),
      ("Expires", "0"))
stale("5.2.2.1", "max-age=0", cc("max-age=0"))
stale("5.2.2.1", "max-age=0 counts before Expires", cc("max-age=0"), ("Expires", "@5000"))
stale("5.2.2.1", "a negative max-age is stale", cc("max-age=-1000"))
stale("4.2.1", "an invalid max-age is stale (letters before)", cc("max-age=a3600"))
stale("4.2.1", "an invalid max-age is stale (letters behind)", cc("max-age=3600a"))
stale("4.2.1", "an invalid max-age is stale (single quotes)", cc("max-age='3600'"))
stale("4.2.1", "an invalid max-age is stale (a fraction)", cc("max-age=3600.5"))
stale("4.2.1", "an invalid max-age is stale (no value)", cc("max-age"))
stale("5.2", "no space before the sign of equality", cc("max-age =3600"))
stale("5.2", "no space behind the sign of equality", cc("max-age= 3600"))
fresh("5.2", "an argument may be quoted", cc('max-age="3600"'))
fresh("5.2", "names have no case", cc("MaX-aGe=3600"))
fresh("5.2", "what is not known is ignored", cc("foobar, max-age=3600, x=y"))
fresh("5.2", "empty elements are ignored", cc(", ,max-age=3600,,"))
fresh("5.2", "several lines are one list", cc("public"), cc("max-age=3600"))
fresh("1.2.2", "leading zeros", cc("max-age=003600"))
fresh("1.2.2", "2^31", cc("max-age=2147483648"))
fresh("1.2.2", "more than 2^31", cc("max-age=2147483649"))
fresh("1.2.2", "more than 2^64", cc("max-age=99999999999999999999999"))
until(1000, "4.2.1", "of two the first one counts", cc("max-age=1000, max-age=5000"))
until(1000, "4.2.1", "of two the first one counts, in lines", cc("max-age=1000"),
      cc("max-age=5000"))
until(1000, "5.2", "not what is in a quoted string before it",
      cc('extension="max-age=5000", max-age=1000'))
until(1000, "5.2", "not what is in a quoted string behind it",
      cc('max-age=1000, extension="max-age=5000"'))
until(1000, "5.2", "not what only ends like it", cc("x-max-age=5000, max-age=1000"))
stale("5.2.2.5", "no-store", cc("no-store"))
stale("5.2.2.5", "no-store and max-age", cc("no-store, max-age=3600"))
stale("5.2.2.5", "No-StOrE", cc("No-StOrE, max-age=3600"))
stale("5.2.2.5", "no-store in another line", cc("max-age=3600"), cc("no-store"))
stale("5.2.2.5", "no-store and Expires", cc("no-store"), ("Expires", "@5000"))
stale("5.2.2.4", "no-cache", cc("no-cache"))
stale("5.2.2.4", "no-cache and max-age", cc("no-cache, max-age=3600"))
stale("5.2.2.4", "no-cache and Expires", cc("no-cache"), ("Expires", "@5000"))
stale("5.2.2.4", "nO-CaChE", cc("nO-CaChE, max-age=3600"))
fresh("5.2.2.4", "no-cache with names of fields is about these", cc('max-age=3600, no-cache="a"'),
      ("A", "1"))
stale("5.2.2.4", "no-cache with what is no name counts for all",
      cc('max-age=3600, no-cache="a b"'))
case("5.2.2.4", "no-cache is stored, and confirmed",
     [Answer((cc("no-cache"), ("ETag", '"a"'))), Answer((cc("no-cache"),), 304)],
     confirmed(10, {"If-None-Match": '"a"'}), confirmed(20, {"If-None-Match": '"a"'}))
case("5.2.2.5", "no-store leaves nothing to be confirmed",
     (cc("no-store"), ("ETag", '"a"')), asked(10, {"If-None-Match": None}))
fresh("5.2.2.7", "private, in a private cache", cc("private, max-age=3600"), kinds=(PRIVATE,))
stale("5.2.2.7", "private, in a shared cache", cc("private, max-age=3600"), kinds=(SHARED,))
stale("5.2.2.7", "pRiVaTe, in a shared cache", cc("pRiVaTe, max-age=3600"), kinds=(SHARED,))
fresh("5.2.2.7", "private with names of fields is about these",
      cc('private="set-cookie", max-age=3600'))
fresh("5.2.2.9", "public", cc("public, max-age=3600"))
until(1000, "5.2.2.10", "s-maxage, in a shared cache", cc("max-age=5000, s-maxage=1000"),
      kinds=(SHARED,))
until(1000, "5.2.2.10", "s-maxage counts before a shorter max-age",
      cc("s-maxage=1000, max-age=10"), kinds=(SHARED,))
until(1000, "5.2.2.10", "s-maxage counts before Expires", cc("s-maxage=1000"),
      ("Date", "@0"), ("Expires", "@-10"), kinds=(SHARED,))
until(1000, "5.2.2.10", "s-maxage is nothing to a private cache",
      cc("max-age=1000, s-maxage=5000"), kinds=(PRIVATE,))
stale("4.2.1", "an invalid s-maxage is stale", cc("max-age=3600, s-maxage=x"), kinds=(SHARED,))
fresh("5.2.2.3", "must-understand and a status that is understood",
      cc("max-age=3600, no-store, must-understand"))
case("5.2.2.3", "must-understand and a status that nobody knows",
     Answer((cc("max-age=3600, no-store, must-understand"),), 599), asked(1), asked(2))
fresh("5.2.2.6", "no-transform is nothing to us", cc("no-transform, max-age=3600"))
fresh("5.2", "directives of requests are nothing in a response",
      cc("max-age=3600, max-stale, min-fresh=99999, only-if-cached"))

for value in ("no-store=1", 'no-store="a"', 'no-cache=""', 'private=""'):
    stale("5.2", f"an argument that is not expected does not weaken it: {value}",
          cc(f"max-age=3600, {value}"), kinds=(SHARED,))
fresh("5.2", "tabs and spaces around", cc(" \t max-age=3600 \t , \tpublic "))
stale("5.2", "a quoted string that is not closed", cc('max-age="3600'))
fresh("5.2", "an empty line beside it", cc(""), cc("max-age=3600"))
stale("5.2.2.10", "s-maxage=0, in a shared cache", cc("max-age=3600, s-maxage=0"), kinds=(SHARED,))
fresh("5.2.2.2", "must-revalidate while it is fresh", cc("max-age=3600, must-revalidate"))
fresh("5.2.2.8", "proxy-revalidate while it is fresh", cc("max-age=3600, proxy-revalidate"))
case("5.2.2.2", "must-revalidate: confirmed when it is stale",
     [Answer((cc("max-age=1000, must-revalidate"), ("ETag", '"a"'))), Answer((), 304)],
     reused(900), confirmed(1100, {"If-None-Match": '"a"'}))
case("5.2.2.4", "no-cache beside a time is stored, and confirmed",
     [Answer((cc("no-cache, max-age=3600"), ("Expires", "@3600"), ("ETag", '"a"'))),
      Answer((), 304)], confirmed(10, {"If-None-Match": '"a"'}), confirmed(20))
case("5.2.2.5", "no-store: the older one is not shown again",
     [Answer((cc("max-age=1000"),)), Answer((cc("no-store"),)), Answer((cc("max-age=1000"),))],
     asked(1100), asked(1110), reused(1200))

# --- 5.3: Expires ---

until(1000, "5.3", "Expires", ("Date", "@0"), ("Expires", "@1000"))
until(1000, "5.3", "Expires is counted from Date", ("Date", "@-50"), ("Expires", "@1000"))
until(1000, "5.3", "without a Date from when it came", ("Expires", "@1000"))
stale("5.3", "Expires in the past", ("Date", "@0"), ("Expires", "@-10"))
stale("5.3", "Expires is Date", ("Date", "@0"), ("Expires", "@0"))
until(1000, "RFC 9110 5.6.7", "Expires as RFC 850 has it", ("Date", "@0"), ("Expires", "850@1000"))
until(1000, "RFC 9110 5.6.7", "Expires as asctime() has it", ("Date", "@0"),
      ("Expires", "asctime@1000"))
for what, value in [("2038", "Tue, 19 Jan 2038 14:14:08 GMT"),
                    ("2286", "Sun, 21 Nov 2286 04:46:39 GMT"),
                    ("a year of two digits", "Thursday, 18-Aug-50 02:01:18 GMT"),
                    ("asctime()", "Thu Aug  8 02:01:18 2050"),
                    ("case of the day", "THU, 18 Aug 2050 02:01:18 GMT"),
                    ("case of the month", "Thu, 18 AUG 2050 02:01:18 GMT"),
                    ("case of the zone", "Thu, 18 Aug 2050 02:01:18 gMT")]:
    fresh("4.2", f"Expires in the future: {what}", ("Date", "@0"), ("Expires", value))
for what, value in [("0", "0"), ("-1", "-1"), ("empty", ""),
                    ("UTC", "Thu, 18 Aug 2050 02:01:18 UTC"),
                    ("another zone", "Thu, 18 Aug 2050 02:01:18 AEST"),
                    ("an offset", "Thu, 18 Aug 2050 02:01:18 +0000"),
                    ("two digits", "Thu, 18 Aug 50 02:01:18 GMT"),
                    ("no comma", "Thu 18 Aug 2050 02:01:18 GMT"),
                    ("two spaces", "Thu, 18  Aug  2050 02:01:18 GMT"),
                    ("dashes", "Thu, 18-Aug-2050 02:01:18 GMT"),
                    ("dots", "Thu, 18 Aug 2050 02.01.18 GMT"),
                    ("an hour of one digit", "Thu, 18 Aug 2050 2:01:18 GMT"),
                    ("no such day", "Thu, 31 Feb 2050 02:01:18 GMT"),
                    ("no such hour", "Thu, 18 Aug 2050 25:01:18 GMT"),
                    ("seconds since 1970", "2543191278")]:
    stale("5.3", f"an invalid Expires is in the past: {what}", ("Date", "@0"), ("Expires", value))
until(1000, "5.3", "an invalid Date beside it", ("Date", "yesterday"), ("Expires", "@1000"))
until(1000, "5.3", "of two the first one counts", ("Date", "@0"), ("Expires", "@1000"),
      ("Expires", "@5000"))
stale("5.3", "of two the first one counts, also when it is invalid", ("Date", "@0"),
      ("Expires", "0"), ("Expires", "@5000"))
case("4.2.3", "Age, Expires and a Date that is slow",
     (("Date", "@-100"), ("Expires", "@3600"), ("Age", "2700")), reused(900), asked(1100))
case("4.2.3", "Age, Expires and a Date that is fast",
     (("Date", "@100"), ("Expires", "@3700"), ("Age", "2600")), reused(900), asked(1100))
stale("5.3", "several invalid Expires", ("Expires", "Thu, 18 Aug 2050 2:01:18 GMT"),
      ("Expires", "Thu, 18 Aug 2050 2:01:19 GMT"))

# --- 5.1, 4.2.3: Age ---

AN_HOUR = (("Date", "@0"), cc("max-age=3600"))
case("4.2.3", "Age is added", AN_HOUR + (("Age", "2600"),), reused(900), asked(1100))
case("4.2.3", "apparent age counts if it is more", (("Date", "@-2600"), cc("max-age=3600"),
                                                   ("Age", "10")), reused(900), asked(1100))
case("4.2.3", "a Date in the future is no negative age", (("Date", "@5000"), cc("max-age=1000")),
     reused(900), asked(1100))
stale("4.2.3", "Age beyond max-age", *AN_HOUR, ("Age", "7200"))
stale("5.1", "Age and Expires", ("Date", "@0"), ("Expires", "@3600"), ("Age", "7200"))
for what, value in [("2^31 - 1", "2147483647"), ("2^31", "2147483648"), ("2^31 + 1", "2147483649"),
                    ("2^70", "1180591620717411303424"), ("the first of a list", "7200, 0")]:
    stale("5.1", f"Age: {what}", *AN_HOUR, ("Age", value))
for what, value in [("letters", "abc"), ("negative", "-7200"), ("a fraction", "7200.0"),
                    ("the first of a list", "0, 7200"), ("twice", "0, 0"), ("empty", "")]:
    fresh("5.1", f"Age is ignored: {what}", *AN_HOUR, ("Age", value))
stale("5.1", "the first of two lines: old", *AN_HOUR, ("Age", "7200"), ("Age", "0"))
fresh("5.1", "the first of two lines: new", *AN_HOUR, ("Age", "0"), ("Age", "7200"))

fresh("5.1", "two lines: 0", *AN_HOUR, ("Age", "0"), ("Age", "0"))
fresh("5.1", "two lines that are the same", *AN_HOUR, ("Age", "10"), ("Age", "10"))
fresh("5.1", "Age is ignored: a parameter", *AN_HOUR, ("Age", "7200;foo=bar"))
fresh("5.1", "Age is ignored: a sign", *AN_HOUR, ("Age", "+7200"))
case("4.2.3", "Age without a Date", (cc("max-age=3600"), ("Age", "2600")), reused(900), asked(1100))

# --- 4.2.2: heuristics ---

TENTH = (("Date", "@0"), ("Last-Modified", "@-10000"))
for status in (200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501):
    options = ("negative_ttl=1000s",) if status in (404, 410) else ()
    case("4.2.2", f"a tenth of the time since it was changed: {status}", Answer(TENTH, status),
         reused(900), asked(1100), options=options)
for status in (201, 202, 299, 302, 303, 307, 400, 403, 418, 500, 502, 503, 504, 599):
    case("4.2.2", f"no guess for {status}", Answer(TENTH, status), asked(1), asked(2))
case("4.2.2", "no guess without Last-Modified", (("Date", "@0"),), asked(1))
case("4.2.2", "no guess from the future", (("Date", "@0"), ("Last-Modified", "@5000")), asked(1))
case("4.2.2", "public lets other statuses be guessed", Answer(TENTH + (cc("public"),), 299),
     reused(900), asked(1100))
stale("4.2.2", "no guess beside an explicit time", *TENTH, cc("max-age=0"))

# --- 3: what is stored ---

for status in (200, 201, 202, 203, 204, 299, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405,
               410, 414, 429, 451, 499, 500, 501, 502, 503, 504, 599):
    case("3", f"{status} with explicit freshness", Answer((cc("max-age=1000"),), status),
         reused(1), reused(900), asked(1100))
    case("3", f"{status} with an Expires", Answer((("Date", "@0"), ("Expires", "@1000")), status),
         reused(900), asked(1100))
    case("3", f"{status} and no-store", Answer((cc("no-store, max-age=1000"),), status),
         asked(1), asked(2))
    case("3", f"{status} with max-age=0", Answer((cc("max-age=0"),), status), asked(1), asked(2))
case("RFC 9110 15.2", "what interim responses say does not count",
     Answer((cc("max-age=1000"),), interim=(b"HTTP/1.1 103 Early Hints\r\nCache-Control: no-store"
                                            b"\r\nETag: \"x\"\r\n\r\n",) * 2),
     reused(900), asked(1100, {"If-None-Match": None}))
case("RFC 9110 15.2", "102 before it", Answer((cc("max-age=1000"),),
                                             interim=(b"HTTP/1.1 102 Processing\r\n\r\n",)),
     reused(900), asked(1100))
for framing in ("chunked", "close"):
    case("3.3", f"a body of no known length ({framing})",
         Answer((cc("max-age=1000"),), framing=framing), reused(900), asked(1100))
fresh("3.5", "Authorization and nothing said, in a private cache", cc("max-age=3600"),
      kinds=(PRIVATE,), options=("header=Authorization: x",))
stale("3.5", "Authorization and nothing said, in a shared cache", cc("max-age=3600"),
      kinds=(SHARED,), options=("header=Authorization: x",))
for value in ("public", "must-revalidate", "s-maxage=3600"):
    fresh("3.5", f"Authorization and {value}", cc(f"max-age=3600, {value}"),
          kinds=(SHARED,), options=("header=Authorization: x",))

# --- 4.1, 5.4: Vary and Pragma ---

fresh("4.1", "Vary on what we always send", cc("max-age=3600"), ("Vary", "Accept, X-Other"))
stale("4.1", "Vary: *", cc("max-age=3600"), ("Vary", "*"))
stale("4.1", "Vary: * in a list", cc("max-age=3600"), ("Vary", "Accept, *"))
stale("4.1", "Vary: * first in a list", cc("max-age=3600"), ("Vary", "*, Accept"))
stale("4.1", "Vary: * in another line", cc("max-age=3600"), ("Vary", "Accept"), ("Vary", "*"))
stale("4.1", "Vary: * twice", cc("max-age=3600"), ("Vary", "*, *"))
stale("4.1", "Vary: * in two lines", cc("max-age=3600"), ("Vary", "*"), ("Vary", "*"))
stale("4.1", "Vary: * behind an empty element", cc("max-age=3600"), ("Vary", ", *"))
stale("4.1", "Vary: * behind an empty line", cc("max-age=3600"), ("Vary", ""), ("Vary", "*"))
fresh("4.1", "Vary on a name that only begins like *", cc("max-age=3600"), ("Vary", "*foo"))
fresh("4.1", "an empty Vary", cc("max-age=3600"), ("Vary", ""))
fresh("5.4", "Pragma is nothing in a response", cc("max-age=3600"), ("Pragma", "no-cache"))
case("5.4", "Pragma does not forbid to guess", TENTH + (("Pragma", "no-cache"),), reused(900),
     asked(1100))
fresh("5.4", "nor is another Pragma", cc("max-age=3600"), ("Pragma", "foo"))
fresh("3", "Set-Cookie does not forbid it", cc("max-age=3600"), ("Set-Cookie", "a=b"))
fresh("3", "nor does Content-Disposition", cc("max-age=3600"),
      ("Content-Disposition", "attachment; filename=a"))
case("4.2.2", "nor does Content-Disposition forbid to guess",
     TENTH + (("Content-Disposition", "attachment"),), reused(900), asked(1100))
fresh("3.1", "Connection does not hide Cache-Control", cc("max-age=3600"),
      ("Connection", "cache-control"))
case("3.1", "what Connection names is not stored",
     (cc("max-age=1000"), ("Connection", "ETag"), ("ETag", '"a"')),
     asked(1100, {"If-None-Match": None}))
fresh("5.5", "Warning is nothing", cc("max-age=3600"), ("Warning", '110 - "stale"'))

# --- 4.3: validation ---

LM = "Sun, 06 Nov 1994 08:49:37 GMT"
for what, tag in [("strong", '"abc"'), ("weak", 'W/"abc"'), ("not quoted", "abc"),
                  ("a lower-case w", 'w/"abc"'), ("a comma in it", '"a,b"'),
                  ("empty", '""'), ("other bytes", '"abc\xfc"')]:
    case("4.3.1", f"ETag as it came: {what}",
         [Answer((cc("max-age=1000"), ("ETag", tag))),
          Answer((cc("max-age=1000"), ("ETag", tag)), 304)],
         confirmed(1100, {"If-None-Match": tag}), reused(2000),
         confirmed(2200, {"If-None-Match": tag}))
case("4.3.1", "Last-Modified alone",
     [Answer((cc("max-age=1000"), ("Last-Modified", LM))), Answer((cc("max-age=1000"),), 304)],
     confirmed(1100, {"If-Modified-Since": LM, "If-None-Match": None}))
case("4.3.1", "both validators",
     [Answer((cc("max-age=1000"), ("Last-Modified", LM), ("ETag", '"a"'))),
      Answer((cc("max-age=1000"),), 304)],
     confirmed(1100, {"If-Modified-Since": LM, "If-None-Match": '"a"'}))
case("4.3.1", "without a validator it is asked for anew", (cc("max-age=1000"),),
     asked(1100, {"If-Modified-Since": None, "If-None-Match": None}))
case("4.3.3", "200 to a condition: the new one replaces it",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((cc("max-age=1000"), ("ETag", '"b"')))],
     asked(1100, {"If-None-Match": '"a"'}), reused(2000), asked(2200, {"If-None-Match": '"b"'}))
case("4.3.3", "200 without a validator: the old one is forgotten",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((cc("max-age=1000"),))],
     asked(1100, {"If-None-Match": '"a"'}), asked(2200, {"If-None-Match": None}))
case("4.3.3", "no-store to a condition: the new one is shown and not kept",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((cc("no-store"), ("ETag", '"b"')))],
     asked(1100, {"If-None-Match": '"a"'}), asked(1200))
case("4.3.3", "5xx to a condition is shown if stale may not be, and takes no validator away",
     [Answer((cc("max-age=1000, must-revalidate"), ("ETag", '"a"'))),
      Answer((cc("max-age=1000"),), 500)],
     asked(1100, {"If-None-Match": '"a"'}), asked(1200, {"If-None-Match": '"a"'}))
case("4.3.3", "404 to a condition",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((), 404)],
     asked(1100, {"If-None-Match": '"a"'}))
case("4.3.4", "304 sets a new time to live",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((cc("max-age=3000"),), 304)],
     confirmed(1100), reused(4000), confirmed(4200))
case("4.3.4", "304 that says nothing: as it was said before",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((), 304)],
     confirmed(1100), reused(2000), confirmed(2200))
case("4.3.4", "304 sets a new Expires",
     [Answer((("Date", "@0"), ("Expires", "@1000"), ("ETag", '"a"'))),
      Answer((("Date", "@0"), ("Expires", "@1000")), 304)],
     confirmed(1100), reused(2000), confirmed(2200))
case("4.3.4", "304 with an Age",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((("Age", "500"),), 304)],
     confirmed(1100), reused(1550), confirmed(1650))
case("4.3.4", "the Age before does not count after a 304 that has none",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'), ("Age", "500"))), Answer((), 304)],
     reused(450), confirmed(550), reused(1500), confirmed(1600))
case("4.3.4", "304 with no-store: not reused",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((cc("no-store"),), 304)],
     confirmed(1100), Step(1200, "asked or confirmed"))
case("4.3.4", "304 updates Content-Type",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'), ("Content-Type", "text/plain"))),
      Answer((("Content-Type", "text/html"),), 304)],
     reused(10, mime_type="text/plain"), confirmed(1100, mime_type="text/html"))
case("4.3.4", "304 keeps the fields that it does not have",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'), ("Content-Type", "text/plain"))),
      Answer((), 304)],
     confirmed(1100, mime_type="text/plain"), reused(1200, mime_type="text/plain"))
case("3.2", "304 does not update Content-Length",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((("Content-Length", "99"),), 304)],
     confirmed(1100), reused(1200))
case("3.2", "304 does not update Content-Encoding",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((("Content-Encoding", "gzip"),), 304)],
     confirmed(1100), reused(1200))
case("4.3.4", "304 updates Last-Modified, which is sent then",
     [Answer((cc("max-age=1000"), ("Last-Modified", LM))),
      Answer((("Last-Modified", "Sun, 06 Nov 1994 08:49:38 GMT"),), 304)],
     confirmed(1100, {"If-Modified-Since": LM}),
     confirmed(2200, {"If-Modified-Since": "Sun, 06 Nov 1994 08:49:38 GMT"}))
case("4.3.4", "304 keeps the validators that it does not have",
     [Answer((cc("max-age=1000"), ("Last-Modified", LM), ("ETag", '"a"'))), Answer((), 304)],
     confirmed(1100), confirmed(2200, {"If-None-Match": '"a"', "If-Modified-Since": LM}))
case("4.3.4", "304 takes a time to live away that it replaces",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((cc("public"),), 304)],
     confirmed(1100), confirmed(1110))
case("4.3.4", "304 brings must-revalidate",
     [Answer((cc("max-age=1000, stale-if-error=5000"), ("ETag", '"a"'))),
      Answer((cc("max-age=1000, must-revalidate, stale-if-error=5000"),), 304),
      Answer((), 500)], confirmed(1100), asked(2200))
case("4.3.4", "304 with Vary: *: not reused",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((("Vary", "*"),), 304)],
     confirmed(1100), Step(1200, "asked or confirmed"))
for field, value in (("Content-Range", "bytes 0-0/5"), ("Connection", "close")):
    case("3.2", f"304 with {field} changes nothing of the body",
         [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer(((field, value),), 304)],
         confirmed(1100), reused(1200))
case("4.3.4", "304 with the same tag, strong for weak",
     [Answer((cc("max-age=1000"), ("ETag", 'W/"a"'))), Answer((("ETag", '"a"'),), 304)],
     confirmed(1100), reused(1200))
case("4.3.4", "304 with the same tag, weak",
     [Answer((cc("max-age=1000"), ("ETag", 'W/"a"'))), Answer((("ETag", 'W/"a"'),), 304)],
     confirmed(1100), reused(1200))
case("4.3.4", "304 about another tag confirms nothing: asked again without a condition",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((("ETag", '"b"'),), 304),
      Answer((cc("max-age=1000"), ("ETag", '"c"')))],
     Step(1100, "asked twice", {"If-None-Match": None}), reused(1200))
case("4.3.1", "what is not there is asked for without a condition",
     [Answer((cc("max-age=1000"), ("ETag", '"a"')), 404), Answer((cc("max-age=1000"),))],
     asked(1100, {"If-None-Match": None}), reused(1200))

# --- 4.2.4, RFC 5861: stale ---

SIE = ("stale_if_error=1000s",)
ERRORS = (500, 502, 503, 504)
for status in ERRORS:
    case("RFC 5861 4", f"stale-if-error: {status}",
         [Answer((cc("max-age=1000, stale-if-error=1000"),)), Answer((), status)],
         stood_in(1100), stood_in(1900), asked(2100))
    case("4.2.4", f"stale_if_error when nothing is said: {status}",
         [Answer((cc("max-age=1000"),)), Answer((), status)], stood_in(1100), asked(2100),
         options=SIE)
for status in (400, 403, 404, 410):
    case("RFC 5861 4", f"stale-if-error does not hide {status}",
         [Answer((cc("max-age=1000, stale-if-error=1000"),)), Answer((), status)], asked(1100))
for value in ("must-revalidate", "no-cache"):
    case("5.2.2.2", f"{value} forbids to stand in",
         [Answer((cc(f"max-age=1000, {value}, stale-if-error=1000"),)), Answer((), 500)],
         asked(1100), options=SIE)
for value in ("proxy-revalidate", "s-maxage=1000"):
    case("5.2.2.8", f"{value} forbids it to a shared cache",
         [Answer((cc(f"max-age=1000, {value}"),)), Answer((), 500)],
         asked(1100), kinds=(SHARED,), options=SIE)
    case("5.2.2.8", f"{value} is nothing to a private cache",
         [Answer((cc(f"max-age=1000, {value}"),)), Answer((), 500)],
         stood_in(1100), kinds=(PRIVATE,), options=SIE)
case("RFC 5861 4", "stale-if-error=0 forbids it",
     [Answer((cc("max-age=1000, stale-if-error=0"),)), Answer((), 500)], asked(1100), options=SIE)
case("RFC 5861 3", "stale-while-revalidate",
     [Answer((cc("max-age=1000, stale-while-revalidate=1000"), ("ETag", '"a"'))),
      Answer((cc("max-age=1000"),), 304)], behind(1500), reused(2400))
case("RFC 5861 3", "not after its time",
     [Answer((cc("max-age=1000, stale-while-revalidate=1000"),))], asked(2100))
case("RFC 5861 3", "stale-while-revalidate when the origin fails",
     [Answer((cc("max-age=1000, stale-while-revalidate=1000"),)), Answer((), 500)],
     behind(1500), behind(1600))
case("5.2.2.2", "must-revalidate forbids stale-while-revalidate",
     [Answer((cc("max-age=1000, stale-while-revalidate=1000, must-revalidate"),))], asked(1500))

case("RFC 5861 4", "stale-if-error: an answer that is cut",
     [Answer((cc("max-age=1000, stale-if-error=1000"),)), Answer((), body=b"0123456789", cut=0,
                                                                 framing="chunked")],
     stood_in(1100), stood_in(1900))
case("4.2.4", "must-revalidate: an answer that is cut is an error",
     [Answer((cc("max-age=1000, must-revalidate"),)), Answer((), body=b"0123456789", cut=0,
                                                            framing="chunked")],
     asked(1100), options=SIE)
case("RFC 5861 4", "stale-if-error of the failing response does not count",
     [Answer((cc("max-age=1000"),)), Answer((cc("stale-if-error=5000"),), 500)], asked(1100))
case("RFC 5861 3", "an invalid stale-while-revalidate is none",
     [Answer((cc("max-age=1000, stale-while-revalidate=a"),))], asked(1500))
case("RFC 5861 3", "it may be quoted",
     [Answer((cc('max-age=1000, stale-while-revalidate="1000"'),))], behind(1500))
case("RFC 5861 3", "no-cache forbids stale-while-revalidate",
     [Answer((cc("max-age=1000, stale-while-revalidate=1000, no-cache"),))], asked(10))
case("RFC 5861 3", "s-maxage forbids stale-while-revalidate to a shared cache",
     [Answer((cc("max-age=1000, s-maxage=1000, stale-while-revalidate=1000"),))],
     asked(1500), kinds=(SHARED,))
case("RFC 5861 3", "and not to a private one",
     [Answer((cc("max-age=1000, s-maxage=1000, stale-while-revalidate=1000"),))],
     behind(1500), kinds=(PRIVATE,))

# --- refresh_ahead: our own, within 4.2 ---

AHEAD = ("refresh_ahead=80%",)
case("4.2", "refresh_ahead: confirmed behind before it is stale",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((cc("max-age=1000"),), 304)],
     reused(750), behind(850), reused(1050), reused(1600), behind(1700), reused(2400),
     options=AHEAD)
case("4.2", "refresh_ahead: who comes too late waits",
     [Answer((cc("max-age=1000"), ("ETag", '"a"'))), Answer((cc("max-age=1000"),), 304)],
     confirmed(1100), options=AHEAD)
case("4.2", "refresh_ahead: the origin fails behind, and nobody sees it",
     [Answer((cc("max-age=1000"),)), Answer((), 500)], behind(850), behind(900), asked(1100),
     options=AHEAD)
case("4.2", "refresh_ahead: not before an origin wants it",
     [Answer((cc("max-age=1000"),)), Answer((("Retry-After", "60"),), 503)], behind(850),
     reused(880), reused(905), behind(920), options=AHEAD)
case("RFC 8246 2", "refresh_ahead: not for what is immutable",
     [Answer((cc("max-age=1000, immutable"),))], reused(850), asked(1100), options=AHEAD)

# --- RFC 8246 ---

until(1000, "RFC 8246 2", "immutable is no time to live", cc("max-age=1000, immutable"))
stale("RFC 8246 2", "immutable alone", cc("immutable"))

until(1000, "RFC 8246 2", "immutable with an argument", cc("max-age=1000, immutable=1"))
case("RFC 8246 2", "immutable: confirmed when it is stale",
     [Answer((cc("max-age=1000, immutable"), ("ETag", '"a"'))), Answer((), 304)],
     reused(900), confirmed(1100, {"If-None-Match": '"a"'}))

# --- RFC 9213 ---

for what, value in [("max-age", "max-age=3600"), ("2^31", "max-age=2147483648"),
                    ("more", "max-age=99999999999"), ("what is not known", "foobar, max-age=3600")]:
    fresh("RFC 9213 2.2", f"targeted: {what}", ("CDN-Cache-Control", value), options=CDN)
fresh("RFC 9213 2.2", "targeted counts before Cache-Control", cc("no-store"),
      ("CDN-Cache-Control", "max-age=3600"), options=CDN)
until(1000, "RFC 9213 2.2", "also when it is shorter", cc("max-age=5000"),
      ("CDN-Cache-Control", "max-age=1000"), options=CDN)
fresh("RFC 9213 2.2", "targeted counts before Expires", ("Expires", "0"),
      ("CDN-Cache-Control", "max-age=3600"), options=CDN)
stale("RFC 9213 2.2", "targeted max-age=0", ("CDN-Cache-Control", "max-age=0"),
      ("Expires", "@5000"), options=CDN)
stale("RFC 9213 2.2", "targeted no-store", cc("max-age=3600"), ("CDN-Cache-Control", "no-store"),
      options=CDN)
stale("RFC 9213 2.2", "targeted no-cache", cc("max-age=3600"), ("CDN-Cache-Control", "no-cache"),
      options=CDN)
stale("RFC 9213 2.2", "targeted private", cc("max-age=3600"), ("CDN-Cache-Control", "private"),
      options=CDN, kinds=(SHARED,))
stale("RFC 9213 2.2", "Age counts", ("Date", "@0"), ("CDN-Cache-Control", "max-age=3600"),
      ("Age", "7200"), options=CDN)
for what, value in [("no type", "max-age=3600, &&&&"), ("another type", 'max-age="3600"'),
                    ("a space before the sign of equality", "max-age =3600"),
                    ("a space behind it", "max-age= 3600"), ("a comma at the end", "max-age=3600,"),
                    ("a decimal", "max-age=3600.0"), ("empty", "")]:
    stale("RFC 9213 2.1", f"an invalid targeted field is ignored: {what}",
          ("CDN-Cache-Control", value), cc("no-store"), options=CDN)
stale("RFC 9213 2.2", "not ours unless it is in the list", cc("no-store"),
      ("CDN-Cache-Control", "max-age=3600"))
fresh("RFC 9213 2.2", "targeted counts before a no-cache", cc("no-cache"),
      ("CDN-Cache-Control", "max-age=3600"), options=CDN)
stale("RFC 9213 2.2", "targeted no-cache and max-age", cc("max-age=3600"),
      ("CDN-Cache-Control", "max-age=3600, no-cache"), options=CDN)
stale("RFC 9213 2.1", "upper case is no key: ignored", ("CDN-Cache-Control", "MaX-aGe=3600"),
      cc("no-store"), options=CDN)
fresh("RFC 9213 2.1", "several lines are one dictionary", cc("no-store"),
      ("CDN-Cache-Control", "max-age=3600"), ("CDN-Cache-Control", "must-revalidate"), options=CDN)
until(1000, "RFC 9213 2.1", "of two the last one counts, as dictionaries have it",
      ("CDN-Cache-Control", "max-age=5000, max-age=1000"), options=CDN)
fresh("RFC 9213 2.1", "parameters are ignored", cc("no-store"),
      ("CDN-Cache-Control", "max-age=3600;foo=bar"), options=CDN)
stale("RFC 9213 2.2", "Expires does not count beside a targeted field without a time",
      ("CDN-Cache-Control", "must-revalidate"), ("Expires", "@5000"), options=CDN)
case("RFC 9213 2.2", "targeted must-revalidate forbids to stand in",
     [Answer((("CDN-Cache-Control", "max-age=1000, must-revalidate"),)), Answer((), 500)],
     asked(1100), options=CDN + SIE)
case("RFC 9213 2.2", "targeted stale-if-error",
     [Answer((("CDN-Cache-Control", "max-age=1000, stale-if-error=1000"),
              cc("max-age=1, must-revalidate"))), Answer((), 500)],
     stood_in(1100), asked(2100), options=CDN)
fresh("RFC 9213 2.2", "the first one of the list that is there", cc("no-store"),
      ("CDN-Cache-Control", "max-age=0"), ("My-Cache-Control", "max-age=3600"),
      options=("targeted=My-Cache-Control:CDN-Cache-Control",))
fresh("RFC 9213 2.2", "the next one of the list when that is invalid", cc("no-store"),
      ("CDN-Cache-Control", "max-age=3600"), ("My-Cache-Control", "&&&"),
      options=("targeted=My-Cache-Control:CDN-Cache-Control",))
