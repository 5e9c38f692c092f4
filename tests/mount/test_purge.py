"""Purge and refresh in all their forms."""
import errno
import json
import os
import subprocess
import threading

import pytest

from limited import LIMIT, Task, error_of, eventually, read, run, within
from origin import Response

HOUR = ("Cache-Control", "max-age=3600")
PATHS = ["a.txt", "d/b.txt", "d/e/b.jpg", "d/c.jpg", "f.jpg?x=1"]


def asked_again(mount, origin, paths, file, targets):
    """Which of them the origin is asked for after such an order."""
    before = {path: origin.count(f"/{path}") for path in paths}
    mount.write(file, "".join(f"{target}\n" for target in targets))
    for path in paths:
        read(mount / path)
    return [path for path in paths if origin.count(f"/{path}") > before[path]]


@pytest.fixture
def filled(mount, origin):
    """A few files, read once; asked(...) tells which of them were asked for after it."""
    tags = {"a.txt": ("Surrogate-Key", "one two"), "d/b.txt": ("Cache-Tag", "two, three four"),
            "d/c.jpg": ("surrogate-key", "twofold")}
    for path in PATHS:
        origin.set(f"/{path}", b"x", etag='"x"', headers=(HOUR, tags.get(path, ("X-No", "tag"))))
        read(mount / path)

    def asked(file, *targets):
        return asked_again(mount, origin, PATHS, file, targets)
    return asked


@pytest.fixture
def purged(mount, origin):
    """A few files, read once; purged(...) tells which of them a purge removed."""
    paths = ["a.txt", "d/b.txt", "d/bb.txt", "d/e/c.txt", "f.jpg?x=1", "f.jpg?x=2"]
    for path in paths:
        origin.fresh(f"/{path}", b"x")
        read(mount / path)

    def purged(*targets):
        return asked_again(mount, origin, paths, "purge", targets)
    return purged


def seen_too_late(mount, change, file, target, rounds, readers):
    """change(number) makes it what /a.txt is on the origin. What was seen instead after an
    order had returned, while others read the name all the time."""
    ends, wrong = threading.Event(), []
    change(0)
    read(mount / "a.txt")

    def hammer():
        while not ends.is_set():
            with open(mount / "a.txt", "rb") as opened:
                int(opened.read())
    tasks = [Task(hammer) for _ in range(readers)]
    try:
        for number in range(1, rounds + 1):
            change(number)
            mount.write(file, f"{target}\n")
            seen = int(read(mount / "a.txt"))
            if seen != number:
                wrong.append((number, seen))
    finally:
        ends.set()
    for task in tasks:
        task.result()
    return wrong


def last(mount):
    return json.loads(read(mount.control / "purged"))[0]


@pytest.mark.parametrize("file", ["purge", "refresh"])
def test_forms_of_targets(filled, mount, origin, file):
    host = origin.url.partition("://")[2]
    name = host.partition(":")[0]
    for target, expected in [
            ("/*.jpg", ["d/e/b.jpg", "d/c.jpg"]),
            ("d*b.*", ["d/b.txt", "d/e/b.jpg"]),
            ("*?x=*1", ["f.jpg?x=1"]),
            (f"{origin.url}/*/b.txt", ["d/b.txt"]),
            (f"host:{name}", PATHS),
            (f"host:{host}", PATHS),
            (f"host:{name}:1", []),
            ("host:other.example", []),
            ("tag:two", ["a.txt", "d/b.txt"]),
            ("tag:three four", ["d/b.txt"]),
            ("tag:three", []),
            ("stale", []),
            ("/a.txt", ["a.txt"]),
            ("/d/*", ["d/b.txt", "d/e/b.jpg", "d/c.jpg"]),
            ("all", PATHS)]:
        assert filled(file, target) == expected, target
        shown = last(mount)
        assert (shown["order"], shown["targets"], shown["matched"]) == (file, 1, len(expected))
    assert filled(file, "tag:two", "/*.jpg") == ["a.txt", "d/b.txt", "d/e/b.jpg", "d/c.jpg"]


def test_forms_of_targets_on_what_is_only_on_disk(filled, mount):
    for target, count in (("tag:two", 2), ("/*.jpg", 2), ("all", 5)):
        mount.remount()
        assert len(filled("refresh", target)) == count
        mount.remount()
        assert len(filled("purge", target)) == count


def test_purge_of_what_is_stale(filled, mount, origin):
    origin.set("/long.txt", b"x", headers=(("Cache-Control", "max-age=9000"),))
    read(mount / "long.txt")
    mount.advance(4000)
    mount.write("purge", "stale\n")
    assert last(mount)["matched"] == len(PATHS)
    read(mount / "long.txt")
    assert origin.count("/long.txt") == 1


def test_a_dry_run_only_counts(filled, mount):
    assert filled("purge", "dry-run tag:two", "dry-run /d/c.jpg") == []
    shown = last(mount)
    assert (shown["order"], shown["targets"], shown["matched"]) == ("dry-run", 2, 3)
    assert mount.stat("purged") == 0
    assert error_of(mount.write, "purge", "dry-run a.txt\nd/b.txt\n") == errno.EINVAL
    assert filled("purge", "/nothing.txt") == []


