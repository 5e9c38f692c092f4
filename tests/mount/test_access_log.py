"""The option access_log: a line for each name answered and each request sent."""
import errno
import re
import signal
import subprocess

import pytest

from limited import Task, error_of, eventually, read, run
from mounted import NotMounted
from origin import Reset, Response

LINE = re.compile(r'(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?P<who>\d+/\d+|-/-) '
                  r'"(?P<url>[^"]*)" (?P<status>\d{3}|-) (?P<bytes>\d+|-) '
                  r'(?P<took>\d+\.\d{6}) (?P<word>[A-Z]+) "(?P<reason>[^"]*)"')


@pytest.fixture
def log(place):
    return place / "access.log"


def lines(log):
    found = [LINE.fullmatch(line) for line in log.read_text().splitlines()]
    assert all(found), log.read_text()
    return [match.groupdict() for match in found]


def words(log):
    return [line["word"] for line in lines(log)]


def until(log, n):
    """The lines once there are n."""
    eventually(lambda: log.exists() and len(lines(log)) >= n, f"{n} lines")
    assert len(lines(log)) == n
    return lines(log)


def of_names(log, n):
    eventually(lambda: log.exists() and len([w for w in words(log) if w != "FETCH"]) >= n)
    return [line for line in lines(log) if line["word"] != "FETCH"]


def test_a_miss_a_hit_and_the_request(make_mount, origin, log):
    mount = make_mount(origin.url, f"access_log={log}", "kernel_ttl=0")
    origin.fresh("/a b.txt".replace(" ", "%20"), b"x" * 1234)
    process = subprocess.Popen(["cat", mount / "a b.txt"], stdout=subprocess.DEVNULL)
    assert process.wait(20) == 0
    shown = until(log, 2)
    assert {line["url"] for line in shown} == {f"{origin.url}/a%20b.txt"}
    miss, = [line for line in shown if line["word"] == "MISS"]
    sent, = [line for line in shown if line["word"] == "FETCH"]
    assert (miss["status"], miss["bytes"], miss["who"]) == ("200", "1234", f"0/{process.pid}")
    assert (sent["status"], sent["bytes"], sent["who"]) == ("200", "1234", "-/-")
    assert sent["reason"] == "get" and float(sent["took"]) > 0
    explained = run("cat", mount.control / "explain" / "%2Fa%20b.txt").stdout
    assert miss["reason"] == re.search(r'"why": "(.*)"', explained)[1] != ""
    assert read(mount / "a b.txt") == b"x" * 1234
    hit = until(log, 3)[2]
    assert (hit["word"], hit["status"], hit["bytes"]) == ("HIT", "200", "1234")
    assert hit["reason"] == miss["reason"]


def test_what_is_stale_is_said(make_mount, origin, log):
    mount = make_mount(origin.url, f"access_log={log}", "kernel_ttl=0", "retries=0")
    fresh = (("Cache-Control", "max-age=10, stale-if-error=100000"),)
    origin.set("/a.txt", b"one", etag='"1"', headers=fresh)
    read(mount / "a.txt")
    mount.advance(100)
    read(mount / "a.txt")
    mount.advance(100)
    origin.set("/a.txt", status=503)
    read(mount / "a.txt")
    mount.advance(100)
    origin.set("/a.txt", b"two", etag='"2"', headers=fresh)
    read(mount / "a.txt")
    assert [line["word"] for line in of_names(log, 4)] == \
        ["MISS", "REVALIDATED", "STALE", "EXPIRED"]
    eventually(lambda: words(log).count("FETCH") == 4)
    sent = [(line["status"], line["reason"]) for line in lines(log) if line["word"] == "FETCH"]
    assert sorted(sent) == [("200", "get"), ("200", "revalidate"), ("304", "revalidate"),
                            ("503", "revalidate")]


def test_errors_are_said(make_mount, origin, log):
    mount = make_mount(origin.url, f"access_log={log}", "kernel_ttl=0", "retries=0")
    origin.set("/no.txt", status=404, headers=(("Cache-Control", "max-age=60"),))
    origin.set("/secret.txt", status=403)
    origin.raw("/cut.txt", Reset())
    for name, wanted in (("no", errno.ENOENT), ("no", errno.ENOENT), ("secret", errno.EACCES),
                         ("cut", errno.EIO)):
        assert error_of(read, mount / f"{name}.txt") == wanted
    shown = [(line["word"], line["status"], line["reason"]) for line in of_names(log, 4)]
    assert shown == [("MISS", "404", "ENOENT"), ("NEGATIVE", "404", "ENOENT"),
                     ("ERROR", "403", "EACCES"), ("ERROR", "-", "EIO")]
    eventually(lambda: words(log).count("FETCH") == 3)
    failed = [line for line in lines(log) if line["word"] == "FETCH" and line["status"] == "-"]
    assert len(failed) == 1 and failed[0]["reason"] not in ("", "get", "-")


