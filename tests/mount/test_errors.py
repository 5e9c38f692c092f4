"""The table of outcomes: which errno a reader gets for what the origin did."""
import errno
import socket
import threading

import pytest

from limited import Task, error_of, eventually, outcome, read, within
from nginx import free_port
from origin import FRESH, Hang, Pass, Reset, Response, noise

OK = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n"


@pytest.fixture
def mount(make_mount, origin):
    """Impatient, so that the table goes by quickly."""
    return make_mount(origin.url, "retries=0", "kernel_ttl=0", "stale_if_error=0s")


@pytest.mark.parametrize("status, code", [
    (404, errno.ENOENT), (410, errno.ENOENT),
    (401, errno.EACCES), (403, errno.EACCES), (451, errno.EACCES),
    (429, errno.EBUSY), (503, errno.EBUSY),
    (500, errno.EIO), (501, errno.EIO), (502, errno.EIO), (505, errno.EIO), (599, errno.EIO),
    (408, errno.ETIMEDOUT), (504, errno.ETIMEDOUT)])
@pytest.mark.parametrize("name", ["a.txt", "page"])
def test_status_becomes_errno(mount, origin, name, status, code):
    origin.set(f"/{name}", b"an explanation", status=status)
    assert error_of(read, mount / name) == code
    origin.fresh(f"/{name}", b"good")
    mount.purge("all")
    assert read(mount / name) == b"good"


def test_errors_are_not_remembered(mount, origin):
    origin.set("/a.txt", status=500)
    for _ in range(3):
        assert error_of(read, mount / "a.txt") == errno.EIO
    assert origin.count("/a.txt") == 3
    origin.fresh("/a.txt", b"good")
    assert read(mount / "a.txt") == b"good"
    assert mount.stat("errors") >= 3


@pytest.mark.parametrize("status, code", [(500, errno.EIO), (403, errno.EACCES),
                                          (404, errno.ENOENT)])
def test_a_name_that_was_known_and_fails_costs_one_request(make_mount, origin, status, code):
    """The kernel asks twice then (fs/fuse/dir.c, fuse_dentry_revalidate)."""
    mount = make_mount(origin.url, "kernel_ttl=0", "retries=0", "stale_if_error=0",
                       "negative_ttl=0")
    origin.sequence("/a.txt", Response(b"1", headers=[("Cache-Control", "max-age=100")]),
                    Response(status=status))
    assert read(mount / "a.txt") == b"1"
    mount.advance(200)
    for requests in (2, 3, 4):
        assert error_of(read, mount / "a.txt") == code
        assert origin.count("/a.txt") == requests
    origin.fresh("/a.txt", b"2")
    assert read(mount / "a.txt") == b"2"


def test_503_is_tried_again(make_mount, origin):
    mount = make_mount(origin.url, "retries=2")
    origin.sequence("/a.txt", Response(status=503), Response(status=503),
                    Response(b"good", headers=FRESH))
    assert read(mount / "a.txt") == b"good"
    assert origin.count("/a.txt") == 3
    assert mount.stat("retries") == 2


def test_retries_end(make_mount, origin):
    mount = make_mount(origin.url, "retries=1")
    origin.set("/a.txt", status=503)
    assert error_of(read, mount / "a.txt") == errno.EBUSY
    assert origin.count("/a.txt") == 2


@pytest.mark.parametrize("status", [403, 404])
def test_what_is_certain_is_not_tried_again(make_mount, origin, status):
    mount = make_mount(origin.url, "retries=3")
    origin.set("/a.txt", status=status)
    error_of(read, mount / "a.txt")
    assert origin.count("/a.txt") == 1


# --- the network ---

def test_connection_refused(make_mount):
    mount = make_mount(f"http://127.0.0.1:{free_port()}", "retries=0")
    assert error_of(read, mount / "a.txt") == errno.ECONNREFUSED


def test_stall_in_the_headers_times_out(make_mount, origin):
    mount = make_mount(origin.url, "retries=0", "stall_timeout=1s")
    origin.raw("/a.txt", Hang())
    assert error_of(read, mount / "a.txt") == errno.ETIMEDOUT
    assert mount.stat("timeouts") == 1


def test_stall_in_the_body_times_out(make_mount, origin):
    mount = make_mount(origin.url, "retries=0", "stall_timeout=1s")
    origin.raw("/a.bin", OK + b"Content-Length: 1000000\r\n\r\n" + noise(300_000), Hang())
    assert error_of(read, mount / "a.bin") == errno.ETIMEDOUT


