"""What the configuration says of requests and of what is kept, as origins and users see it."""
import base64
import errno
import os
import socket
import time

import pytest

from limited import Task, error_of, eventually, names, read, run, together, within
from origin import FRESH, Response, noise


@pytest.fixture
def write_config(place):
    def write(text):
        path = place / "webcachefs.conf"
        path.write_text(text)
        return f"config={path}"
    return write


def echo(origin, **kwargs):
    """Every body says what was asked for."""
    origin.route(None, lambda request: Response(request.target.encode(), headers=FRESH, **kwargs))


def targets(origin):
    return [request.target for request in origin.requests]


# --- queries ---

def test_sorted_queries_are_one_file(make_mount, origin):
    echo(origin)
    mount = make_mount(origin.url, "sort_query")
    one = read(mount / "a?y=2&x=1&y=1")
    assert one == b"/a?y=2&x=1&y=1", "sent as it was typed"
    assert read(mount / "a?x=1&y=2&y=1") == read(mount / "a?y=2&y=1&x=1") == one
    assert read(mount / "a?x=1&y=1&y=2") != one, "values of one name keep their order"
    assert names(mount.dir) == ["a?x=1&y=1&y=2", "a?x=1&y=2&y=1"]
    assert origin.count() == 2
    mount.purge("a?y=2&x=1&y=1")
    assert names(mount.dir) == ["a?x=1&y=1&y=2"]
    mount.purge(f"{origin.url}/a?y=1&y=2&x=1")
    assert names(mount.dir) == []
    read(mount / "a?y=2&x=1")
    os.unlink(mount / "a?y=2&x=1")
    assert names(mount.dir) == []
    mount.remount()
    assert read(mount / "a?b&a") == read(mount / "a?a&b") == b"/a?b&a"


def test_without_it_they_are_not(mount, origin):
    echo(origin)
    assert read(mount / "a?y=2&x=1") != read(mount / "a?x=1&y=2")
    assert origin.count() == 2


def test_parameters_that_make_no_difference(make_mount, origin):
    echo(origin, etag='"1"')
    mount = make_mount(origin.url, "ignore_query=utm_*:session")
    first = read(mount / "a.jpg?utm_source=x&size=1")
    assert first == b"/a.jpg?utm_source=x&size=1"
    for query in ("?size=1", "?session=3&size=1&utm_id=4", "?size=1&session"):
        assert read(mount / f"a.jpg{query}") == first
    assert read(mount / "a.jpg?size=2") == b"/a.jpg?size=2"
    assert names(mount.dir) == ["a.jpg?size=1", "a.jpg?size=2"]
    assert origin.count() == 2
    mount.advance(4000)
    read(mount / "a.jpg?size=1&session=5")
    assert targets(origin)[-1] == "/a.jpg?size=1&session=5", "revalidated as it was typed"
    assert "if-none-match" in origin.requests[-1].headers
    read(mount / "b.jpg?session=1")
    assert "b.jpg" in names(mount.dir)
    assert read(mount / "b.jpg") == b"/b.jpg?session=1"
    mount.purge("b.jpg?session=7")
    assert "b.jpg" not in names(mount.dir)


def test_a_large_file_is_read_on_with_what_was_typed(make_mount, origin):
    body = noise(12 << 20)
    origin.route(None, lambda request: Response(body, headers=FRESH, etag='"1"', ranges=True))
    mount = make_mount(origin.url, "ignore_query=sig")
    with open(mount / "a.bin?sig=secret", "rb") as file:
        assert within(os.pread, file.fileno(), 1000, 11 << 20) == body[11 << 20:][:1000]
    assert set(targets(origin)) == {"/a.bin?sig=secret"}
    assert len(targets(origin)) > 1


def test_all_who_ask_at_once_are_one_request(make_mount, origin):
    origin.route(None, lambda request: Response(request.target.encode(), headers=FRESH, gate="go"))
    mount = make_mount(origin.url, "ignore_query=n")
    tasks = [Task(read, mount / f"a.txt?n={n}") for n in range(20)]
    origin.wait_reached("go")
    eventually(lambda: mount.stat("coalesced") == 19)
    origin.release("go")
    assert len({task.result() for task in tasks}) == 1
    assert origin.count() == 1


def test_only_where_a_rule_says_so(make_mount, origin, write_config):
    echo(origin)
    mount = make_mount("web", write_config(
        f"[origin one]\nurl = {origin.url}\n[rule one sorted/*]\nsort_query = yes\n"))
    assert read(mount / "one/sorted/a?b&a") == read(mount / "one/sorted/a?a&b")
    assert read(mount / "one/a?b&a") != read(mount / "one/a?a&b")


