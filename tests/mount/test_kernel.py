"""What the kernel remembers: names, pages, and directories that it holds open."""
import mmap
import os
import pathlib
import stat as modes
import time

import pytest

from limited import Task, error_of, eventually, names, read, read_at, run, stat, within
from origin import noise

KIB = 1 << 10


def test_without_epochs_a_purge_takes_a_moment_and_is_exact(make_mount, origin):
    mount = make_mount(origin.url, env={"WEBCACHEFS_NO_EPOCH": "1"})
    for number in range(3):
        origin.fresh("/a.txt", b"%d" % number)
        mount.purge("/a.txt")
        assert read(mount / "a.txt") == b"%d" % number


def test_without_epochs_the_end_waits_for_no_purge(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=1h", env={"WEBCACHEFS_NO_EPOCH": "1"})
    origin.fresh("/a.txt", b"1")
    read(mount / "a.txt")
    purge = Task(error_of, mount.write, "purge", "all\n")
    eventually(lambda: mount.stat("purged") == 1, "it waits until the kernel asks again")
    assert mount.terminate() == 0
    purge.result()


def test_with_epochs_a_purge_waits_for_no_timeout(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=1h")
    began = time.monotonic()
    for number in range(20):
        origin.fresh("/a.txt", b"%d" % number)
        mount.purge("/a.txt")
        assert read(mount / "a.txt") == b"%d" % number
    assert time.monotonic() - began < 20


def test_rm_is_seen_by_the_next_open_and_not_by_who_reads(mount, origin):
    origin.fresh("/a.txt", b"old")
    fd = within(os.open, mount / "a.txt", os.O_RDONLY)
    try:
        origin.fresh("/a.txt", b"new")
        within(os.unlink, mount / "a.txt")
        assert within(os.read, fd, 10) == b"old"
        assert read(mount / "a.txt") == b"new"
    finally:
        os.close(fd)


def test_what_is_scribbled_into_pages_does_not_stay(mount, origin):
    body = b"x" * 5000
    origin.fresh("/a.txt", body)
    assert read(mount / "a.txt") == body

    def scribble():
        fd = os.open(mount / "a.txt", os.O_RDWR)
        try:
            with mmap.mmap(fd, len(body), mmap.MAP_SHARED) as pages:
                pages[:4] = b"evil"
                error_of(pages.flush)
        finally:
            os.close(fd)
    within(scribble)
    eventually(lambda: read(mount / "a.txt") == body, "the pages are right again")


def test_a_directory_that_is_a_page_too_can_be_used_as_one(mount, origin):
    origin.fresh("/docs", b"contents")
    origin.fresh("/docs/a.txt", b"below")
    assert read(mount / "docs/a.txt") == b"below"
    assert read(mount / "docs") == b"contents"

    def through_a_descriptor():
        fd = os.open(mount / "docs", os.O_RDONLY | os.O_DIRECTORY)
        try:
            assert modes.S_ISDIR(os.fstat(fd).st_mode)
            assert os.listdir(fd) == ["a.txt"]
        finally:
            os.close(fd)
    within(through_a_descriptor)
    assert run("sh", "-c", 'cd "$0"/docs && cat a.txt && ls -d .', mount.dir).stdout == "below.\n"
    assert read(mount / "docs") == b"contents"


def test_a_page_with_nothing_below_it_can_be_listed_and_entered(mount, origin):
    origin.fresh("/docs", b"contents")
    assert read(mount / "docs") == b"contents"
    assert modes.S_ISREG(stat(mount / "docs").st_mode)

    def through_a_descriptor():
        fd = os.open(mount / "docs", os.O_RDONLY | os.O_DIRECTORY)
        try:
            assert modes.S_ISDIR(os.fstat(fd).st_mode)
        finally:
            os.close(fd)
    within(through_a_descriptor)
    assert run("sh", "-c", 'cd "$0"/docs && ls -d .', mount.dir).stdout == ".\n"


def test_a_redirect_to_the_slash_is_a_directory_to_all(mount, origin):
    for name in ("d", "e.d"):
        origin.set(f"/{name}", status=301, headers=[("Location", f"{origin.url}/{name}/")])
        origin.fresh(f"/{name}/x.txt", b"x")
        assert modes.S_ISDIR(stat(mount / name).st_mode)
        assert read(mount / name / "x.txt") == b"x"
        assert names(mount / name) == ["x.txt"]


@pytest.mark.parametrize("options, kib", [
    ([], 512), (["read_ahead=2M"], 2048), (["read_ahead=0"], 0), (["read_ahead=none"], 128),
])
def test_the_kernel_reads_ahead_as_told(make_mount, origin, options, kib):
    device = stat(make_mount(origin.url, *options).dir).st_dev
    shown = pathlib.Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
    if not os.access(shown, os.W_OK):
        pytest.skip("/sys is read-only here, so nobody can")
    assert int(shown.read_text()) == kib


def test_who_reads_what_has_arrived_does_not_wait_for_what_is_read_ahead(mount, origin):
    body = noise(4096 * KIB)
    origin.fresh("/x.bin", body, gates={700 * KIB: "rest"})
    for number in range(4):
        at = number * 128 * KIB
        assert read_at(mount / "x.bin", at, 128 * KIB) == body[at:at + 128 * KIB]
    fd = within(os.open, mount / "x.bin", os.O_RDONLY)
    try:
        for number in range(5):
            at = number * 128 * KIB
            assert within(os.read, fd, 128 * KIB) == body[at:at + 128 * KIB]
    finally:
        os.close(fd)
    origin.release("rest")
    assert read(mount / "x.bin") == body