def test_purged_tells_of_each_writer(filled, mount):
    assert read(mount.control / "purged") == b"[]\n"
    shell = 'echo "$1" > "$2/purge"; echo $$'
    pids = [int(within(lambda t=target: os.popen(f"sh -c '{shell}' sh '{t}' {mount.control}").read()))
            for target in ("tag:two", "/d/e/*")]
    shown = json.loads(read(mount.control / "purged"))
    assert [(e["pid"], e["matched"]) for e in shown] == [(pids[1], 1), (pids[0], 2)]
    assert all(e["uid"] == os.getuid() for e in shown)


def test_refresh_asks_whether_it_still_holds(mount, origin):
    origin.set("/a.txt", b"one", etag='"1"', headers=(HOUR,))
    assert read(mount / "a.txt") == b"one"
    mount.write("refresh", "/a.txt\n")
    assert read(mount / "a.txt") == b"one"
    assert mount.stat("revalidated") == 1
    assert read(mount / "a.txt") == b"one"
    assert origin.count("/a.txt") == 2
    origin.set("/a.txt", b"two", etag='"2"', headers=(HOUR,))
    mount.write("refresh", "/a.txt\n")
    assert read(mount / "a.txt") == b"two"


def test_refresh_keeps_what_stands_in_for_a_failing_origin(make_mount, origin):
    mount = make_mount(origin.url, "stale_if_error=1d", "retries=0")
    origin.set("/a.txt", b"one", headers=(HOUR,))
    read(mount / "a.txt")
    origin.set("/a.txt", status=500)
    mount.write("refresh", "all\n")
    assert read(mount / "a.txt") == b"one"
    assert origin.count("/a.txt") == 2


def test_refresh_of_a_revalidation_under_way(make_mount, origin):
    """What was asked before says nothing of after."""
    mount = make_mount(origin.url, "kernel_ttl=0")
    origin.set("/a.txt", b"one", etag='"1"', headers=(("Cache-Control", "max-age=10"),))
    read(mount / "a.txt")
    mount.advance(20)
    origin.set("/a.txt", b"one", etag='"1"', headers=(HOUR,), gate="held")
    early = Task(read, mount / "a.txt")
    origin.wait_reached("held")
    within(mount.write, "refresh", "/a.txt\n")
    origin.set("/a.txt", b"two", etag='"2"', headers=(HOUR,))
    origin.release("held")
    assert early.result() in (b"one", b"two")
    assert read(mount / "a.txt") == b"two"


def test_a_tag_of_what_is_on_its_way(mount, origin):
    origin.set("/a.txt", Response(b"before", headers=(HOUR, ("Cache-Tag", "new")), gate="held"))
    early = Task(read, mount / "a.txt")
    origin.wait_reached("held")
    within(mount.write, "purge", "tag:new\n")
    origin.set("/a.txt", b"after", headers=(HOUR,))
    origin.release("held")
    assert early.result() in (b"before", b"after")
    eventually(lambda: mount.stat("transfers_active") == 0)
    assert read(mount / "a.txt") == b"after"


@pytest.mark.parametrize("file, target", [("refresh", "/a.txt"), ("purge", "tag:t"),
                                          ("refresh", "*.txt*"), ("purge", "host:127.0.0.1")])
def test_in_force_when_the_write_returns(mount, origin, file, target):
    """While others hammer the name."""
    def change(number):
        origin.set("/a.txt", b"%d" % number, etag=f'"{number}"', headers=(HOUR, ("Cache-Tag", "t")))
    assert not seen_too_late(mount, change, file, target, rounds=30, readers=3)


def test_purged_twice_with_one_lookup_between(make_mount, origin):
    """The second purge is not answered with what the first one made the kernel replace."""
    mount = make_mount(origin.url, "kernel_ttl=0")
    for turn in range(20):
        origin.fresh("/a.txt", b"%d.1" % turn, etag=f'"{turn}.1"')
        mount.purge("/a.txt")

        def rounds():
            fd = os.open(mount / "a.txt", os.O_RDONLY)
            try:
                mount.purge("/a.txt")
                assert (mount / "a.txt").read_bytes() == b"%d.1" % turn
                origin.fresh("/a.txt", b"%d.2" % turn, etag=f'"{turn}.2"')
                mount.purge("/a.txt")
                return (mount / "a.txt").read_bytes()
            finally:
                os.close(fd)
        assert within(rounds) == b"%d.2" % turn

def test_purge_by_path(purged):
    assert purged("/a.txt") == ["a.txt"]
    assert purged("/d/b.txt") == ["d/b.txt"]
    assert purged("/f.jpg?x=1") == ["f.jpg?x=1"]


def test_purge_by_url(purged, origin):
    assert purged(f"{origin.url}/d/b.txt") == ["d/b.txt"]
    assert purged(f"{origin.url.upper().replace('HTTP', 'http')}/f.jpg?x=2") == ["f.jpg?x=2"]