def test_progress_is_not_a_stall(make_mount, origin):
    """The limit is on lack of progress: each piece comes within it, all of them not."""
    mount = make_mount(origin.url, "retries=0", "stall_timeout=2s")
    body = noise(6)
    origin.raw("/a.bin", OK + b"Content-Length: 6\r\n\r\n",
               *[step for n in range(6) for step in (Pass(f"{n}"), body[n:n + 1])])
    task = Task(read, mount / "a.bin")
    clock = threading.Event()
    for number in range(6):
        origin.wait_reached(f"{number}")
        clock.wait(0.6)  # time passes: this is what is tested
        origin.release(f"{number}")
    assert task.result() == body


def test_connect_times_out(make_mount):
    """A listener whose queue is full drops what wants to connect."""
    with socket.socket() as full, socket.socket() as one, socket.socket() as two:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for client in (one, two):
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        mount = make_mount(f"http://127.0.0.1:{full.getsockname()[1]}", "retries=0",
                           "connect_timeout=1s")
        assert error_of(read, mount / "a.txt") == errno.ETIMEDOUT


def test_an_address_that_cannot_be_reached(make_mount):
    """In a network without any route."""
    mount = make_mount("http://192.0.2.1/", "retries=0", prefix=["unshare", "--net"])
    assert error_of(read, mount / "a.txt") == errno.EHOSTUNREACH


# --- broken answers ---