def test_tries_and_redirects_are_lines_of_their_own(make_mount, origin, log):
    mount = make_mount(origin.url, f"access_log={log}", "retries=1")
    origin.set("/a.txt", status=302, headers=(("Location", "/b.txt"),))
    origin.sequence("/b.txt", Response(status=502), Response(b"now"))
    assert read(mount / "a.txt") == b"now"
    eventually(lambda: words(log).count("FETCH") == 3)
    sent = [(line["url"].rpartition("/")[2], line["status"], line["reason"])
            for line in lines(log) if line["word"] == "FETCH"]
    assert sent == [("a.txt", "302", "redirect"), ("b.txt", "502", "get"), ("b.txt", "200", "get")]


def test_who_gives_up_is_said(make_mount, origin, log):
    mount = make_mount(origin.url, f"access_log={log}")
    origin.fresh("/a.txt", b"x", gate="never")
    process = subprocess.Popen(["cat", mount / "a.txt"], stderr=subprocess.DEVNULL)
    origin.wait_reached("never")
    process.send_signal(signal.SIGINT)
    process.wait(20)
    line, = of_names(log, 1)
    assert (line["word"], line["reason"]) == ("ERROR", "EINTR")


def test_cached_is_logged_too(make_mount, origin, log):
    mount = make_mount(origin.url, f"access_log={log}")
    origin.fresh("/a.txt", b"xyz")
    read(mount / "a.txt")
    eventually(lambda: mount.stat("transfers_active") == 0)
    assert read(mount / ".cached" / "a.txt") == b"xyz"
    assert [line["word"] for line in of_names(log, 2)] == ["MISS", "HIT"]


def test_sighup_opens_it_anew(make_mount, origin, log):
    mount = make_mount(origin.url, f"access_log={log}", "kernel_ttl=0", prefix=("setsid",))
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    until(log, 2)
    moved = log.with_suffix(".1")
    log.rename(moved)
    mount.process.send_signal(signal.SIGHUP)
    eventually(log.exists)
    read(mount / "a.txt")
    assert [line["word"] for line in until(log, 1)] == ["HIT"]
    assert len(lines(moved)) == 2


def test_a_failing_reopen_keeps_the_old_one(make_mount, origin, place):
    folder = place / "logs"
    folder.mkdir()
    mount = make_mount(origin.url, f"access_log={folder}/a.log", "kernel_ttl=0",
                       prefix=("setsid",))
    origin.fresh("/a.txt", b"x")
    folder.rename(place / "moved")
    mount.process.send_signal(signal.SIGHUP)
    eventually(lambda: "stays in use" in mount.stderr())
    read(mount / "a.txt")
    until(place / "moved" / "a.log", 2)


def test_a_full_disk_is_counted_and_harms_nobody(make_mount, origin, place):
    disk = place / "disk"
    disk.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=64k", "none", disk)
    try:
        log = disk / "a.log"
        mount = make_mount(origin.url, f"access_log={log}", "kernel_ttl=0")
        origin.fresh("/a.txt", b"x")
        (disk / "filler").write_bytes(b"x" * 60 * 1024)

        def until_it_is_full():
            read(mount / "a.txt")
            return mount.stat("unlogged") > 0
        eventually(until_it_is_full)
        assert read(mount / "a.txt") == b"x"
        assert "lines are lost" in mount.stderr()
        (disk / "filler").unlink()
        before = log.read_text().count("\n")

        def until_it_is_written():
            read(mount / "a.txt")
            return log.read_text().count("\n") > before + 2
        eventually(until_it_is_written)
        # One line may have been cut off where the disk was full; it harms no other.
        odd = [line for line in log.read_text().splitlines() if not LINE.fullmatch(line)]
        assert len(odd) <= 1
        mount.stop()
    finally:
        run("umount", "-l", disk)


def test_a_name_is_found_from_where_it_was_mounted(origin, place):
    """The background daemon leaves the directory."""
    from mounted import DAEMON
    mnt = place / "mnt"
    mnt.mkdir()
    run(DAEMON, origin.url, mnt, "-o", f"cache_dir={place}/cache,access_log=a.log", cwd=place)
    try:
        origin.fresh("/a.txt", b"x")
        read(mnt / "a.txt")
        until(place / "a.log", 2)
    finally:
        run("umount", mnt)
    assert (place / "a.log").stat().st_mode & 0o777 == 0o640


def test_what_cannot_be_written_is_told_at_the_start(make_mount, origin, place):
    for wrong in (place / "no-such" / "a.log", place, f"{place}/"):
        with pytest.raises(NotMounted) as failed:
            make_mount(origin.url, f"access_log={wrong}")
        assert str(wrong).rstrip("/") in failed.value.stderr


def test_it_cannot_lie_in_the_mount(origin, place):
    from mounted import DAEMON
    mnt = place / "mnt"
    mnt.mkdir()
    done = run(DAEMON, origin.url, mnt, "-o", f"cache_dir={place}/cache,access_log={mnt}/a.log",
               check=False)
    assert done.returncode != 0 and "below the mount point" in done.stderr


def test_many_names_at_once_lose_no_line(make_mount, origin, log):
    mount = make_mount(origin.url, f"access_log={log}")
    for n in range(200):
        origin.fresh(f"/{n}.txt", b"x")
    tasks = [Task(lambda k=k: [read(mount / f"{n}.txt") for n in range(k, 200, 8)])
             for k in range(8)]
    for task in tasks:
        task.result()
    until(log, 400)
    assert words(log).count("MISS") == words(log).count("FETCH") == 200
    assert mount.stat("unlogged") == 0