def test_purge_by_prefix(purged, origin):
    assert purged("/d/*") == ["d/b.txt", "d/bb.txt", "d/e/c.txt"]
    assert purged("/d/b*") == ["d/b.txt", "d/bb.txt"]
    assert purged(f"{origin.url}/d/e/*") == ["d/e/c.txt"]
    assert purged("/f.jpg*") == ["f.jpg?x=1", "f.jpg?x=2"]


def test_purge_all(purged):
    assert len(purged("all")) == 6


def test_purge_of_several_lines(purged, mount):
    assert purged("/a.txt", "/d/e/c.txt", "/not-there.txt") == ["a.txt", "d/e/c.txt"]
    assert mount.stat("purged") == 2


def test_purge_of_what_is_not_there_is_no_error(purged):
    assert purged("/nothing/here.txt") == []


def test_purge_without_a_newline_at_the_end(mount, origin):
    origin.fresh("/a.txt", b"1")
    read(mount / "a.txt")
    origin.fresh("/a.txt", b"2")
    mount.write("purge", "/a.txt")
    assert read(mount / "a.txt") == b"2"


@pytest.mark.parametrize("bad", ["http://[::1/x", "http://", "http://h:99999/x", "/a/../b.txt",
                                 "https://user name/x", "/nul\0byte", "http://h/a#b*",
                                 "http://h#*", "http://h/*.txt#b", "dry-run"])
def test_bad_syntax_is_einval_and_nothing_is_purged(mount, origin, bad):
    origin.fresh("/a.txt", b"1")
    read(mount / "a.txt")
    assert error_of(mount.write, "purge", f"/a.txt\n{bad}\n") == errno.EINVAL
    assert read(mount / "a.txt") == b"1"
    assert origin.count("/a.txt") == 1
    assert mount.stat("purged") == 0


def test_purge_works_from_the_shell(mount, origin):
    origin.fresh("/a.txt", b"1")
    read(mount / "a.txt")
    origin.fresh("/a.txt", b"2")
    run("sh", "-c", f"echo /a.txt > {mount.control}/purge")
    assert read(mount / "a.txt") == b"2"
    assert subprocess.run(["sh", "-c", f"echo 'http://[' > {mount.control}/purge"],
                          stderr=subprocess.DEVNULL, timeout=LIMIT, check=False).returncode


def test_purge_holds_for_a_remembered_404(make_mount, origin):
    mount = make_mount(origin.url, "negative_ttl=1h")
    assert error_of(read, mount / "a.txt") == errno.ENOENT
    origin.fresh("/a.txt", b"now")
    mount.purge("/a.txt")
    assert read(mount / "a.txt") == b"now"


def test_purge_holds_after_a_remount(mount, origin):
    origin.fresh("/a.txt", b"1")
    read(mount / "a.txt")
    origin.fresh("/a.txt", b"2")
    mount.purge("/a.txt")
    mount.remount()
    assert read(mount / "a.txt") == b"2"


def test_purge_is_in_force_when_the_write_returns(mount, origin):
    """With the default kernel_ttl, while others hammer the name."""
    def change(number):
        origin.fresh("/a.txt", b"%d" % number)
    assert not seen_too_late(mount, change, "purge", "/a.txt", rounds=100, readers=4)


def test_purge_makes_a_transfer_under_way_stale(mount, origin):
    """What was asked for before the purge is not what is shown after it."""
    origin.set("/a.txt", Response(b"before", headers=(("Cache-Control", "max-age=60"),),
                                  gate="held"))
    early = Task(read, mount / "a.txt")
    origin.wait_reached("held")
    within(mount.purge, "/a.txt")
    origin.set("/a.txt", Response(b"after", headers=(("Cache-Control", "max-age=60"),)))
    origin.release("held")
    assert early.result() in (b"before", b"after")
    assert read(mount / "a.txt") == b"after"


def test_purge_does_not_wait_for_a_hung_origin(mount, origin):
    origin.fresh("/d/hung.txt", b"x", gate="hung")
    origin.fresh("/d/a.txt", b"1")
    read(mount / "d/a.txt")
    hung = Task(read, mount / "d/hung.txt")
    origin.wait_reached("hung")
    origin.fresh("/d/a.txt", b"2")
    mount.purge("/d/a.txt")
    assert read(mount / "d/a.txt") == b"2"
    assert not hung.done
    origin.release("hung")
    hung.result()


def test_purge_of_ten_thousand_lines_in_one_go(mount, origin, place):
    origin.fresh("/a.txt", b"1")
    read(mount / "a.txt")
    (place / "list").write_text("".join(f"/list/{n}.txt\n" for n in range(10_000)) + "/a.txt\n")
    done = run("sh", "-c", f"cat {place}/list > {mount.control}/purge", check=False)
    if done.returncode == 0:
        origin.fresh("/a.txt", b"2")
        assert read(mount / "a.txt") == b"2"
    else:  # too large is refused as a whole
        assert read(mount / "a.txt") == b"1"
