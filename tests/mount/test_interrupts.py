"""Who waits for a hung origin can always leave, at once, and harms nobody.

That it is at once is proven by order, not by clocks: the reader is gone while the
origin still stands at its gate.
"""
import os
import signal
import subprocess

import pytest

from limited import Task, eventually, names, read, run, wait_for_exit
from origin import noise

MIB = 1 << 20
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]


def cat(path):
    return subprocess.Popen(["cat", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_reader_waiting_for_headers_leaves(mount, origin, number):
    origin.fresh("/a.txt", b"late", gate="headers")
    reader = cat(mount / "a.txt")
    origin.wait_reached("headers")
    eventually(lambda: mount.stat("parked") == 1)
    reader.send_signal(number)
    assert wait_for_exit(reader) == -number
    eventually(lambda: mount.stat("parked") == 0)
    assert mount.stat("interrupted") >= 1
    origin.release("headers")
    assert read(mount / "a.txt") == b"late"
    assert origin.count("/a.txt") == 1


@pytest.mark.parametrize("number", SIGNALS)
def test_a_reader_waiting_for_bytes_leaves(mount, origin, number):
    body = noise(2 * MIB)
    origin.fresh("/a.bin", body, gates={MIB: "half"})
    reader = cat(mount / "a.bin")
    origin.wait_reached("half")
    eventually(lambda: mount.stat("parked") >= 1)
    reader.send_signal(number)
    assert wait_for_exit(reader) == -number
    origin.release("half")
    assert read(mount / "a.bin") == body
    assert origin.count("/a.bin") == 1


@pytest.mark.parametrize("number", SIGNALS)
def test_a_reader_waiting_for_a_body_without_length_leaves(mount, origin, number):
    origin.fresh("/a.bin", noise(MIB), framing="chunked", gates={500_000: "half"})
    reader = cat(mount / "a.bin")
    origin.wait_reached("half")
    eventually(lambda: mount.stat("parked") >= 1)
    reader.send_signal(number)
    assert wait_for_exit(reader) == -number
    origin.release("half")
    assert read(mount / "a.bin") == noise(MIB)


@pytest.mark.parametrize("number", SIGNALS)
def test_who_opens_a_page_leaves(mount, origin, number):
    origin.fresh("/docs/page", b"late", gate="headers")
    reader = cat(mount / "docs/page")
    origin.wait_reached("headers")
    eventually(lambda: mount.stat("parked") >= 1)
    reader.send_signal(number)
    assert wait_for_exit(reader) == -number
    origin.release("headers")
    assert read(mount / "docs/page") == b"late"


def test_an_interrupted_open_is_eintr(mount, origin):
    """A program that handles the signal without SA_RESTART sees EINTR."""
    origin.fresh("/a.txt", b"late", gate="headers")
    code = ("import ctypes, os, signal, sys\n"
            "signal.signal(signal.SIGUSR1, lambda *_: None)\n"
            "signal.siginterrupt(signal.SIGUSR1, True)\n"
            "libc = ctypes.CDLL(None, use_errno=True)\n"
            "fd = libc.open(sys.argv[1].encode(), 0)\n"
            "print(fd, ctypes.get_errno())\n")
    reader = subprocess.Popen(["/usr/bin/python3", "-c", code, mount / "a.txt"],
                              stdout=subprocess.PIPE, text=True)
    origin.wait_reached("headers")
    eventually(lambda: mount.stat("parked") == 1)
    reader.send_signal(signal.SIGUSR1)
    assert reader.communicate(timeout=60)[0].split() == ["-1", "4"]


def test_other_readers_are_not_affected(mount, origin):
    body = noise(2 * MIB)
    origin.fresh("/a.bin", body, gates={MIB: "half"})
    leaving = [cat(mount / "a.bin") for _ in range(5)]
    staying = [Task(read, mount / "a.bin") for _ in range(5)]
    origin.wait_reached("half")
    for reader in leaving:
        reader.kill()
    origin.fresh("/b.txt", b"other")
    assert read(mount / "b.txt") == b"other"
    assert not any(task.done for task in staying)
    origin.release("half")
    assert all(task.result() == body for task in staying)
    for reader in leaving:
        assert wait_for_exit(reader) == -signal.SIGKILL
    assert origin.count("/a.bin") == 1


def test_two_hundred_killed_readers_leave_nothing_parked(mount, origin):
    for number in range(200):
        origin.fresh(f"/{number}.txt", b"x", gate="never")
    readers = [cat(mount / f"{number}.txt") for number in range(200)]
    eventually(lambda: mount.stat("parked") == 200)
    for reader in readers:
        reader.kill()
    for reader in readers:
        wait_for_exit(reader)
    eventually(lambda: mount.stat("parked") == 0)
    origin.release("never")
    assert read(mount / "7.txt") == b"x"


def test_unmounting_ends_while_the_origin_hangs(make_mount, origin):
    mount = make_mount(origin.url)
    origin.fresh("/a.txt", b"late", gate="headers")
    reader = cat(mount / "a.txt")
    origin.wait_reached("headers")
    reader.kill()
    wait_for_exit(reader)
    assert mount.stop() == 0


def test_sigterm_frees_who_waits(make_mount, origin):
    mount = make_mount(origin.url)
    origin.fresh("/a.txt", b"late", gate="headers")
    reader = cat(mount / "a.txt")
    origin.wait_reached("headers")
    assert mount.terminate() == 0
    assert wait_for_exit(reader) != 0


def test_a_shell_with_a_deadline_goes_on(mount, origin):
    origin.fresh("/a.txt", b"late", gate="headers")
    assert run("timeout", "1", "cat", mount / "a.txt", check=False).returncode == 124
    assert names(mount.dir) == []
    assert os.path.isdir(mount.dir)