# --- what is stored ---

@pytest.mark.parametrize("option, stored, passed", [
    ("only=*.jpg", ["a.jpg", "d/b.jpg?x=1"], ["a.png", "d/a?x=.jp"]),
    ("only=/d/*:*.png", ["d/e/a.txt", "x.png"], ["e/d/a.txt"]),
    ("bypass=*.now", ["a.jpg"], ["a.now", "d/b.now?x"]),
    ("bypass=*preview=true*", ["a?x=1", "a?preview=no"], ["a?preview=true", "a?x&preview=true&y"]),
    ("bypass=a b*", ["a%20c.txt"], ["a b.txt"]),
])
def test_what_is_passed_through(make_mount, origin, option, stored, passed):
    echo(origin)
    mount = make_mount(origin.url, option)
    for name in stored + passed:
        first = read(mount / name)
        assert read(mount / name) == first
    assert origin.count() == len(stored) + 2 * len(passed)
    assert mount.stat("bypassed") == 2 * len(passed)
    mount.remount()
    for name in stored + passed:
        read(mount / name)
    assert origin.count() == len(stored) + 3 * len(passed)
    for name in passed:
        assert error_of(os.stat, mount / ".cached" / name) == errno.ENOENT


def test_what_is_passed_through_is_streamed_and_shared(make_mount, origin):
    body = noise(3 << 20)
    origin.set("/a.now", body, headers=FRESH, gates={1 << 20: "go"})
    mount = make_mount(origin.url, "bypass=*.now")

    def first_bytes():
        with open(mount / "a.now", "rb", buffering=0) as file:
            head = file.read(1000)
            origin.release("go")
            while piece := file.read(1 << 20):
                head += piece
            return head
    assert within(first_bytes) == body
    assert origin.count() == 1
    assert mount.stat("objects") == 0


def test_what_was_stored_before_is_not_used_any_more(make_mount, origin, place):
    origin.sequence("/a.txt", Response(b"one", headers=FRESH, etag='"1"'),
                    Response(b"two", headers=FRESH, etag='"1"'), Response(status=500))
    first = make_mount(origin.url, cache=place / "cache")
    assert read(first / "a.txt") == b"one"
    assert first.stop() == 0
    second = make_mount(origin.url, "bypass=a.txt", "retries=0", cache=place / "cache")
    assert read(second / "a.txt") == b"two"
    assert "if-none-match" not in origin.requests[1].headers
    assert error_of(read, second / "a.txt") == errno.EIO


def test_a_listing_does_not_bring_it_back_either(make_mount, origin, place):
    """The kernel takes attributes from a listing, and does not ask for the name then."""
    origin.sequence("/a.txt", Response(b"one", headers=FRESH), Response(b"two", headers=FRESH))
    first = make_mount(origin.url, cache=place / "cache")
    assert read(first / "a.txt") == b"one"
    assert first.stop() == 0
    second = make_mount(origin.url, "only=*.jpg", cache=place / "cache")
    run("ls", "-l", second.dir)
    assert read(second / "a.txt") == b"two"


def test_what_is_passed_through_is_not_fetched_behind(make_mount, origin):
    echo(origin)
    mount = make_mount(origin.url, "bypass=*.now", "miss=background", "kernel_ttl=0")
    assert error_of(read, mount / "a.now") == errno.ENOENT
    assert error_of(read, mount / "a.txt") == errno.ENOENT
    eventually(lambda: error_of(read, mount / "a.txt") is None)
    assert error_of(read, mount / "a.now") == errno.ENOENT
    assert targets(origin) == ["/a.txt"]


def attributes(path):
    return {name: within(os.getxattr, path, name).decode()
            for name in within(os.listxattr, path) if ".header." in name or "tags" in name}


