"""What an origin can do wrong, in a table: each row says what it does, what a reader gets
for it, and which counters tell of it. mount/test_fault_matrix.py plays them."""
import dataclasses
import errno
import gzip
import re

from origin import FRESH, Hang, Raw, Reset, Response, http_date, noise, redirect

READERS = 3  # of each row, at the same time
SMALL, LARGE, OTHER = b"all of it", noise(300_000, 1), noise(300_000, 2)
CUT = 100_000
OK = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclasses.dataclass
class Row:
    what: str
    answer: object  # a Response, a Raw, its steps, or answer(request, how often asked before)
    shown: object  # the errno, or the bytes
    counters: dict = dataclasses.field(default_factory=dict)  # at least so much more
    options: tuple = ()
    requests: int = None  # of the first reader, if all is over then

    def __str__(self):
        return self.what


ROWS = []


def row(what, answer, shown, *options, requests=None, **counters):
    ROWS.append(Row(what, answer, shown, counters, options, requests))


def raw(*steps):
    return Raw(*steps)


def then(*answers):
    """One after the other; the last one stays."""
    return lambda request, before: answers[min(before, len(answers) - 1)]


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def span(start, end, length=len(LARGE)):
    return ("Content-Range", f"bytes {start}-{end - 1}/{length}")


def first_byte(request):
    match = re.match(r"bytes=(\d+)-", request.headers.get("range", ""))
    return int(match[1]) if match else 0


def cut_once(rest, *validators, **kwargs):
    """A body that is cut, for who asks for all of it, now or later; rest(request, first
    byte) answers who asks for the rest."""
    headers = FRESH + (("Accept-Ranges", "bytes"),) + validators

    def answer(request, before):
        if before == 0 or "range" not in request.headers:
            return Response(LARGE, headers=headers, cut=CUT, **kwargs)
        return rest(request, first_byte(request))
    return answer


TAG, OTHER_TAG = ("ETag", '"1"'), ("ETag", '"2"')
WHEN = ("Last-Modified", http_date(1_600_000_000))
RETRY = ("retries=2",)
ZIPPED = gzip.compress(LARGE, 1)

# --- bodies that end too early, or never ---

row("cut, with Content-Length", Response(LARGE, headers=FRESH, cut=CUT), errno.EIO,
    failed_broken=1)
row("cut at once, with Content-Length", Response(LARGE, headers=FRESH, cut=0), errno.EIO,
    failed_broken=1)
row("cut by a reset, with Content-Length", Response(LARGE, headers=FRESH, cut=CUT, reset=True),
    errno.EIO, failed_broken=1)
row("cut, small", raw(OK + b"Content-Length: 10\r\n\r\nabc"), errno.EIO, failed_broken=1)
row("cut, chunked", Response(LARGE, headers=FRESH, cut=CUT, framing="chunked"), errno.EIO,
    failed_broken=1, requests=1)
row("cut, chunked and compressed", Response(LARGE, headers=FRESH, cut=CUT, framing="chunked",
                                            gzip=True), errno.EIO, failed_broken=1)
row("cut, compressed, with Content-Length", Response(LARGE, headers=FRESH, cut=CUT, gzip=True),
    errno.EIO, failed_broken=1)
row("half a stream of gzip in a whole body",
    Response(ZIPPED[:CUT], headers=FRESH + (("Content-Encoding", "gzip"),)), errno.EIO,
    failed_broken=1)
row("cut, chunked, then whole", then(Response(LARGE, headers=FRESH, cut=CUT, framing="chunked"),
                                     Response(LARGE, headers=FRESH, framing="chunked")),
    LARGE, *RETRY, retries=1, requests=2)
row("cut, chunked, then whole and another one",
    then(Response(OTHER, headers=FRESH, cut=CUT, framing="chunked"),
         Response(LARGE, headers=FRESH, framing="chunked")), LARGE, *RETRY, retries=1, requests=2)
row("cut, compressed, then whole", then(Response(LARGE, headers=FRESH, cut=CUT, gzip=True),
                                        Response(LARGE, headers=FRESH, gzip=True)),
    LARGE, *RETRY, retries=1, requests=2)
row("cut, chunked, then with a length", then(Response(OTHER, headers=FRESH, cut=CUT,
                                                      framing="chunked"),
                                             Response(SMALL, headers=FRESH)), SMALL, *RETRY,
    retries=1, requests=2)
