""".cached, miss=background and only_cached_for: reading without asking an origin."""
import errno
import os
import shutil
import subprocess

import pytest

from limited import LIMIT, error_of, eventually, names, read, run, stat
from mounted import NotMounted
from origin import noise

MINUTE = [("Cache-Control", "max-age=60")]


def is_stored(mount, name):
    return os.path.exists(mount / ".cached" / name)


def stored(mount, name):
    eventually(lambda: is_stored(mount, name), f"{name} is stored")


# --- .cached ---

def test_cached_shows_what_is_stored_and_asks_for_nothing(mount, origin):
    for path in ("a.txt", "d/b.txt", "d/e/page", "q.txt?x=1"):
        origin.set(f"/{path}", path.encode(), headers=MINUTE)
        read(mount / path)
        stored(mount, path)
    mount.advance(3600)
    asked = origin.count()
    for path in ("a.txt", "d/b.txt", "d/e/page", "q.txt?x=1"):
        assert read(mount / ".cached" / path) == path.encode()
        assert stat(mount / ".cached" / path).st_ino > 0
    for path in ("x.txt", "d/x.jpg", "other", "d/index.html", ".control", ".cached"):
        assert error_of(os.stat, mount / ".cached" / path) == errno.ENOENT
    assert names(mount / ".cached") == ["a.txt", "d", "q.txt?x=1"]
    assert names(mount / ".cached/d") == ["b.txt", "e"]
    found = run("find", mount / ".cached", "-type", "f").stdout.split()
    assert len(found) == 4
    assert origin.count() == asked


def test_cached_is_not_listed_and_read_only(mount, origin):
    origin.fresh("/d/a.txt", b"x")
    read(mount / "d/a.txt")
    stored(mount, "d/a.txt")
    assert ".cached" not in os.listdir(mount.dir)
    assert error_of(os.unlink, mount / ".cached/d/a.txt") == errno.EROFS
    assert error_of(os.mkdir, mount / ".cached/new") == errno.EROFS
    assert error_of(os.rmdir, mount / ".cached/d") == errno.EROFS
    assert error_of(os.rmdir, mount / ".cached") == errno.EROFS
    assert error_of(os.mkdir, mount / ".cached") == errno.EEXIST


def test_cached_can_be_copied(mount, origin, place):
    for number in range(20):
        path = f"d{number % 3}/{number}.bin"
        origin.fresh(f"/{path}", noise(10_000, number))
        read(mount / path)
        stored(mount, path)
    run("cp", "-r", mount / ".cached", place / "copy")
    for number in range(20):
        assert (place / f"copy/d{number % 3}/{number}.bin").read_bytes() == noise(10_000, number)
    assert origin.count() == 20


def test_cached_has_nothing_that_is_arriving(mount, origin):
    body = noise(100_000)
    origin.fresh("/a.bin", body, gates={50_000: "half"})
    assert stat(mount / "a.bin").st_size == len(body)
    assert error_of(os.stat, mount / ".cached/a.bin") == errno.ENOENT
    assert names(mount / ".cached") == []
    origin.release("half")
    stored(mount, "a.bin")
    assert read(mount / ".cached/a.bin") == body
    assert origin.count() == 1


def test_cached_forgets_what_is_purged(mount, origin):
    origin.fresh("/d/a.txt", b"x")
    read(mount / "d/a.txt")
    stored(mount, "d/a.txt")
    mount.purge("all")
    assert error_of(os.stat, mount / ".cached/d/a.txt") == errno.ENOENT
    assert names(mount / ".cached") == []


def test_cached_has_pages_and_documents_of_directories(mount, origin):
    origin.fresh("/docs/", b"front")
    origin.fresh("/page", b"page")
    read(mount / "docs/index.html")
    read(mount / "page")
    stored(mount, "docs/index.html")
    assert read(mount / ".cached/docs/index.html") == b"front"
    assert read(mount / ".cached/page") == b"page"
    assert names(mount / ".cached/docs") == ["index.html"]


def test_cached_of_web(make_mount, origin):
    mount = make_mount("web", "allow=*", "allow_private")
    assert names(mount / ".cached") == []
    origin.fresh("/a.txt", b"x")
    path = f"http:/{origin.address}:{origin.port}/a.txt"
    read(mount / path)
    stored(mount, path)
    assert read(mount / ".cached" / path) == b"x"
    assert names(mount / ".cached") == ["http:"]
    assert names(mount / ".cached/http:") == [f"{origin.address}:{origin.port}"]
    assert error_of(os.stat, mount / ".cached/https:/example.org") == errno.ENOENT
    assert mount.stop() == 0
    narrow = make_mount("web", "allow=example.com", "allow_private", cache=mount.cache)
    for top in (narrow.dir, narrow / ".cached"):
        assert error_of(os.stat, f"{top}/{path}") == errno.EACCES
    assert names(narrow / ".cached/http:") == []
    assert origin.count() == 1


# --- miss=background ---

