"""What was fetched outlives the mount."""
import os
import shutil
import signal

import pytest

from limited import Task, error_of, eventually, names, read, read_at, run, stat, within
from mounted import NotMounted
from origin import noise, text


def test_files_are_served_after_a_remount_without_a_request(mount, origin):
    bodies = {f"{n}.bin": noise(n * 1000, n) for n in range(1, 200)}
    bodies["large.bin"] = noise(3 << 20)
    bodies["large.txt"] = text(3 << 20)
    bodies["empty.txt"] = b""
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body, last_modified=1_500_000_000)
        assert read(mount / name) == body
    asked = origin.count()
    mount.remount()
    for name, body in bodies.items():
        assert stat(mount / name).st_mtime == 1_500_000_000
        assert read(mount / name) == body
    assert names(mount.dir) == sorted(bodies)
    assert origin.count() == asked == len(bodies)


def test_everything_is_served_while_the_origin_is_gone(mount, origin):
    origin.fresh("/a/b/c.txt", b"kept")
    assert read(mount / "a/b/c.txt") == b"kept"
    origin.close()
    mount.remount()
    assert read(mount / "a/b/c.txt") == b"kept"


def test_a_remembered_404_is_remembered_after_a_remount(make_mount, origin):
    mount = make_mount(origin.url, "negative_ttl=1h")
    assert error_of(read, mount / "no.txt") == 2
    mount.remount()
    assert error_of(read, mount / "no.txt") == 2
    assert origin.count("/no.txt") == 1


def test_pages_are_known_as_files_after_a_remount(mount, origin):
    origin.fresh("/docs/intro", b"page")
    assert read(mount / "docs/intro") == b"page"
    mount.remount()
    assert stat(mount / "docs/intro").st_size == 4
    assert read(mount / "docs/intro") == b"page"
    assert origin.count("/docs/intro") == 1


def test_declared_directories_are_there_after_a_remount(mount):
    os.mkdir(mount / "declared.d")
    mount.remount()
    assert stat(mount / "declared.d").st_mode & 0o40000
    assert names(mount.dir) == ["declared.d"]


def test_ten_remounts_in_a_row(mount, origin):
    origin.fresh("/a.txt", b"x" * 1000)
    for _ in range(10):
        assert read(mount / "a.txt") == b"x" * 1000
        mount.remount()
    assert origin.count("/a.txt") == 1


def test_a_download_that_a_remount_cut_short_is_right_afterwards(mount, origin):
    body = noise(8 << 20)
    origin.fresh("/a.bin", body, etag='"1"', ranges=True, gates={6 << 20: "late"})
    assert read_at(mount / "a.bin", 0, 1000) == body[:1000]
    mount.remount()
    origin.release("late")
    assert read(mount / "a.bin") == body


def test_no_compression_gives_the_same_bytes(make_mount, origin):
    mount = make_mount(origin.url, "compress=none")
    body = text(2 << 20)
    origin.fresh("/a.txt", body)
    assert read(mount / "a.txt") == body
    mount.remount()
    assert read(mount / "a.txt") == body
    assert origin.count("/a.txt") == 1


def test_a_body_under_way_is_taken_up_after_an_unmount(make_mount, origin):
    """What had arrived of a large body when the mount ended is not asked for again."""
    mount = make_mount(origin.url)
    body = noise(24 << 20, 5)
    origin.fresh("/a.bin", body, etag='"1"', ranges=True)
    fd = os.open(mount / "a.bin", os.O_RDONLY)
    try:
        assert within(os.pread, fd, 65536, 3 << 20) == body[3 << 20:][:65536]
    finally:
        os.close(fd)
    mount.remount()
    assert read(mount / "a.bin") == body
    assert "range" in origin.asked("/a.bin")[-1].headers
    assert origin.asked("/a.bin")[-1].sent < len(body) - (2 << 20)


def processes_naming_cache(cache):
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and
            os.fsencode(f"cache_dir={cache}") in command_line(pid)]


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def test_the_next_mount_waits_for_the_end_of_the_last_one(make_mount, origin, place):
    """umount(8) returns before the daemon has ended."""
    cache = place / "one-cache"
    origin.fresh("/a.txt", b"there")
    mount = make_mount(origin.url, cache=cache)
    read(mount / "a.txt")

    def let_it_end():
        eventually(lambda: len(processes_naming_cache(cache)) == 2, "the next one waits")
        mount.process.send_signal(signal.SIGCONT)
    mount.process.send_signal(signal.SIGSTOP)
    run("umount", "-l", mount.dir)
    task = Task(let_it_end)
    assert read(make_mount(origin.url, cache=cache) / "a.txt") == b"there"
    task.result()
    assert origin.count() == 1
    assert mount.wait() == 0


def test_a_directory_has_one_daemon(make_mount, origin, place):
    first = make_mount(origin.url, cache=place / "one-cache")
    with pytest.raises(NotMounted, match=rf"in use by another webcachefs \(process "
                                         rf"{first.process.pid}\)"):
        make_mount(origin.url, cache=place / "one-cache")
    assert read(first.control / "health") == b"ok\n"


def test_who_lost_the_directory_leaves_it_to_the_next(make_mount, origin, place):
    """It was removed, and another daemon has made it again: that is not ours any more."""
    cache = place / "one-cache"
    first = make_mount(origin.url, cache=cache)
    for number in range(60):
        origin.fresh(f"/{number}.txt", b"%d" % number * 100)
    read(first / "0.txt")
    shutil.rmtree(cache)
    second = make_mount(origin.url, cache=cache)
    for number in range(30):
        assert read(second / f"{number}.txt") == b"%d" % number * 100
    index = os.stat(cache / "index.db").st_ino
    eventually(lambda: "made again: Device or resource busy" in first.stderr(), "found out")
    for number in range(30, 60):
        assert read(second / f"{number}.txt") == b"%d" % number * 100
        assert read(first / f"{number}.txt") == b"%d" % number * 100
    assert first.stop() == 0
    assert os.stat(cache / "index.db").st_ino == index
    assert read(second.control / "health") == b"ok\n"
    eventually(lambda: second.stat("objects") == 60, "all stored")
    assert second.stat("store_errors") == 0
    before = origin.count()
    second.remount()
    for number in range(60):
        assert read(second / f"{number}.txt") == b"%d" % number * 100
    assert origin.count() == before