row("cut, chunked, then gone", then(Response(LARGE, headers=FRESH, cut=CUT, framing="chunked"),
                                    Response(status=404)), errno.ENOENT, *RETRY, retries=1)
row("cut, chunked, each time", Response(LARGE, headers=FRESH, cut=CUT, framing="chunked"),
    errno.EIO, *RETRY, retries=2, failed_broken=1)
row("a body that never ends", raw(CHUNKED, *[chunk(noise(65536))] * 40, Hang()), errno.EFBIG,
    "max_object=1M", failed_too_large=1)
row("a length beyond max_object", Response(noise((1 << 20) + 1), headers=FRESH), errno.EFBIG,
    "max_object=1M", failed_too_large=1)
row("a compressed body beyond max_object", Response(bytes(2 << 20), headers=FRESH, gzip=True),
    errno.EFBIG, "max_object=1M", failed_too_large=1)

# --- taken up again after a cut ---

row("cut, and the rest comes", cut_once(
    lambda request, at: Response(LARGE[at:], status=206,
                                 headers=FRESH + (span(at, len(LARGE)), TAG)), TAG),
    LARGE, *RETRY, resumed=1, upstream_ranges=1)
row("cut twice, and the rest comes", then(
    Response(LARGE, headers=FRESH + (TAG,), ranges=True, etag='"1"', cut=CUT),
    Response(LARGE, headers=FRESH, ranges=True, etag='"1"', cut=CUT),
    Response(LARGE, headers=FRESH, ranges=True, etag='"1"')), LARGE, *RETRY, resumed=1)
row("cut, and another tag then", cut_once(
    lambda request, at: Response(OTHER[at:], status=206,
                                 headers=FRESH + (span(at, len(OTHER)), OTHER_TAG)), TAG),
    {errno.ESTALE, errno.EIO}, *RETRY, changed=1)
row("cut, and 200 with another tag", cut_once(
    lambda request, at: Response(OTHER, headers=FRESH + (OTHER_TAG,)), TAG),
    {errno.ESTALE, errno.EIO, OTHER}, *RETRY, changed=1)
row("cut, and 200 with the same tag", cut_once(
    lambda request, at: Response(LARGE, headers=FRESH + (TAG,)), TAG), LARGE, *RETRY, resumed=1)
row("cut, and another time then", cut_once(
    lambda request, at: Response(OTHER[at:], status=206, headers=FRESH + (
        span(at, len(OTHER)), ("Last-Modified", http_date(1_600_000_060)))), WHEN),
    {errno.ESTALE, errno.EIO}, *RETRY, changed=1)
row("cut, and a part that begins elsewhere", cut_once(
    lambda request, at: Response(LARGE[at + 1:], status=206, headers=FRESH + (
        span(at + 1, len(LARGE)), TAG)), TAG), errno.EIO, *RETRY)
row("cut, and a part of another length", cut_once(
    lambda request, at: Response(LARGE[at:], status=206, headers=FRESH + (
        span(at, len(LARGE), len(LARGE) + 1), TAG)), TAG), {errno.EIO, errno.ESTALE}, *RETRY)
row("cut, and 206 without Content-Range", cut_once(
    lambda request, at: Response(LARGE[at:], status=206, headers=FRESH + (TAG,)), TAG),
    errno.EIO, *RETRY, failed_broken=1)
row("cut, and a Content-Range that is none", cut_once(
    lambda request, at: Response(LARGE[at:], status=206, headers=FRESH + (
        TAG, ("Content-Range", "bytes from there on"))), TAG), errno.EIO, *RETRY, failed_broken=1)
row("cut, and 206 with less in it than it says", cut_once(
    lambda request, at: Response(LARGE[at:at + 1000], status=206, close=True, headers=FRESH + (
        span(at, len(LARGE)), TAG)), TAG), errno.EIO, *RETRY)
row("cut, and multipart/byteranges", cut_once(
    lambda request, at: Response(
        b"--x\r\nContent-Range: bytes %d-%d/%d\r\n\r\n" % (at, len(LARGE) - 1, len(LARGE)) +
        LARGE[at:] + b"\r\n--x--\r\n", status=206, headers=FRESH + (TAG, (
            "Content-Type", "multipart/byteranges; boundary=x"))), TAG), errno.EIO, *RETRY,
    failed_broken=1)