def test_fields_that_are_kept(make_mount, origin):
    origin.fresh("/a.txt", b"x", headers=[
        ("X-Cache-Id", "7"), ("X-Other", "o"), ("Set-Cookie", "s"), ("Link", "<a>"), ("Link", "<b>"),
        ("Content-Language", "de"), ("Surrogate-Key", "one  two"), ("Cache-Tag", "three, four")])
    mount = make_mount(origin.url, "keep=x-cache-*:none")
    wanted = {"x-cache-id": "7", "link": "<a>, <b>", "content-language": "de",
              "content-length": "1", "cache-control": "max-age=3600",
              "surrogate-key": "one  two", "cache-tag": "three, four"}
    wanted = {f"user.webcachefs.header.{name}": value for name, value in wanted.items()}
    wanted["user.webcachefs.tags"] = "one two three four"
    assert attributes(mount / "a.txt") == wanted
    mount.remount()
    assert attributes(mount / "a.txt") == wanted
    assert within(os.getxattr, mount / "a.txt", "user.webcachefs.header.X-Cache-ID") == b"7"
    assert error_of(os.getxattr, mount / "a.txt", "user.webcachefs.header.x-other") == errno.ENODATA
    mount.purge("tag:three")
    assert error_of(os.stat, mount / ".cached/a.txt") == errno.ENOENT


def test_all_fields_can_be_kept(make_mount, origin):
    origin.fresh("/a.txt", b"x", headers=[("X-Other", "o")])
    mount = make_mount(origin.url, "keep=*")
    assert within(os.getxattr, mount / "a.txt", "user.webcachefs.header.x-other") == b"o"


# --- how much at once ---

def test_a_slow_host_leaves_some_for_the_others(make_mount, make_origin, origin):
    slow = make_origin(address="127.0.0.2")
    slow.route(None, lambda request: Response(b"slow", headers=FRESH, gate="go"))
    echo(origin)
    mount = make_mount("web", "allow=*", "allow_private", "max_transfers=4")
    tasks = [Task(read, f"{mount.dir}/{slow.url}/{n}.txt") for n in range(10)]
    slow.wait_reached("go", 2)
    eventually(lambda: mount.stat("parked") == 10)
    assert read(f"{mount.dir}/{origin.url}/a.txt") == b"/a.txt"
    assert slow.count() == 2, "half of them, unless told otherwise"
    slow.release("go")
    assert {task.result() for task in tasks} == {b"slow"}
    assert slow.count() == 10


def test_how_many_of_each_origin(make_mount, make_origin, origin, write_config):
    other = make_origin(address="127.0.0.2")
    for server in (origin, other):
        server.route(None, lambda request: Response(b"x", headers=FRESH, gate="go"))
    mount = make_mount("web", write_config(
        f"[origin one]\nurl = {origin.url}\nmax_per_host = 1\n"
        f"[origin two]\nurl = {other.url}\nmax_per_host = 3\n"))
    tasks = [Task(read, mount / f"{name}/{n}.txt") for n in range(6) for name in ("one", "two")]
    origin.wait_reached("go", 1)
    other.wait_reached("go", 3)
    eventually(lambda: mount.stat("parked") == 12)
    assert (origin.count(), other.count()) == (1, 3)
    origin.release("go")
    eventually(lambda: origin.count() == 6)
    assert other.count() == 3
    other.release("go")
    for task in tasks:
        task.result()


def test_a_rate_is_shared_by_all_transfers(make_mount, origin):
    """Four files of 200K at 400K/s in all: 100K may come at once, and a piece of each too
    early, which leaves (800 - 100 - 4 * 16) / 400 seconds."""
    origin.route(None, lambda request: Response(noise(200 << 10, request.target), headers=FRESH))
    mount = make_mount(origin.url, "rate=400K")
    begun = time.monotonic()
    together([lambda n=n: read(mount / f"{n}.bin") for n in range(4)])
    assert time.monotonic() - begun > 1.5
    begun = time.monotonic()
    for n in range(4, 6):
        assert read(mount / f"{n}.bin") == noise(200 << 10, f"/{n}.bin")
    assert time.monotonic() - begun > 0.6, "nor one after the other"
    assert mount.stat("timeouts") == 0


def test_a_rate_is_of_one_host_and_one_rule(make_mount, make_origin, origin, write_config):
    other = make_origin(address="127.0.0.2")
    for server in (origin, other):
        server.route(None, lambda request: Response(noise(300 << 10), headers=FRESH))
    mount = make_mount("web", write_config(
        f"[origin one]\nurl = {origin.url}\nrate = 1K\n[origin two]\nurl = {other.url}\n"
        "[rule one fast/*]\nrate = none\n"))
    slow = Task(read, mount / "one/a.bin")
    eventually(lambda: origin.count() == 1)
    assert len(read(mount / "two/a.bin")) == len(read(mount / "one/fast/a.bin")) == 300 << 10
    assert not slow.done
    assert mount.terminate() == 0


