"""`web`: every allowed host below one mount point, and nothing else."""
import errno
import os

import pytest

from limited import error_of, names, read, run
from mounted import NotMounted
from origin import Response

NAMES_A_HOST = "127.0.0.1"


@pytest.fixture
def web(make_mount):
    """allow=..., and further options."""
    return lambda allow, *options: make_mount("web", f"allow={allow}", *options)


def place_of(mount, origin, path=""):
    return mount / "http:" / f"{origin.address}:{origin.port}" / path


def test_a_url_is_a_path(web, origin):
    mount = web(NAMES_A_HOST, "allow_private")
    origin.fresh("/d/a.jpg?size=1", b"found")
    assert read(place_of(mount, origin, "d/a.jpg?size=1")) == b"found"
    assert read(f"{mount.dir}/{origin.url}/d/a.jpg?size=1") == b"found", "with // as it is typed"
    assert origin.count() == 1


def test_the_top_shows_schemes_and_those_the_hosts(web, origin):
    mount = web(f"*.example.org:Literal.Example.com.:[::1]:{NAMES_A_HOST}", "allow_private")
    origin.fresh("/a.txt", b"found")
    assert names(mount.dir) == ["http:", "https:"]
    literal = [NAMES_A_HOST, "[::1]", "literal.example.com"]
    assert names(mount / "https:") == literal
    read(place_of(mount, origin, "a.txt"))
    assert names(mount / "http:") == sorted(literal + [f"{origin.address}:{origin.port}"])
    run("ls", "-lR", mount.dir)
    mount.remount()
    assert names(place_of(mount, origin)) == ["a.txt"]
    assert origin.count() == 1


def test_only_two_schemes(web):
    mount = web("*")
    for name in ("ftp:", "file:", "HTTP:", "https", "gopher:", "favicon.ico"):
        assert error_of(os.stat, mount / name) == errno.ENOENT


@pytest.mark.parametrize("allow", ["*.example.org", "example.org", "127.0.0.?0", "12.0.0.1",
                                   "127.0.0.1.example.org", "example.org:*.127.0.0.1.net"])
def test_a_host_that_is_not_allowed_is_refused_and_not_asked(web, origin, allow):
    mount = web(allow, "allow_private")
    assert error_of(read, place_of(mount, origin, "a.jpg")) == errno.EACCES
    assert error_of(os.listdir, place_of(mount, origin)) == errno.EACCES
    assert error_of(os.mkdir, place_of(mount, origin)) == errno.EACCES
    assert mount.stat("refused") >= 3
    assert origin.accepted == 0


@pytest.mark.parametrize("allow", ["*", "127.*", "localhost:127.0.0.1", "0x7f.1", "2130706433",
                                   "127.0.0.?", "127.0.0.1."])
def test_what_allow_may_say(web, origin, allow):
    mount = web(allow, "allow_private")
    origin.fresh("/a.jpg", b"found")
    assert read(place_of(mount, origin, "a.jpg")) == b"found"


@pytest.mark.parametrize("allow", ["a..b", "a b", ":", "a:", "[::1", "a@b", "*.a b", "a?é", "1.2.3.4.5"])
def test_what_it_may_not_say(make_mount, allow):
    with pytest.raises(NotMounted, match="option allow"):
        make_mount("web", f"allow={allow}")


def test_it_has_to_be_said(make_mount):
    with pytest.raises(NotMounted, match="allow=HOST"):
        make_mount("web")


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.0.0.1", "2130706433", "127.1", "017700000001",
                                  "127.0.0.1.", "%31%32%37.0.0.1", "１２７.0.0.1", "127。0。0。1"])
def test_each_spelling_of_a_host_is_the_same_host(web, origin, host):
    mount = web(NAMES_A_HOST, "allow_private")
    origin.fresh("/a.jpg", b"found")
    assert read(place_of(mount, origin, "a.jpg")) == b"found"
    assert read(mount / "http:" / f"{host}:{origin.port}" / "a.jpg") == b"found"
    assert origin.count() == 1