def test_a_miss_is_enoent_and_fetched_behind(make_mount, origin):
    mount = make_mount(origin.url, "miss=background")
    body = noise(20_000_000)
    origin.fresh("/big.bin", body, gates={0: "headers", 1_000_000: "body"})
    assert error_of(os.stat, mount / "big.bin") == errno.ENOENT
    origin.wait_reached("headers")
    assert error_of(os.stat, mount / "big.bin") == errno.ENOENT
    origin.release("headers")
    origin.wait_reached("body")
    assert error_of(os.stat, mount / "big.bin") == errno.ENOENT
    origin.release("body")
    stored(mount, "big.bin")
    assert read(mount / "big.bin") == body
    assert origin.count() == 1, "to the end, though nobody reads it"


def test_an_expired_one_is_asked_for_behind(make_mount, origin):
    mount = make_mount(origin.url, "miss=background")
    origin.set("/a.txt", b"one", headers=MINUTE, etag='"1"')
    assert error_of(os.stat, mount / "a.txt") == errno.ENOENT
    eventually(lambda: not error_of(os.stat, mount / "a.txt"), "there")
    assert read(mount / "a.txt") == b"one"
    assert origin.count() == 1
    mount.advance(70)
    mount.remount()
    assert error_of(os.stat, mount / "a.txt") == errno.ENOENT
    eventually(lambda: not error_of(os.stat, mount / "a.txt"), "there")
    assert read(mount / "a.txt") == b"one"
    assert [r.headers.get("if-none-match") for r in origin.requests] == [None, '"1"']


def test_what_the_origin_does_not_have_is_asked_for_once(make_mount, origin):
    mount = make_mount(origin.url, "miss=background", "negative_ttl=1h")
    for _ in range(5):
        assert error_of(os.stat, mount / "a.txt") == errno.ENOENT
        eventually(lambda: mount.stat("transfers_active") == 0, "fetched")
    assert origin.count() == 1


def test_pages_and_documents_behind(make_mount, origin):
    mount = make_mount(origin.url, "miss=background")
    origin.fresh("/page", b"page")
    origin.fresh("/d/", b"front")
    assert error_of(open, mount / "page") in (errno.ENOENT, errno.EISDIR)
    eventually(lambda: is_stored(mount, "page"), "stored")
    assert read(mount / "page") == b"page"
    eventually(lambda: not error_of(os.stat, mount / "d/index.html"), "there")
    assert read(mount / "d/index.html") == b"front"
    assert origin.count() == 3


def test_miss_has_two_words(make_mount, origin):
    with pytest.raises(NotMounted, match="wait or background"):
        make_mount(origin.url, "miss=foreground")


def test_a_mount_ends_while_something_is_fetched_behind(make_mount, origin):
    mount = make_mount(origin.url, "miss=background")
    origin.fresh("/a.txt", b"x", gate="never")
    assert error_of(os.stat, mount / "a.txt") == errno.ENOENT
    origin.wait_reached("never")
    assert mount.stop() == 0


# --- crawlers ---

@pytest.fixture
def program(place):
    """program(name, like): a copy of a program, called so by the kernel."""
    def make(name, like):
        shutil.copy(shutil.which(like), place / name)
        return place / name
    return make


def fill(mount, origin):
    for path in ("a.txt", "d/b.txt", "d/page", "d/e/c.jpg"):
        origin.set(f"/{path}", path.encode(), headers=MINUTE)
        read(mount / path)
        stored(mount, path)


def test_a_crawler_sees_what_is_stored_however_old(mount, origin, program):
    fill(mount, origin)
    crawler = program("updatedb", "find")
    mount.advance(3600)
    mount.remount()
    asked = origin.count()
    done = run(crawler, mount.dir, "-not", "-path", "*/.control*", "-type", "f", "-printf", "%s %P\n")
    found = dict(line.split(" ")[::-1] for line in done.stdout.splitlines())
    assert {"a.txt": "5", "d/b.txt": "7", "d/e/c.jpg": "9"}.items() <= found.items()
    assert origin.count() == asked


def test_a_crawler_has_nothing_fetched(make_mount, origin, program):
    origin.fresh("/x.txt", b"x")
    reader = program("a-name-that-is-longer", "cat")
    mount = make_mount(origin.url, "only_cached_for=other:a-name-that-is-longer")
    for name in ("x.txt", "page", "d/index.html"):
        done = subprocess.run([reader, mount / name], capture_output=True, timeout=LIMIT,
                              check=False)
        assert done.returncode == 1
    assert origin.count() == 0
    read(mount / "x.txt")
    stored(mount, "x.txt")
    assert run(reader, mount / "x.txt").stdout == "x"


def test_the_list_can_be_empty(make_mount, origin, program):
    origin.fresh("/x.txt", b"x")
    mount = make_mount(origin.url, "only_cached_for=none")
    assert run(program("updatedb", "cat"), mount / "x.txt").stdout == "x"


@pytest.mark.parametrize("command", [["find"], ["ls", "-lR"], ["du", "-a"]])
def test_walking_the_tree_fetches_nothing(mount, origin, command):
    fill(mount, origin)
    asked = origin.count()
    run(*command, mount.dir)
    assert origin.count() == asked