def test_a_stalled_origin_is_noticed_at_any_rate(make_mount, origin):
    origin.set("/a.bin", noise(100 << 10), headers=FRESH, gates={50 << 10: "never"})
    mount = make_mount(origin.url, "rate=64K", "stall_timeout=1s", "retries=0")
    assert error_of(read, mount / "a.bin") is not None
    assert mount.stat("timeouts") >= 1


# --- credentials ---

def replace(path, text):
    aside = path.with_suffix(".new")
    aside.write_text(text)
    aside.rename(path)


def test_a_header_file_is_read_again(make_mount, origin, place):
    origin.route(None, lambda request: Response(request.headers.get("x-token", "-").encode()))
    token = place / "token"
    token.write_text("X-Token: one\n")
    mount = make_mount(origin.url, f"header_file={token}")
    assert read(mount / "a.txt") == b"one"
    replace(token, "X-Token: two\n")
    assert read(mount / "a.txt") == b"two"
    token.unlink()
    assert read(mount / "a.txt") == read(mount / "a.txt") == b"two"
    assert mount.stderr().count("the headers stay as they were") == 1
    replace(token, "no header\n")
    assert read(mount / "a.txt") == read(mount / "a.txt") == b"two"
    assert mount.stderr().count("not a header line") == 1
    replace(token, "X-Token: three\n")
    assert read(mount / "a.txt") == b"three"


def test_a_field_of_the_file_replaces_one_of_the_options(make_mount, place):
    """Seen by a server that keeps what it was sent."""
    (place / "token").write_text("x-one: file\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            sock, _ = server.accept()
            with sock:
                sent = b""
                while b"\r\n\r\n" not in sent:
                    sent += sock.recv(65536)
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
                return sent
        task = Task(serve)
        mount = make_mount(f"http://127.0.0.1:{server.getsockname()[1]}", "header=X-One: option",
                           "header=X-Two: option", f"header_file={place}/token")
        assert read(mount / "a.txt") == b"x"
        lines = task.result().decode().lower().splitlines()
    assert [line for line in lines if line.startswith("x-")] == ["x-two: option", "x-one: file"]


def test_what_was_fetched_with_the_old_one_is_another_variant(make_mount, origin, place):
    origin.route("/vary.txt", lambda request: Response(
        request.headers["x-lang"].encode(), headers=FRESH + (("Vary", "X-Lang"),), etag='"1"'))
    origin.route("/same.txt", lambda request: Response(
        request.headers["x-lang"].encode(), headers=FRESH))
    lang = place / "lang"
    lang.write_text("X-Lang: de\n")
    mount = make_mount(origin.url, f"header_file={lang}", "kernel_ttl=0")
    for name in ("vary.txt", "same.txt", "vary.txt"):
        assert read(mount / name) == b"de"
    replace(lang, "X-Lang: en\n")
    assert read(mount / "vary.txt") == read(mount / "vary.txt") == b"en"
    assert read(mount / "same.txt") == b"de"
    assert (origin.count("/vary.txt"), origin.count("/same.txt")) == (2, 1)


@pytest.mark.parametrize("vary", [(("Vary", "Accept"),), ()], ids=["Vary", "unsaid"])
def test_each_accept_gets_its_own_variant(make_mount, origin, place, write_config, vary):
    """Two mounts, one after the other, on one cache; and two rules."""
    origin.route(None, lambda request: Response(
        request.headers["accept"].encode(), headers=FRESH + vary))
    rules = "[origin one]\nurl = {}\n{}\n[rule one json/*]\nheader = Accept: json\n"
    for accept in ("*/*", "image/png", "image/webp", "*/*"):
        header = "" if accept == "*/*" else f"header = Accept: {accept}"
        mount = make_mount("web", write_config(rules.format(origin.url, header)),
                           cache=place / "cache")
        assert read(mount / "one/a.txt") == read(mount / "one/a.txt") == accept.encode()
        assert read(mount / "one/json/a.txt") == b"json"
        assert mount.stop() == 0
    assert (origin.count("/a.txt"), origin.count("/json/a.txt")) == (4, 1)


def wants_password(user="u:p"):
    """Basic authentication; the body says who was let in."""
    expected = "Basic " + base64.b64encode(user.encode()).decode()

    def answer(request):
        if request.headers.get("authorization") != expected:
            return Response(status=401, headers=(("WWW-Authenticate", 'Basic realm="x"'),))
        return Response(user.encode(), headers=FRESH)
    return answer


def test_netrc(make_mount, make_origin, origin, place):
    other = make_origin(address="127.0.0.2")
    netrc = place / ".netrc"
    netrc.write_text("machine 127.0.0.1 login u password p\n"
                     "machine 127.0.0.2 login other password secret\n")
    netrc.chmod(0o600)
    origin.route("/a.txt", wants_password())
    other.fresh("/b.txt", b"found")
    origin.set("/to.txt", status=302, headers=[("Location", f"{other.url}/b.txt")])
    env = {"HOME": str(place)}
    mount = make_mount(origin.url, "netrc", "allow_private", env=env)
    assert read(mount / "a.txt") == b"u:p"
    assert read(mount / "to.txt") == b"found"
    assert "authorization" in origin.asked("/to.txt")[0].headers
    assert "authorization" not in other.requests[0].headers
    without = make_mount(origin.url, env=env)
    assert error_of(read, without / "a.txt") == errno.EACCES


def test_netrc_of_one_origin_alone(make_mount, make_origin, origin, place, write_config):
    other = make_origin(address="127.0.0.2")
    netrc = place / ".netrc"
    netrc.write_text("default login u password p\n")
    netrc.chmod(0o600)
    origin.route("/a.txt", wants_password())
    other.fresh("/b.txt", b"found")
    mount = make_mount("web", write_config(
        f"[origin one]\nurl = {origin.url}\nnetrc = yes\n[origin two]\nurl = {other.url}\n"),
        env={"HOME": str(place)})
    assert read(mount / "one/a.txt") == b"u:p"
    assert read(mount / "two/b.txt") == b"found"
    assert "authorization" not in other.requests[0].headers


def test_headers_of_an_origin_do_not_follow_redirects_to_another(make_mount, make_origin, origin,
                                                                 place, write_config):
    other = make_origin(address="127.0.0.2")
    (place / "token").write_text("X-File: secret\n")
    other.fresh("/b.txt", b"found")
    origin.set("/to.txt", status=302, headers=[("Location", f"{other.url}/b.txt")])
    mount = make_mount("web", write_config(
        f"[origin one]\nurl = {origin.url}\nheader = X-One: secret\n"
        f"header_file = {place}/token\n[origin two]\nurl = {other.url}\nheader = X-Two: secret\n"))
    assert read(mount / "one/to.txt") == b"found"
    assert {"x-one", "x-file"} <= set(origin.requests[0].headers)
    assert not {"x-one", "x-file", "x-two"} & set(other.requests[0].headers)


# --- the way there ---

@pytest.fixture
def certificate(place):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-keyout", place / "key.pem", "-out", place / "cert.pem", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=IP:127.0.0.1")
    return place / "cert.pem", place / "key.pem"