@pytest.mark.parametrize("steps", [
    pytest.param([], id="closed at once"),
    pytest.param([Reset()], id="reset at once"),
    pytest.param([b"\0\1\2garbage\r\n\r\n"], id="garbage"),
    pytest.param([b"HTTP/1.1 2"], id="half a status line"),
    pytest.param([OK + b"Content-Le"], id="half a header"),
    pytest.param([OK], id="no end of headers"),
    pytest.param([b"just text, as HTTP/0.9 had it\n"], id="no status line"),
    pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc"], id="length is no number"),
    pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc"], id="length is negative"),
    pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"],
                 id="two lengths"),
    pytest.param([OK + b"Content-Length: 10\r\n\r\nabc"], id="short"),
    pytest.param([OK + b"Content-Length: 10\r\n\r\nabc", Reset()], id="short and reset"),
    pytest.param([OK + b"Content-Length: 10\r\n\r\n"], id="no body"),
    pytest.param([OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"],
                 id="chunked without an end"),
    pytest.param([OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"], id="half a chunk"),
    pytest.param([OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n"],
                 id="a chunk size that is none"),
    pytest.param([OK + b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"],
                 id="not gzip"),
    pytest.param([b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1000)
                                                    for n in range(600)) +
                  b"Content-Length: 3\r\n\r\nabc"], id="600 kB of headers"),
    pytest.param([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"Content-Length: 3\r\n\r\nabc"],
                 id="5000 headers"),
    pytest.param([b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-7/100\r\n"
                  b"Content-Length: 3\r\n\r\nabc"], id="a part that nobody asked for"),
    pytest.param([b"HTTP/1.1 304 Not Modified\r\n\r\n"], id="not modified since never"),
])
def test_a_broken_answer_is_eio_and_never_kept(mount, origin, steps):
    origin.raw("/a.txt", *steps)
    assert error_of(read, mount / "a.txt") == errno.EIO
    origin.fresh("/a.txt", b"good")
    assert read(mount / "a.txt") == b"good"


def test_half_a_gzip_stream_is_eio(mount, origin):
    body = Response(noise(100_000), gzip=True).encoded()
    origin.raw("/a.txt", OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" %
               (len(body) // 2) + body[:len(body) // 2])
    assert error_of(read, mount / "a.txt") == errno.EIO


def test_more_than_content_length_is_cut_off(mount, origin):
    origin.raw("/a.txt", OK + b"Content-Length: 3\r\n\r\nabcdefgh")
    assert read(mount / "a.txt") == b"abc"


def test_a_large_body_cut_short_is_eio_and_never_zeroes(mount, origin):
    body = noise(1 << 20)
    origin.set("/a.bin", body, headers=FRESH, cut=700_000)

    def read_what_comes():
        got = b""
        try:
            with open(mount / "a.bin", "rb", buffering=0) as file:
                while piece := file.read(65536):
                    got += piece
        except OSError as error:
            return got, error.errno
        return got, None
    got, code = within(read_what_comes)
    assert code == errno.EIO
    assert body.startswith(got) and len(got) <= 700_000
    origin.fresh("/a.bin", body)
    assert read(mount / "a.bin") == body


def test_a_cut_body_is_resumed(make_mount, origin):
    mount = make_mount(origin.url, "retries=2")
    body = noise(2 << 20)
    origin.sequence("/a.bin", Response(body, headers=FRESH, etag='"1"', ranges=True, cut=900_000),
                    Response(body, headers=FRESH, etag='"1"', ranges=True))
    assert read(mount / "a.bin") == body
    again = origin.asked("/a.bin")[1]
    assert again.headers["if-range"] == '"1"'
    assert again.headers["range"].startswith("bytes=")
    assert again.sent < len(body)
    assert mount.stat("resumed") >= 1


def test_a_cut_body_that_changed_meanwhile_is_not_mixed(make_mount, origin):
    mount = make_mount(origin.url, "retries=2")
    old, new = noise(2 << 20, 1), noise(2 << 20, 2)
    origin.sequence("/a.bin", Response(old, headers=FRESH, etag='"1"', ranges=True, cut=900_000),
                    Response(new, headers=FRESH, etag='"2"', ranges=True))
    try:
        assert read(mount / "a.bin") in (old, new)
    except OSError as error:
        assert error.errno in (errno.EIO, errno.ESTALE)
    eventually(lambda: error_of(read, mount / "a.bin") is None, "the kernel asks again")
    assert read(mount / "a.bin") == new


def test_a_cut_body_of_an_origin_without_ranges_is_fetched_again(make_mount, origin):
    mount = make_mount(origin.url, "retries=2")
    body = noise(200_000)
    origin.sequence("/a.bin", Response(body, headers=FRESH, etag='"1"', cut=90_000),
                    Response(body, headers=FRESH, etag='"1"'))
    assert read(mount / "a.bin") == body


def test_a_kept_connection_that_the_origin_closed_is_no_error(make_mount, origin):
    mount = make_mount(origin.url, "retries=2")
    origin.fresh("/a.txt", b"a")
    origin.fresh("/b.txt", b"b")
    assert read(mount / "a.txt") == b"a"
    origin.drop_connections()
    assert read(mount / "b.txt") == b"b"


def test_max_object(make_mount, origin):
    mount = make_mount(origin.url, "max_object=1M", "retries=0")
    origin.fresh("/exact.bin", noise(1 << 20))
    origin.fresh("/large.bin", noise((1 << 20) + 1))
    origin.fresh("/stream.bin", noise(3 << 20), framing="chunked")
    assert len(read(mount / "exact.bin")) == 1 << 20
    assert error_of(read, mount / "large.bin") == errno.EFBIG
    assert error_of(read, mount / "stream.bin") == errno.EFBIG


def test_a_length_beyond_all_disks_harms_nobody(mount, origin):
    origin.raw("/a.bin", OK + b"Content-Length: 9223372036854775807\r\n\r\nabc", Hang())
    task = Task(error_of, read_first, mount / "a.bin")
    origin.fresh("/b.txt", b"good")
    assert read(mount / "b.txt") == b"good"
    origin.drop_connections()
    task.result()
    assert read(mount / "b.txt") == b"good"


def read_first(path):
    with open(path, "rb", buffering=0) as file:
        file.read(1)


# --- TLS ---

def test_https_with_a_trusted_certificate(make_mount, make_origin, certificate):
    origin = make_origin(tls=certificate)
    origin.fresh("/a.txt", b"safe")
    mount = make_mount(origin.url, f"cacert={certificate[0]}")
    assert read(mount / "a.txt") == b"safe"


def test_a_certificate_that_is_not_trusted_is_eio(make_mount, make_origin, certificate):
    origin = make_origin(tls=certificate)
    mount = make_mount(origin.url, "retries=0")
    assert error_of(read, mount / "a.txt") == errno.EIO
    assert origin.count() == 0


def test_http_on_a_tls_port_and_the_other_way_round_is_eio(make_mount, make_origin, certificate):
    plain, tls = make_origin(), make_origin(tls=certificate)
    wrong = make_mount(plain.url.replace("http:", "https:"), "retries=0")
    assert error_of(read, wrong / "a.txt") == errno.EIO
    wrong = make_mount(tls.url.replace("https:", "http:"), "retries=0")
    assert error_of(read, wrong / "a.txt") == errno.EIO


# --- redirects ---

@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(mount, origin, status):
    origin.set("/old.txt", status=status, headers=[("Location", "/new.txt")] + list(FRESH))
    origin.fresh("/new.txt", b"found")
    assert read(mount / "old.txt") == b"found"
    assert [request.target for request in origin.requests] == ["/old.txt", "/new.txt"]


@pytest.mark.parametrize("location, target", [
    ("new.txt", "/d/new.txt"), ("../new.txt", "/new.txt"), ("?v=2", "/d/old.txt?v=2"),
    ("/new.txt#part", "/new.txt"), ("/sp%20ace.txt", "/sp%20ace.txt")])
def test_relative_redirects(mount, origin, location, target):
    origin.set("/d/old.txt", status=302, headers=[("Location", location)])
    origin.fresh(target, b"found")
    assert read(mount / "d/old.txt") == b"found"


def test_a_chain_of_redirects(mount, origin):
    for number in range(5):
        origin.set(f"/{number}.txt", status=302, headers=[("Location", f"/{number + 1}.txt")])
    origin.fresh("/5.txt", b"found")
    assert read(mount / "0.txt") == b"found"


def test_a_redirect_loop_is_eloop(mount, origin):
    origin.set("/a.txt", status=302, headers=[("Location", "/b.txt")])
    origin.set("/b.txt", status=302, headers=[("Location", "/a.txt")])
    assert error_of(read, mount / "a.txt") == errno.ELOOP
    assert origin.count() < 60


def test_a_redirect_to_another_private_address_is_eacces(mount, origin, make_origin):
    other = make_origin()
    other.fresh("/secret.txt", b"secret")
    origin.set("/a.txt", status=302, headers=[("Location", f"{other.url}/secret.txt")])
    assert error_of(read, mount / "a.txt") == errno.EACCES
    assert other.count() == 0 and other.accepted == 0
    assert mount.stat("refused") >= 1


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f000001", "[::ffff:127.0.0.1]",
                                  "0.0.0.0", "2130706433"])
def test_other_ways_to_write_a_private_address_do_not_help(mount, origin, make_origin, host):
    other = make_origin()
    other.fresh("/secret.txt", b"secret")
    origin.set("/a.txt", status=302, headers=[("Location", f"http://{host}:{other.port}/secret.txt")])
    assert error_of(read, mount / "a.txt") is not None
    assert other.count() == 0


def test_allow_private_lets_redirects_lead_there(make_mount, origin, make_origin):
    other = make_origin()
    other.fresh("/b.txt", b"found")
    origin.set("/a.txt", status=302, headers=[("Location", f"{other.url}/b.txt")])
    mount = make_mount(origin.url, "allow_private")
    assert read(mount / "a.txt") == b"found"


def test_secrets_do_not_follow_a_redirect_to_another_host(make_mount, origin, make_origin):
    other = make_origin()
    other.fresh("/b.txt", b"found")
    origin.set("/a.txt", status=302, headers=[("Location", f"{other.url}/b.txt")])
    mount = make_mount(origin.url, "allow_private", "header=Authorization: Bearer secret",
                       "header=Cookie: secret")
    read(mount / "a.txt")
    assert origin.asked("/a.txt")[0].headers["authorization"] == "Bearer secret"
    assert "secret" not in str(other.asked("/b.txt")[0].headers)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/",
                                      "javascript:1", "http://", "//", "dict://127.0.0.1:1/"])
