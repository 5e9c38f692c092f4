"""Names of hosts: those that do not exist, which is remembered for a moment, and those
of which nobody can tell now, which is not."""
import contextlib
import errno
import os
import random
import socket
import struct
import threading

import pytest

from limited import Task, error_of, eventually, read, run, together

NXDOMAIN, SERVFAIL, NOERROR, REFUSED = 3, 2, 0, 5


class NameServer:
    """Answers every question alike: with a code, and an address if there is one."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address = self._bind()
        self.code, self.host, self.silent = NXDOMAIN, None, False
        self.asked = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _bind(self):
        """To an address of this test alone: the port is the same for all."""
        for _ in range(100):
            address = f"127.53.{random.randrange(256)}.{random.randrange(1, 255)}"
            with contextlib.suppress(OSError):
                self.socket.bind((address, 53))
                return address
        raise AssertionError("no address is free")

    def _serve(self):
        while True:
            question, peer = self.socket.recvfrom(4096)
            if not question:  # close()
                return
            self.asked += 1
            if self.silent:
                continue
            end = question.index(b"\0", 12) + 5
            found = self.host and question[end - 4:end - 2] == b"\0\1"  # A, not AAAA
            record = b""
            if found:
                record = struct.pack(">HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(self.host)
            code = NOERROR if self.host else self.code
            self.socket.sendto(question[:2] + struct.pack(">5H", 0x8180 | code, 1, bool(record),
                                                          0, 0) + question[12:end] + record, peer)

    def close(self):
        self.socket.sendto(b"", (self.address, 53))
        self._thread.join()
        self.socket.close()


@pytest.fixture
def names(place):
    """The resolver of this test alone. At first it knows no name."""
    server = NameServer()
    (place / "resolv.conf").write_text(
        f"nameserver {server.address}\noptions timeout:1 attempts:1\n")
    (place / "nsswitch.conf").write_text("hosts: dns\n")
    mounted = []
    for name in ("resolv.conf", "nsswitch.conf"):
        target = os.path.realpath(f"/etc/{name}")
        if os.path.exists(target):
            run("mount", "--bind", place / name, target)
            mounted.append(target)
    yield server
    for target in mounted:
        run("umount", target)
    server.close()


URL = "http://no-such-host.example.com/"
OPTIONS = ("retries=0", "kernel_ttl=0")


def test_a_host_that_does_not_exist_is_remembered(make_mount, names):
    mount = make_mount(URL, *OPTIONS, "negative_ttl=30s")
    assert error_of(read, mount / "a.txt") == errno.ENOENT
    asked = names.asked
    assert asked > 0
    for name in ("a.txt", "b.txt", "c.txt"):
        assert error_of(read, mount / name) == errno.ENOENT
    assert names.asked == asked
    assert mount.stat("negative_hosts") >= 3
    assert mount.stat("failed_dns") == 1
    mount.advance(40)
    assert error_of(read, mount / "a.txt") == errno.ENOENT
    assert names.asked > asked


def test_never_for_more_than_a_minute(make_mount, names):
    mount = make_mount(URL, *OPTIONS, "negative_ttl=1h")
    assert error_of(read, mount / "a.txt") == errno.ENOENT
    asked = names.asked
    mount.advance(70)
    assert error_of(read, mount / "a.txt") == errno.ENOENT
    assert names.asked > asked


@pytest.mark.parametrize("target", ["all", f"{URL}a.txt", f"{URL}*",
                                    "host:no-such-host.example.com"])
def test_a_purge_forgets_it(make_mount, names, target):
    mount = make_mount(URL, *OPTIONS, "negative_ttl=1m")
    assert error_of(read, mount / "a.txt") == errno.ENOENT
    asked = names.asked
    mount.purge("host:another.example.com")
    assert error_of(read, mount / "a.txt") == errno.ENOENT
    assert names.asked == asked
    mount.purge(target)
    assert error_of(read, mount / "a.txt") == errno.ENOENT
    assert names.asked > asked


def test_not_at_all_without_negative_ttl(make_mount, names):
    mount = make_mount(URL, *OPTIONS, "negative_ttl=0")
    assert error_of(read, mount / "a.txt") == errno.ENOENT
    asked = names.asked
    assert error_of(read, mount / "a.txt") == errno.ENOENT
    assert names.asked > asked


@pytest.mark.parametrize("code", [SERVFAIL, REFUSED])
def test_what_nobody_can_tell_is_another_error_and_not_remembered(make_mount, names, code):
    names.code = code
    mount = make_mount(URL, *OPTIONS)
    assert error_of(read, mount / "a.txt") == errno.EHOSTUNREACH
    asked = names.asked
    assert error_of(read, mount / "a.txt") == errno.EHOSTUNREACH
    assert names.asked > asked
    assert mount.stat("negative_hosts") == 0
    assert mount.stat("failed_dns") == 2


def test_silent_name_servers(make_mount, names):
    names.silent = True
    mount = make_mount(URL, *OPTIONS)
    assert error_of(read, mount / "a.txt") in (errno.EHOSTUNREACH, errno.ETIMEDOUT)


def test_a_host_that_comes_to_be(make_mount, origin, names):
    origin.fresh("/a.txt", b"there")
    mount = make_mount(f"http://new.example.com:{origin.port}/", *OPTIONS, "negative_ttl=30s")
    assert error_of(read, mount / "a.txt") == errno.ENOENT
    names.host = "127.0.0.1"
    assert error_of(read, mount / "a.txt") == errno.ENOENT
    mount.advance(31)
    assert read(mount / "a.txt") == b"there"


def test_many_readers_ask_once(make_mount, names):
    mount = make_mount(URL, *OPTIONS, "negative_ttl=30s")
    results = together([lambda n=n: error_of(read, mount / f"{n}.txt") for n in range(30)])
    assert results == [errno.ENOENT] * 30
    asked = names.asked
    assert error_of(read, mount / "more.txt") == errno.ENOENT
    assert names.asked == asked
    eventually(lambda: mount.stat("transfers_active") == 0, "nothing is left")


def test_a_stale_copy_stands_in(make_mount, origin, names):
    names.host = "127.0.0.1"
    origin.set("/a.txt", b"old", headers=[("Cache-Control", "max-age=100")])
    mount = make_mount(f"http://gone.example.com:{origin.port}/", *OPTIONS, "stale_if_error=1d")
    assert read(mount / "a.txt") == b"old"
    names.host = None
    mount.remount()
    mount.advance(200)
    for _ in range(3):
        assert read(mount / "a.txt") == b"old"
    assert error_of(read, mount / "b.txt") == errno.ENOENT
    assert mount.stat("stale_served") == 3


def test_the_mount_ends_while_name_servers_are_silent(make_mount, names):
    names.silent = True
    mount = make_mount(URL, *OPTIONS)
    task = Task(error_of, read, mount / "a.txt")
    eventually(lambda: names.asked > 0, "it asks")
    assert mount.terminate() == 0
    assert task.result() is not None