def test_a_proxy_of_one_origin_alone(make_mount, make_origin, origin, write_config):
    """The origin plays a proxy: it is asked for whole URLs."""
    other = make_origin(address="127.0.0.2")
    for server in (origin, other):
        echo(server)
    mount = make_mount("web", write_config(
        "[origin far]\nurl = http://far.example/base\n"
        f"proxy = http://u:p@{origin.address}:{origin.port}\n[origin near]\nurl = {other.url}\n"))
    assert read(mount / "far/a.txt") == b"http://far.example/base/a.txt"
    assert read(mount / "near/a.txt") == b"/a.txt"
    assert "proxy-authorization" in origin.requests[0].headers
    assert "p@" not in read(mount.control / "config").decode()


def test_authorities_of_one_origin_alone(make_mount, make_origin, certificate, write_config):
    server = make_origin(tls=certificate)
    echo(server)
    mount = make_mount("web", "retries=0", write_config(
        f"[mount]\nallow = 127.0.0.1\nallow_private = yes\n"
        f"[origin one]\nurl = {server.url}/one\ncacert = {certificate[0]}\n"))
    assert error_of(read, f"{mount.dir}/{server.url}/a.txt") == errno.EIO
    assert read(mount / "one/a.txt") == b"/one/a.txt"
    assert error_of(read, f"{mount.dir}/{server.url}/b.txt") == errno.EIO, "no connection is shared"


def test_time_limits_and_retries_of_one_rule(make_mount, origin, write_config):
    origin.route(None, lambda request: Response(status=500))
    mount = make_mount(f"{origin.url}/", write_config(
        "[mount]\nretries = 0\n[rule * *.again]\nretries = 1\n"))
    assert error_of(read, mount / "a.txt") == error_of(read, mount / "a.again") == errno.EIO
    assert (origin.count("/a.txt"), origin.count("/a.again")) == (1, 2)