def test_redirects_to_what_is_not_http_are_refused(mount, origin, location):
    origin.set("/a.txt", status=302, headers=[("Location", location)])
    assert error_of(read, mount / "a.txt") in (errno.EACCES, errno.EIO, errno.ELOOP)


def test_a_redirect_without_location_is_an_error(mount, origin):
    origin.set("/a.txt", b"moved", status=302)
    assert error_of(read, mount / "a.txt") == errno.EIO


@pytest.mark.parametrize("length", [400_000, 6_000_000], ids=["short", "long"])
@pytest.mark.parametrize("then", ["503", "gone"])
def test_a_body_that_is_cut_does_not_cost_the_stale_copy(make_mount, make_origin, length, then):
    """It takes its place when it is there, not when its headers are."""
    origin = make_origin()
    mount = make_mount(origin.url, "kernel_ttl=0", "retries=0", "negative_ttl=0")
    ages = (("Cache-Control", "max-age=10, stale-if-error=100000"),)
    old, new = noise(length, 1), noise(length, 2)
    origin.set("/a.bin", old, etag='"1"', headers=ages)
    assert read(mount / "a.bin") == old
    eventually(lambda: mount.stat("bytes_logical") == length, "it is stored")
    mount.advance(60)
    origin.set("/a.bin", new, etag='"2"', headers=ages, cut=100_000)
    # An error for who was shown the new one already.
    assert outcome(mount / "a.bin") in (old, errno.EIO)
    if then == "503":
        origin.set("/a.bin", Response(status=503))
    else:
        origin.close()
    for _ in range(2):
        assert read(mount / "a.bin") == old
    mount.remount()
    assert read(mount / "a.bin") == old
    mount.purge("/a.bin")
    with pytest.raises(OSError):
        read(mount / "a.bin")


def test_what_came_to_its_end_takes_the_place_of_the_stale_copy(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0")
    old, new = noise(6_000_000, 1), noise(6_000_000, 2)
    for body in (old, new):
        origin.set("/a.bin", body, headers=[("Cache-Control", "max-age=10")])
        assert read(mount / "a.bin") == body
        mount.advance(60)
    eventually(lambda: mount.stat("bytes_logical") == len(new), "one is left")
    origin.set("/a.bin", Response(status=503))
    assert read(mount / "a.bin") == new
    mount.remount()
    assert read(mount / "a.bin") == new
    assert mount.stat("objects") == 1
