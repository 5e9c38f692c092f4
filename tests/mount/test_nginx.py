"""A real nginx whose root is the mount, its workers running as www-data."""
import json
import urllib.request

import pytest

from limited import LIMIT, run, together, within
from origin import FRESH, Response, http_date, noise

MODIFIED = 1_600_000_000


@pytest.fixture
def mount(make_mount, origin):
    return make_mount(origin.url, "allow_other")


@pytest.fixture
def nginx(make_nginx, mount):
    return make_nginx(mount.dir)


def test_a_miss_and_then_hits(nginx, mount, origin):
    body = noise(200_000)
    origin.fresh("/a.jpg", body, last_modified=MODIFIED)
    for _ in range(10):
        status, headers, got = nginx.get("/a.jpg")
        assert (status, got) == (200, body)
        assert headers["Content-Length"] == "200000"
        assert headers["Content-Type"] == "image/jpeg"
        assert headers["Last-Modified"] == http_date(MODIFIED)
    assert origin.count("/a.jpg") == 1


@pytest.mark.parametrize("upstream, shown", [(404, 404), (410, 404), (403, 403), (401, 403),
                                             (500, 500), (503, 500)])
def test_errors_of_the_origin(make_mount, make_nginx, origin, upstream, shown):
    mount = make_mount(origin.url, "allow_other", "retries=0")
    nginx = make_nginx(mount.dir)
    origin.set("/a.jpg", status=upstream)
    assert nginx.get("/a.jpg")[0] == shown


def test_head_costs_one_get(nginx, origin):
    origin.fresh("/a.jpg", noise(5000), last_modified=MODIFIED)
    status, headers, body = nginx.get("/a.jpg", method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, "5000", b"")
    assert nginx.get("/a.jpg")[2] == noise(5000)
    assert origin.count("/a.jpg", "GET") == 1


def test_ranges(nginx, origin):
    body = noise(300_000)
    origin.fresh("/a.bin", body)
    for first, last in ((0, 0), (1000, 1999), (299_999, 299_999), (0, 299_999)):
        status, headers, got = nginx.get("/a.bin", Range=f"bytes={first}-{last}")
        assert (status, got) == (206, body[first:last + 1])
        assert headers["Content-Range"] == f"bytes {first}-{last}/300000"
    assert nginx.get("/a.bin", Range="bytes=-10")[2] == body[-10:]
    assert nginx.get("/a.bin", Range="bytes=300000-")[0] == 416
    assert origin.count("/a.bin") == 1


def test_conditional_requests(nginx, origin):
    origin.fresh("/a.jpg", b"x", last_modified=MODIFIED)
    etag = nginx.get("/a.jpg")[1]["ETag"]
    assert nginx.get("/a.jpg", If_None_Match=etag)[0] == 304
    assert nginx.get("/a.jpg", If_Modified_Since=http_date(MODIFIED))[0] == 304
    assert nginx.get("/a.jpg", If_Modified_Since=http_date(MODIFIED - 1))[0] == 200


def test_a_purge_shows_at_once(nginx, mount, origin):
    for number in range(20):
        body = b"%d" % number
        origin.fresh("/a.jpg", body, last_modified=MODIFIED + number)
        mount.purge("/a.jpg")
        assert nginx.get("/a.jpg")[2] == body


def test_control_is_closed_to_nginx(nginx, mount):
    assert nginx.get("/.control/stats")[0] == 403
    assert nginx.get("/.control/")[0] in (403, 404)


def test_an_opened_control_is_served_whole(make_mount, make_nginx, origin):
    mount = make_mount(origin.url, "allow_other", "control_mode=0755")
    nginx = make_nginx(mount.dir)
    for _ in range(10):
        status, headers, body = nginx.get("/.control/stats")
        assert status == 200 and int(headers["Content-Length"]) == len(body)
        json.loads(body)


def test_a_hundred_clients_one_request(nginx, origin):
    body = noise(1 << 20)
    origin.fresh("/a.bin", body)
    assert together([lambda: nginx.get("/a.bin")[2] == body] * 100) == [True] * 100
    assert origin.count("/a.bin") == 1


def test_directories_and_names_with_spaces(nginx, origin):
    origin.fresh("/some/where/a%20b.txt", b"spaced")
    assert nginx.get("/some/where/a%20b.txt")[2] == b"spaced"


def test_a_page_without_extension(nginx, origin):
    """nginx opens before it looks what it is; the name is known as a file then."""
    origin.fresh("/docs/intro", b"page")
    assert nginx.get("/docs/intro")[::2] == (200, b"page")


def test_try_files_falls_back(make_nginx, mount, origin):
    nginx = make_nginx(mount.dir, extra="location / { try_files $uri /default.jpg =404; }")
    origin.fresh("/default.jpg", b"default")
    assert nginx.get("/no.jpg")[2] == b"default"


def test_many_files_under_load(nginx, origin, mount):
    """wrk-like: eight clients, many names, every byte compared."""
    bodies = {f"/{n}.bin": noise(20_000 + n, n) for n in range(100)}
    for path, body in bodies.items():
        origin.set(path, Response(body, headers=FRESH))

    def client(start):
        paths = list(bodies)
        for number in range(200):
            path = paths[(start + number * 7) % 100]
            with urllib.request.urlopen(nginx.url + path, timeout=LIMIT) as answer:
                assert answer.read() == bodies[path]
        return True
    assert all(together([lambda n=n: client(n) for n in range(8)], limit=60))
    assert origin.count() == 100


def test_hot_hits_cost_the_daemon_no_read(nginx, mount, origin):
    origin.fresh("/a.bin", noise(100_000))
    nginx.get("/a.bin")
    mount.stats()
    before, between = mount.stats(), mount.stats()
    for _ in range(100):
        nginx.get("/a.bin")
    after = mount.stats()
    assert after["reads"] - between["reads"] == between["reads"] - before["reads"]


def test_files_are_sent_to_curl(nginx, origin, place):
    origin.fresh("/a.bin", noise(3 << 20))
    within(run, "curl", "-sf", "-o", place / "got", nginx.url + "/a.bin")
    assert (place / "got").read_bytes() == noise(3 << 20)