# What has led other programs to their own network. {} is the port.
BYPASSES = [
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "0", "0.0.0.0", "0x0", "00",
    "2130706433", "0x7f000001", "0X7F.0.0.1", "017700000001", "0177.0.0.1", "0177.1", "127.0x1",
    "127.0.0.1.", "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "１２７.0.0.1", "127。0。0。1",
    "①②⑦.0.0.1", "127.0.0.01", "0300.0250.0.1", "4294967296", "127.0.0.1%00.example.org",
    "localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]",
    "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]",
    "[2001:db8::1]", "[2001::1]", "[100::1]",
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1",
    "169.254.43518", "0xa9fea9fe", "2852039166", "025177524776", "[::ffff:169.254.169.254]",
    "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "240.0.0.1", "255.255.255.255",
    "example.org@127.0.0.1", "example.org%40127.0.0.1", "127.0.0.1#example.org",
    "127.0.0.1%23.example.org", "127.0.0.1?example.org", "127.0.0.1\\@example.org",
    "example.org\\@127.0.0.1", "127.0.0.1 example.org", "127.0.0.1\texample.org",
    "127.0.0.1\r\nHost: example.org", "127.0.0.1%0d%0aX: y", "user:pass@127.0.0.1",
    "127.0.0.1:{}:80", "127.0.0.1;{}", "127.0.0.1,example.org", "[127.0.0.1]", "[::1",
]
REFUSED = {errno.EACCES, errno.ENOENT}


def spelled(host, port):
    if "{}" in host:
        return host.format(port)
    return f"{host}:{port}"


def test_no_spelling_leads_to_a_private_address(make_origin, web):
    """Everything is allowed here: the address alone decides."""
    mount = web("*", "connect_timeout=1s", "retries=0")
    origins = [make_origin(), make_origin(address="127.0.0.2")]
    origins[0].route(None, lambda request: Response(b"secret"))
    led_astray = []
    for host in BYPASSES:
        for scheme in ("http:", "https:"):
            path = mount / scheme / spelled(host, origins[0].port) / "latest/meta-data.txt"
            error = error_of(read, path)
            if error not in REFUSED:
                led_astray.append((scheme, host, error))
    assert led_astray == []
    assert [origin.accepted for origin in origins] == [0, 0]


def test_nor_does_one_around_what_is_allowed(origin, web):
    mount = web("example.org:*.example.org", "allow_private", "connect_timeout=1s", "retries=0")
    origin.route(None, lambda request: Response(b"secret"))
    for host in BYPASSES:
        path = mount / "http:" / spelled(host, origin.port) / "a.txt"
        assert error_of(read, path) in REFUSED, host
    assert origin.accepted == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_lead_to_allowed_hosts_alone(make_origin, web, status):
    first, other = make_origin(), make_origin(address="127.0.0.2")
    other.fresh("/b.jpg", b"found")
    first.set("/a.jpg", status=status, headers=[("Location", f"{other.url}/b.jpg")])
    mount = web("127.0.0.1", "allow_private")
    assert error_of(read, place_of(mount, first, "a.jpg")) == errno.EACCES
    assert (other.accepted, mount.stat("refused")) == (0, 1)
    both = web("127.0.0.1:127.0.0.2", "allow_private")
    assert read(place_of(both, first, "a.jpg")) == b"found"


def test_redirects_to_private_addresses_are_refused_whatever_is_allowed(make_origin, make_mount):
    first, other = make_origin(), make_origin(address="127.0.0.2")
    other.fresh("/b.jpg", b"secret")
    first.set("/a.jpg", status=302, headers=[("Location", f"{other.url}/b.jpg")])
    mount = make_mount(first.url, "allow=*")
    assert error_of(read, mount / "a.jpg") == errno.EACCES
    assert other.accepted == 0


def test_allow_limits_the_redirects_of_one_site_too(make_origin, make_mount):
    first, other = make_origin(), make_origin(address="127.0.0.2")
    other.fresh("/b.jpg", b"found")
    first.set("/a.jpg", status=302, headers=[("Location", f"{other.url}/b.jpg")])
    first.set("/own.jpg", status=302, headers=[("Location", f"{first.url}/c.jpg")])
    first.fresh("/c.jpg", b"own")
    mount = make_mount(first.url, "allow=*.example.org", "allow_private")
    assert read(mount / "own.jpg") == b"own"
    assert error_of(read, mount / "a.jpg") == errno.EACCES
    assert other.accepted == 0


def test_purge_by_path_and_by_url(web, origin):
    mount = web(NAMES_A_HOST, "allow_private")
    origin.fresh("/a.jpg", b"found")
    for times, target in enumerate((f"http:/{NAMES_A_HOST}:{origin.port}/a.jpg",
                                    f"{origin.url}/a.jpg", f"{origin.url}/*"), 1):
        read(place_of(mount, origin, "a.jpg"))
        assert origin.count() == times
        mount.purge(target)
    run("rm", place_of(mount, origin, "a.jpg"))
    assert origin.count() == 4