row("cut, and 416", cut_once(
    lambda request, at: Response(status=416, headers=(("Content-Range", "bytes */5"),)), TAG),
    {errno.ESTALE, errno.EIO}, *RETRY, changed=1)
row("cut, and 404", cut_once(lambda request, at: Response(status=404), TAG),
    {errno.ESTALE, errno.EIO}, *RETRY, changed=1)
row("cut, and 500 each time", cut_once(lambda request, at: Response(status=500), TAG), errno.EIO,
    *RETRY, failed_status=1)
row("cut, and the rest is compressed", cut_once(
    lambda request, at: Response(gzip.compress(LARGE[at:]), status=206, headers=FRESH + (
        span(at, len(LARGE)), TAG, ("Content-Encoding", "gzip"))), TAG), errno.EIO, *RETRY)

# --- lengths ---

row("less than Content-Length", Response(SMALL, length=len(SMALL) + 5, headers=FRESH, close=True),
    errno.EIO, failed_broken=1)
row("more than Content-Length", raw(OK + b"Content-Length: 9\r\n\r\n" + SMALL + b" and more"),
    SMALL)
row("a second answer behind the first",
    raw(OK + b"Content-Length: 9\r\n\r\n" + SMALL + OK + b"Content-Length: 5\r\n\r\nwrong"), SMALL)
row("Content-Length is no number", raw(OK + b"Content-Length: nine\r\n\r\n" + SMALL), errno.EIO,
    failed_broken=1)
row("Content-Length is negative", raw(OK + b"Content-Length: -9\r\n\r\n" + SMALL), errno.EIO,
    failed_broken=1)
row("Content-Length beyond 64 bits",
    raw(OK + b"Content-Length: 99999999999999999999\r\n\r\n" + SMALL), errno.EIO, failed_broken=1)
row("two lengths that differ",
    raw(OK + b"Content-Length: 9\r\nContent-Length: 12\r\n\r\n" + SMALL + b"123"), errno.EIO,
    failed_broken=1)
row("two lengths that are the same",
    raw(OK + b"Content-Length: 9\r\nContent-Length: 9\r\n\r\n" + SMALL), SMALL)
row("a length that is wrong, and chunks", raw(
    OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(SMALL) +
    b"0\r\n\r\n"), SMALL)
row("206 to a plain GET", Response(SMALL, status=206, headers=FRESH + (
    ("Content-Range", "bytes 0-8/100"),)), errno.EIO, failed_broken=1)
row("multipart/byteranges to a plain GET", Response(SMALL, status=206, headers=FRESH + (
    ("Content-Type", "multipart/byteranges; boundary=x"),)), errno.EIO, failed_broken=1)
row("304 to a plain GET", Response(status=304), errno.EIO, failed_broken=1)
row("416 to a plain GET", Response(status=416), errno.EACCES, failed_status=1)

# --- chunks ---

row("a chunk size that is none", raw(CHUNKED + b"zz\r\nab\r\n0\r\n\r\n"), errno.EIO,
    failed_broken=1)
row("a chunk size beyond 64 bits", raw(CHUNKED + b"ffffffffffffffffff\r\nab\r\n0\r\n\r\n"),
    errno.EIO, failed_broken=1)
