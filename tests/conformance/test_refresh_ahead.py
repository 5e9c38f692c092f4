"""refresh_ahead: what is in use is asked for again before it goes stale."""
import itertools

from limited import eventually, read
from origin import Response

FRESH = (("Cache-Control", "max-age=1000"),)


def numbered(origin, path):
    bodies = itertools.count(1)
    origin.route(path, lambda request: Response(
        b"%d" % next(bodies), headers=FRESH,
        gate="second" if origin.count(path) == 2 else None))


def test_the_new_one_is_shown_once_it_is_there(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "refresh_ahead=80%")
    numbered(origin, "/a.txt")
    assert read(mount / "a.txt") == b"1"
    mount.advance(850)
    for _ in range(3):  # one request for all, and nobody waits for it
        assert read(mount / "a.txt") == b"1"
    origin.wait_reached("second")
    assert read(mount / "a.txt") == b"1"
    assert origin.count("/a.txt") == 2
    origin.release("second")
    eventually(lambda: read(mount / "a.txt") == b"2", "the new one is shown")
    assert origin.count("/a.txt") == 2
    assert mount.stat("refreshed_ahead") == 1


def test_the_kernel_does_not_keep_the_name_from_it(make_mount, origin):
    """With the kernel's own memory of names, in real time."""
    mount = make_mount(origin.url, "refresh_ahead=10%", "kernel_ttl=1h")
    origin.set("/a.txt", b"x", headers=[("Cache-Control", "max-age=10")], etag='"1"')
    read(mount / "a.txt")
    eventually(lambda: read(mount / "a.txt") and mount.stat("refreshed_ahead") >= 1,
               "asked for again though it is fresh")


def test_off_by_default(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0")
    numbered(origin, "/a.txt")
    read(mount / "a.txt")
    mount.advance(990)
    assert read(mount / "a.txt") == b"1"
    assert mount.stat("refreshed_ahead") == 0
    assert origin.count("/a.txt") == 1
