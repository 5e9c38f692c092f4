"""What the daemon says of itself: on standard error, and to syslog from the background."""
import contextlib
import os
import re
import socket
import stat

from limited import error_of, eventually, read, run
from mounted import DAEMON
from origin import Response

DEVICES = {"null": (1, 3), "urandom": (1, 9), "fuse": (10, 229)}
WARNING, INFO = "<28>", "<30>"  # of facility daemon


def warnings(mount):
    return [line for line in mount.stderr().splitlines() if " warning: " in line]


def test_an_origin_that_fails_is_told_and_not_too_often(make_mount, origin):
    mount = make_mount(origin.url, "retries=0")
    origin.route(None, lambda request: Response(status=503))
    for n in range(30):
        assert error_of(read, mount / f"{n}.txt")
    told = warnings(mount)
    assert len(told) == 10
    assert told[0].endswith(f"{origin.url}/0.txt: status 503")


def test_what_is_not_there_is_no_trouble(mount, origin):
    origin.set("/b.txt", status=403)
    for name in ("a.txt", "b.txt"):
        assert error_of(read, mount / name)
    assert warnings(mount) == []


def test_a_stale_copy_that_stands_in_is_told(make_mount, origin):
    mount = make_mount(origin.url, "retries=0", "kernel_ttl=0")
    origin.sequence("/a.txt", Response(b"x", headers=(("Cache-Control", "max-age=10"),)),
                    Response(status=500))
    read(mount / "a.txt")
    mount.advance(100)
    read(mount / "a.txt")
    line, = warnings(mount)
    assert line.endswith("status 500: the stored copy is served")


@contextlib.contextmanager
def syslog(place):
    """A /dev with little more than a system log in it; yields what was said so far."""
    dev = place / "dev"
    dev.mkdir()
    for name, (major, minor) in DEVICES.items():
        os.mknod(dev / name, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(dev / "log"))
        log.setblocking(False)
        run("mount", "--bind", dev, "/dev")
        said = []

        def listen():
            with contextlib.suppress(BlockingIOError):
                while True:
                    said.append(log.recv(65536).decode())
            return said
        try:
            yield listen
        finally:
            run("umount", "-l", "/dev")


def test_the_background_daemon_talks_to_syslog(origin, place):
    mnt = place / "mnt"
    mnt.mkdir()
    origin.route(None, lambda request: Response(status=502))
    with syslog(place) as listen:
        run(DAEMON, origin.url, mnt, "-o", f"cache_dir={place}/cache,retries=0")
        try:
            for n in range(15):
                assert error_of(read, mnt / f"{n}.txt")
        finally:
            run("umount", mnt)
        eventually(lambda: any("unmounted from" in line for line in listen()))
        said = listen()
    assert all(re.match(r"<\d+>.*webcachefs\[\d+\]: ", line) for line in said)
    told = [line for line in said if line.startswith(WARNING)]
    assert len(told) == 10 and f"{origin.url}/0.txt: status 502" in told[0]
    assert [line.startswith(INFO) for line in said if "mounted" in line] == [True, True]