row("a negative chunk size", raw(CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n"), errno.EIO, failed_broken=1)
row("a chunk longer than it says", raw(CHUNKED + b"3\r\nabcdefgh\r\n0\r\n\r\n"), errno.EIO,
    failed_broken=1)
row("half a chunk", raw(CHUNKED + b"9\r\nall"), errno.EIO, failed_broken=1)
row("no last chunk", raw(CHUNKED + chunk(SMALL)), errno.EIO, failed_broken=1)
row("half a last chunk", raw(CHUNKED + chunk(SMALL) + b"0\r\n"), errno.EIO, failed_broken=1)
row("extensions of chunks", raw(CHUNKED + b'9;a=b;c="d"\r\n' + SMALL + b"\r\n0;x\r\n\r\n"), SMALL)
row("trailers", raw(CHUNKED + chunk(SMALL) + b"0\r\nCache-Control: no-store\r\nETag: \"x\"\r\n"
                    b"Content-Length: 3\r\n\r\n"), SMALL)
row("a body behind the last chunk", raw(CHUNKED + chunk(SMALL) + b"0\r\n\r\nand more"), SMALL)
row("a transfer coding that nobody knows", raw(
    OK + b"Transfer-Encoding: magic\r\n\r\n" + SMALL), errno.EIO, failed_broken=1)

# --- headers ---

row("endless headers", raw(
    OK, *[b"".join(b"X-%d-%d: %s\r\n" % (n, i, b"y" * 100) for i in range(100))
          for n in range(200)], Hang()), errno.EIO, failed_broken=1)
row("an endless header line", raw(OK + b"X: ", *[b"y" * 65536] * 20, Hang()), errno.EIO,
    failed_broken=1)
row("too many headers", raw(OK + b"X: y\r\n" * 5000 + b"Content-Length: 9\r\n\r\n" + SMALL),
    errno.EIO, failed_broken=1)
row("half a header line", raw(OK + b"Content-Le"), errno.EIO, failed_broken=1)
row("no end of headers", raw(OK + b"X: y\r\n"), errno.EIO, failed_broken=1)
row("interim answers", Response(SMALL, headers=FRESH, interim=(
    b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nContent-Length: 3\r\n\r\n")), SMALL)
row("interim answers and then nothing", raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3), errno.EIO,
    failed_broken=1)
row("endless interim answers", raw(*[b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 100] * 1000,
                                   Hang()), errno.EIO, failed_broken=1)
row("101 without being asked", raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"
                                   + SMALL), errno.EIO, failed_broken=1)
row("a coding of the body that nobody knows", Response(
    SMALL, headers=FRESH + (("Content-Encoding", "magic"),)), errno.EIO, failed_broken=1)
row("gzip that is none", Response(SMALL, headers=FRESH + (("Content-Encoding", "gzip"),)),
    errno.EIO, failed_broken=1)
row("something behind gzip", Response(
    gzip.compress(SMALL) + b"and more", headers=FRESH + (("Content-Encoding", "gzip"),)),
    {SMALL, errno.EIO})
row("NUL in a header", raw(OK + b"X: a\0b\r\nContent-Length: 9\r\n\r\n" + SMALL),
    {SMALL, errno.EIO})

# --- no HTTP ---

row("garbage", raw(b"\0\1\2\3" * 1000), errno.EIO, failed_broken=1)
row("nothing", raw(), errno.EIO, failed_broken=1)
row("a reset", raw(Reset()), errno.EIO, failed_broken=1)
row("nothing, then something", then(raw(), Response(SMALL, headers=FRESH)), SMALL, *RETRY,
    retries=1, requests=2)
row("HTTP/0.9", raw(b"<html>as it was in 1991</html>\n"), errno.EIO, failed_broken=1)
row("another protocol", raw(b"SSH-2.0-OpenSSH_9.2\r\n"), errno.EIO, failed_broken=1)
row("HTTP/3.7", raw(b"HTTP/3.7 200 OK\r\nContent-Length: 9\r\n\r\n" + SMALL), errno.EIO,
    failed_broken=1)
row("half a status line", raw(b"HTTP/1.1 2"), errno.EIO, failed_broken=1)
row("a status of two digits", raw(b"HTTP/1.1 20 OK\r\nContent-Length: 9\r\n\r\n" + SMALL),
    errno.EIO, failed_broken=1)
row("status 999", raw(b"HTTP/1.1 999 Odd\r\nContent-Length: 9\r\n\r\n" + SMALL), errno.EIO,
    failed_status=1)
row("status 000", raw(b"HTTP/1.1 000 Odd\r\nContent-Length: 9\r\n\r\n" + SMALL), errno.EIO)
row("HTTP/1.0", raw(b"HTTP/1.0 200 OK\r\nCache-Control: max-age=60\r\n\r\n" + SMALL), SMALL)

# --- statuses ---

for status, code, counter in [
        (404, errno.ENOENT, None), (410, errno.ENOENT, None),
        (401, errno.EACCES, "failed_status"), (403, errno.EACCES, "failed_status"),
        (451, errno.EACCES, "failed_status"), (408, errno.ETIMEDOUT, "failed_status"),
        (504, errno.ETIMEDOUT, "failed_status"), (500, errno.EIO, "failed_status"),
        (501, errno.EIO, "failed_status"), (502, errno.EIO, "failed_status"),
        (505, errno.EIO, "failed_status"), (599, errno.EIO, "failed_status"),
        (429, errno.EBUSY, "failed_busy"), (503, errno.EBUSY, "failed_busy")]:
    row(f"{status}", Response(b"an explanation", status), code, requests=1,
        **{counter: 1} if counter else {})
row("500 with a body that is cut", Response(LARGE, 500, cut=CUT), errno.EIO, failed_status=1)
row("500 with an endless body", raw(b"HTTP/1.1 500 Odd\r\nTransfer-Encoding: chunked\r\n\r\n",
                                    *[chunk(noise(65536))] * 40, Hang()), errno.EIO,
    failed_status=1)
row("404 with a body that is cut", Response(LARGE, 404, cut=CUT), errno.ENOENT)
for status in (500, 502, 503):
    row(f"{status}, then something", then(Response(b"no", status), Response(SMALL, headers=FRESH)),
        SMALL, *RETRY, retries=1, requests=2)


def busy(status, after):
    return Response(b"later", status, headers=(("Retry-After", after),))


for status in (429, 503):
    row(f"{status} with Retry-After in seconds", busy(status, "30"), errno.EBUSY, failed_busy=1,
        held=READERS - 1, requests=1)
    row(f"{status} with Retry-After beyond a minute", busy(status, "7200"), errno.EBUSY,
        *RETRY, failed_busy=1, held=READERS - 1, requests=1)
    row(f"{status} with Retry-After in the past",
        then(busy(status, http_date(1_000_000_000)), Response(SMALL, headers=FRESH)), SMALL,
        *RETRY, retries=1, requests=2)
    row(f"{status} with Retry-After that is far away", busy(status, http_date(4_000_000_000)),
        errno.EBUSY, *RETRY, failed_busy=1, held=READERS - 1, requests=1)
    row(f"{status} with Retry-After in a second", then(busy(status, "1"),
                                                       Response(SMALL, headers=FRESH)), SMALL,
        *RETRY, retries=1, requests=2)
    row(f"{status} with Retry-After that is garbage",
        then(busy(status, "tomorrow"), Response(SMALL, headers=FRESH)), SMALL, *RETRY,
        retries=1, requests=2)

# --- time ---

SOON = ("stall_timeout=1s",)
row("stalls before the headers", raw(Hang()), errno.ETIMEDOUT, *SOON, timeouts=1)
row("stalls in the headers", raw(OK, Hang()), errno.ETIMEDOUT, *SOON, timeouts=1)
row("stalls in the body", raw(OK + b"Content-Length: 300000\r\n\r\n" + LARGE[:CUT], Hang()),
    errno.ETIMEDOUT, *SOON, timeouts=1)
row("stalls at the beginning of the body", raw(OK + b"Content-Length: 300000\r\n\r\n", Hang()),
    errno.ETIMEDOUT, *SOON, timeouts=1)
row("stalls in chunks", raw(CHUNKED + chunk(SMALL), Hang()), errno.ETIMEDOUT, *SOON, timeouts=1)
row("stalls behind an interim answer", raw(b"HTTP/1.1 103 Early Hints\r\n\r\n", Hang()),
    errno.ETIMEDOUT, *SOON, timeouts=1)

# --- redirects ---

row("a redirect to itself", lambda request, before: redirect(request.target), errno.ELOOP,
    failed_redirect=1)
row("an endless chain of redirects",
    lambda request, before: redirect(f"{request.path}?{before}"), errno.ELOOP, failed_redirect=1)
row("a redirect to no URL", redirect("http://"), errno.EIO, failed_redirect=1)
row("a redirect to a file", redirect("file:///etc/passwd"), {errno.EIO, errno.EACCES},
    failed_redirect=1)
row("a redirect to another protocol", redirect("ftp://127.0.0.1/x"), {errno.EIO, errno.EACCES},
    failed_redirect=1)
row("a redirect to an address that is private", redirect("http://127.0.0.1:1/x"), errno.EACCES,
    refused=1)
row("a redirect to what has no name", redirect("http://no-such-name.invalid/"),
    {errno.ENOENT, errno.EHOSTUNREACH}, failed_dns=1)
row("a redirect without Location", Response(b"elsewhere", 302), errno.EIO, failed_redirect=1)
row("a redirect with an endless body",
    raw(b"HTTP/1.1 302 Found\r\nLocation: /good.txt\r\nTransfer-Encoding: chunked\r\n\r\n",
        *[chunk(noise(65536))] * 40, Hang()), b"good")
row("a redirect with a body that is cut",
    Response(LARGE, 302, headers=(("Location", "/good.txt"),), cut=CUT), b"good")
